"""What a line of pi's event stream means (``--mode json`` and ``--mode rpc``). Pure.

pi ends with code 0 whatever became of the model: only the last message of its assistant tells.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gitcto.api import AgentEvent, Dialect, Fault, Usage, fault, fault_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

WITHHELD = frozenset({"bash", "edit", "write"})
"""Tools that every pi has, and that are not offered to one that is only to read."""

ABORTED = "aborted"
"""Why a message ended that somebody made pi stop."""

_STATUS = re.compile(r"([45]\d\d)\b")
_MICROS = 1_000_000


def events(record: Mapping[str, Any]) -> Iterable[AgentEvent]:
    """Return what one record means; raises ``KeyError`` and the like for a malformed one."""
    match record["type"]:
        case "session":
            return [AgentEvent(kind="session", text=str(record["id"]))]
        case "response" if record["success"] and record["command"] == "get_state":
            return [AgentEvent(kind="session", text=str(record["data"]["sessionId"]))]
        case "response" if not record["success"]:
            return [AgentEvent(kind="error", ok=False, text=str(record["error"]))]
        case "message_end" if record["message"]["role"] == "assistant":
            return _message(record["message"])
        case "tool_execution_start":
            return [AgentEvent(kind="tool_started", name=str(record["toolName"]))]
        case "tool_execution_end":
            return [_tool(record)]
        case "auto_retry_start":
            return [AgentEvent(kind="warning", text=f"asked again: {record['errorMessage']}")]
        case "extension_error":
            return [AgentEvent(kind="warning", text=str(record["error"]))]
        case _:
            return []


def _message(message: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield what a whole message of the assistant says; its end is that of the run, but for tools.

    One that is followed by more (a letter was waiting) is not the last such end.
    """
    blocks = message["content"]
    thought = "".join(block["thinking"] for block in blocks if block["type"] == "thinking")
    said = "".join(block["text"] for block in blocks if block["type"] == "text")
    if thought:
        yield AgentEvent(kind="thinking", text=thought)
    if said:
        yield AgentEvent(kind="message", text=said)
    yield AgentEvent(kind="used", usage=_usage(message["usage"]))
    reason = message["stopReason"]
    if reason == "stop":
        yield AgentEvent(kind="ended")
    elif reason != "toolUse":
        text = str(message.get("errorMessage") or f"its answer ended with {reason!r}")
        status = _STATUS.match(text)
        yield AgentEvent(kind="ended", ok=False, text=text, name=status[1] if status else reason)


def _usage(usage: Mapping[str, Any]) -> Usage:
    """Return what one request used; a model without a price costs 0 in pi, which is no cost."""
    cost = round(usage["cost"]["total"] * _MICROS)
    return Usage(
        input_tokens=int(usage["input"]),
        cached_tokens=int(usage["cacheRead"]),
        cache_write_tokens=int(usage["cacheWrite"]),
        output_tokens=int(usage["output"]),
        reasoning_tokens=int(usage.get("reasoning", 0)),
        cost_micros=cost or None,
    )


def _tool(record: Mapping[str, Any]) -> AgentEvent:
    name, failed = str(record["toolName"]), bool(record["isError"])
    texts = [part.get("text") for part in record["result"]["content"]]
    if failed and name in WITHHELD and texts == [f"Tool {name} not found"]:
        return AgentEvent(kind="refused", name=name, ok=False)
    return AgentEvent(kind="tool_ended", name=name, ok=not failed)


def meaning(text: str, code: str) -> Fault:
    """Return what an error means; ``code`` is a status, or why pi's last message ended."""
    if code == ABORTED:
        return fault("killed", text, code=ABORTED)
    return fault_of(text, code=code if code.isdecimal() else "")


DIALECT = Dialect(name="pi", events=events, sums=True, fault=meaning)
"""Each message is counted by itself, so what a session used before is not in it."""
