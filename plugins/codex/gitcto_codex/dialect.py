"""What ``codex exec --json`` says, in the words of all providers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gitcto.api import AgentEvent, Dialect, Fault, Usage, fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NOT_ALLOWED = re.compile(r"requires approval|approval policy|rejected|declined|denied|cancelled")

_REJECTED = re.compile(r"reject(ed)? command|approval policy is", re.IGNORECASE)


def meanings(record: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield what one JSON object means."""
    match record["type"]:
        case "thread.started":
            yield AgentEvent(kind="session", text=record["thread_id"])
        case "item.started":
            yield from _begun(record["item"])
        case "item.completed":
            yield from _done(record["item"])
        case "turn.completed":
            usage = _usage(record["usage"])
            yield AgentEvent(kind="used", usage=usage)
            yield AgentEvent(kind="ended")
        case "turn.failed":
            yield AgentEvent(kind="ended", ok=False, text=record["error"]["message"])
        case "error":  # it may go on after that: only the end of the turn decides
            yield AgentEvent(kind="error", text=record["message"])
        case _:
            return


def complaints(stderr: str) -> Iterator[AgentEvent]:
    """Yield the refusals that only standard error tells: the model hears of them, the stream not.

    ``... ERROR codex_core::tools::router: error=approval policy is Never; reject command ...``
    """
    for line in stderr.splitlines():
        if "tools::router" in line and _REJECTED.search(line):
            yield AgentEvent(kind="refused", name="exec_command", text=line)


def fault(text: str, code: str) -> Fault:
    """Return what an error means. Whose key was refused asks for another one, and there is none."""
    if "provider auth command" in text:
        return Fault(kind="auth", detail="its key was refused", retryable=False, provider_code=code)
    return fault_of(text, code=code)


DIALECT = Dialect(
    name="codex", events=meanings, whole_session=True, complaints=complaints, fault=fault
)


def _begun(item: Mapping[str, Any]) -> Iterator[AgentEvent]:
    name = _tool(item)
    if name:
        yield AgentEvent(kind="tool_started", name=name, text=_about(item))


def _done(item: Mapping[str, Any]) -> Iterator[AgentEvent]:
    kind = item["type"]
    if kind == "agent_message":
        yield AgentEvent(kind="message", text=item["text"])
    elif kind == "reasoning":
        yield AgentEvent(kind="thinking", text=item["text"])
    elif kind == "error":  # an item of this kind is a warning: successful runs have them
        yield AgentEvent(kind="warning", text=item["message"])
    elif name := _tool(item):
        if _refused(item):
            yield AgentEvent(kind="refused", name=name, text=_about(item))
            return
        well = item["status"] == "completed"
        yield AgentEvent(kind="tool_ended", name=name, ok=well, text=_about(item))
        for change in item.get("changes", ()) if well else ():
            yield AgentEvent(kind="edited", text=change["path"])


def _tool(item: Mapping[str, Any]) -> str:
    """Return the name of the tool that an item is about, nothing when it is about none."""
    kind = str(item["type"])
    if kind == "mcp_tool_call":
        return f"{item['server']}.{item['tool']}"
    return kind if kind in {"command_execution", "file_change", "web_search"} else ""


def _about(item: Mapping[str, Any]) -> str:
    return str(item.get("command", ""))


def _refused(item: Mapping[str, Any]) -> bool:
    """Tell whether it was not allowed, which is not the same as not working."""
    if item["status"] == "declined":
        return True
    problem = item.get("error") if item["type"] == "mcp_tool_call" else None
    return bool(problem) and bool(_NOT_ALLOWED.search(str(problem).lower()))


def _usage(told: Mapping[str, int]) -> Usage:
    """Return codex's count: what was cached is part of what it calls input, we keep them apart."""
    cached = told["cached_input_tokens"]
    written = told.get("cache_write_input_tokens", 0)
    return Usage(
        input_tokens=max(0, told["input_tokens"] - cached - written),
        cached_tokens=cached,
        cache_write_tokens=written,
        output_tokens=told["output_tokens"],
        reasoning_tokens=told.get("reasoning_output_tokens", 0),
    )
