"""What ``qwen --output-format stream-json`` says, in the words of all providers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gitcto.api import AgentEvent, Dialect, Usage, fault, fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.api import Fault

_ADVICE = re.compile(r"\nPossible quota limitations in place.*\Z", re.DOTALL)
"""What follows on every 429, whatever it is."""

_NO_ANSWER = "structured_output tool"
_LOOP = "Loop detection"
_NO_SESSION = "No saved session found"
_EMPTY = re.compile(r"empty (response|content)|no (valid )?(response|content)", re.IGNORECASE)


def meanings(record: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield what one JSON object means."""
    match record["type"], record.get("subtype"):
        case "system", "init":
            yield AgentEvent(kind="session", text=record["session_id"])
        case "system", "retry":
            yield AgentEvent(kind="warning", text="it asked its model again")
        case "assistant", _:
            yield from _said(record["message"])
        case "user", _:
            yield from _heard(record["message"])
        case "result", _:
            yield from _ended(record)
        case _:
            return


def _said(message: Mapping[str, Any]) -> Iterator[AgentEvent]:
    for part in message["content"]:
        match part["type"]:
            case "text":
                yield AgentEvent(kind="message", text=part["text"])
            case "thinking":
                yield AgentEvent(kind="thinking", text=part["thinking"])
            case "tool_use":
                yield AgentEvent(kind="tool_started", name=part["name"])
            case _:
                pass
    usage = _usage(message.get("usage") or {})
    if usage.tokens:
        yield AgentEvent(kind="used", usage=usage)


def _heard(message: Mapping[str, Any]) -> Iterator[AgentEvent]:
    if isinstance(message["content"], str):
        return
    for part in message["content"]:
        if part["type"] == "tool_result":
            yield AgentEvent(kind="tool_ended", ok=not part.get("is_error"))


def _ended(record: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield the end; its usage is left out, because a resumed session's is counted again."""
    for denied in record.get("permission_denials") or ():
        yield AgentEvent(kind="refused", name=denied["tool_name"])
    if record["subtype"] == "success" and not record["is_error"]:
        yield AgentEvent(kind="ended", text=record.get("result") or "")
    else:
        problem = record.get("error") or {}
        text = problem.get("message") or record["subtype"]
        yield AgentEvent(kind="ended", ok=False, text=text)


def _usage(told: Mapping[str, int]) -> Usage:
    """Return qwen's count of one answer: what was cached is part of what it calls input."""
    cached = told.get("cache_read_input_tokens", 0)
    return Usage(
        input_tokens=max(0, told.get("input_tokens", 0) - cached),
        cached_tokens=cached,
        output_tokens=told.get("output_tokens", 0),
    )


def complaints(stderr: str) -> Iterator[AgentEvent]:
    """Yield what only its standard error tells: that a session cannot go on."""
    for line in stderr.splitlines():
        if line.startswith(_NO_SESSION):
            yield AgentEvent(kind="error", text=line)


def _fault(text: str, name: str) -> Fault:
    text = _ADVICE.sub("", text)
    if text.startswith(_LOOP):
        return fault("model", text, code="loop")
    if text.startswith(_NO_SESSION):
        return fault("protocol", text, retryable=False)
    if _NO_ANSWER in text:
        return fault("protocol", text, code="json-schema")
    if _EMPTY.search(text):
        return fault("empty", text)
    found = fault_of(text, code=name)
    told_by_server = text.startswith("[API Error") and found.kind == "tool"
    return fault("model", text) if told_by_server else found


DIALECT = Dialect(name="qwen", events=meanings, sums=True, fault=_fault, complaints=complaints)
