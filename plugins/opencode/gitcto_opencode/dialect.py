"""What a line of ``opencode run --format json`` means, and of the guard beside it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gitcto.api import AgentEvent, Dialect, Fault, Usage, fault_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

WITHHELD = frozenset({"bash", "edit", "patch", "task", "webfetch", "websearch", "write"})
"""Tools that every opencode has, and that are not offered where they are denied."""

CUT = "cut"
"""The code of a stream that ended before its end: opencode calls its reason unknown."""

UNREACHABLE = "unreachable"
"""The code of an error without an answer that opencode would have asked again after."""

_CUT_TEXT = "the model's stream was cut"
_EDITS = frozenset({"edit", "patch", "write"})
_REFUSED = ("rejected permission", "rule which prevents")
_MICROS = 1_000_000


def events(record: Mapping[str, Any]) -> Iterable[AgentEvent]:
    """Return what one record means; raises ``KeyError`` and the like for a malformed one."""
    match record["type"]:
        case "step_start":
            return [AgentEvent(kind="session", text=str(record["sessionID"]))]
        case "text":
            return [AgentEvent(kind="message", text=str(record["part"]["text"]))]
        case "reasoning":
            return [AgentEvent(kind="thinking", text=str(record["part"]["text"]))]
        case "tool_use":
            return _tool(record["part"])
        case "step_finish":
            return _step(record["part"])
        case "error":
            return [_session(record), _error(record["error"])]
        case "cto_guard":
            return [_session(record), _stopped(record)]
        case _:
            return []


def fault(text: str, code: str) -> Fault:
    """Return what an error means."""
    if code == CUT:
        return Fault(kind="protocol", detail=text, provider_code=CUT)
    found = fault_of(text, code=code)
    if code == UNREACHABLE and found.kind == "tool":
        return Fault(kind="model", detail=found.detail, provider_code=code)
    return found


def _session(record: Mapping[str, Any]) -> AgentEvent:
    return AgentEvent(kind="session", text=str(record["sessionID"]))


def _tool(part: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield what came of a tool, of which nothing was told before it ended."""
    name, state = str(part["tool"]), part["state"]
    trouble = str(state.get("error", ""))
    if name == "invalid":  # opencode's own, which it uses in place of one that it does not have
        name, trouble = str(state["input"].get("tool")), str(state["input"].get("error"))
    unavailable = "unavailable tool" in trouble
    if (unavailable and name in WITHHELD) or any(words in trouble for words in _REFUSED):
        yield AgentEvent(kind="refused", name=name, ok=False)
        return
    completed = state["status"] == "completed" and not trouble
    ok = completed and not state["metadata"].get("exit")
    yield AgentEvent(kind="tool_ended", name=name, ok=ok)
    if ok and name in _EDITS and "filePath" in state["input"]:
        yield AgentEvent(kind="edited", text=str(state["input"]["filePath"]))


def _step(part: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield what one request used, and whether it was the last; tools lead to another one."""
    tokens = part["tokens"]
    reasoning = int(tokens["reasoning"])
    usage = Usage(
        input_tokens=int(tokens["input"]),
        cached_tokens=int(tokens["cache"]["read"]),
        cache_write_tokens=int(tokens["cache"]["write"]),
        output_tokens=int(tokens["output"]) + reasoning,
        reasoning_tokens=reasoning,
        cost_micros=round(part["cost"] * _MICROS) or None,
    )
    yield AgentEvent(kind="used", usage=usage)
    match part["reason"]:
        case "tool-calls":
            return
        case "stop":
            yield AgentEvent(kind="ended")
        case "unknown":
            yield AgentEvent(kind="error", ok=False, text=_CUT_TEXT, name=CUT)
        case reason:
            text = f"its answer ended with {reason!r}"
            yield AgentEvent(kind="ended", ok=False, text=text)


def _error(error: Mapping[str, Any]) -> AgentEvent:
    """Return an error of the model or its server; that the guard stopped the run is none."""
    data = error.get("data", {})
    if error["name"] == "MessageAbortedError":
        return AgentEvent(kind="ended", ok=False)
    headers = data.get("responseHeaders") or {}
    text = _with_wait(str(data.get("message") or error["name"]), headers.get("retry-after"))
    code = str(data.get("statusCode") or error["name"])
    return AgentEvent(kind="error", ok=False, text=text, name=code)


def _stopped(record: Mapping[str, Any]) -> AgentEvent:
    if record["reason"] == CUT:
        return AgentEvent(kind="error", ok=False, text=_CUT_TEXT, name=CUT)
    text = _with_wait(str(record["message"]), record.get("retryAfter"))
    return AgentEvent(
        kind="error", ok=False, text=text, name=str(record.get("status", UNREACHABLE))
    )


def _with_wait(text: str, seconds: object) -> str:
    """Return the text with what the server asks for; it may say a date, which is left out."""
    return f"{text} (retry after {seconds} s)" if str(seconds).isdecimal() else text


DIALECT = Dialect(name="opencode", events=events, sums=True, errors_decide=True, fault=fault)
"""Each step is counted by itself, so what a session used before is not in it."""
