"""What ``gemini --output-format stream-json`` says, in the words of all providers."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from gitcto.api import AgentEvent, Dialect, Usage, fault, fault_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.api import Fault

_OWN = frozenset(
    {
        "google_web_search",
        "replace",
        "run_shell_command",
        "web_fetch",
        "write_file",
    }
)
"""Tools that gemini has, unless it was not to have them: then they are not there to be called."""

_NOT_THERE = re.compile(r'Tool "([^"]+)" not found')
_NOT_ALLOWED = frozenset({"permission_denied", "policy_violation"})

_API_ERROR = re.compile(
    r"\[API Error: (.*?)\]\s*(?:\nPlease wait and try again later\..*)?\Z", re.DOTALL
)
"""An error of the model's server; on 429, advice follows that speaks of quotas, whatever it is."""

_STATUS_IN_JSON = re.compile(r'"code":\s*([45]\d\d)\b')
_BAD_KEY = re.compile(r"API_KEY_INVALID|API key not valid|API key expired")
_DAILY = re.compile(r"exhausted your daily quota|exceeded your current quota", re.IGNORECASE)
_SOON = "Suggested retry after"
_UNREACHED = "fetch failed"
_LOOP = "Loop detected"

_STATUSES = (400, 401, 403, 404, 408, 429, 500, 502, 503, 504, 529)
_BY_CODE: Mapping[int, int] = {status % 256: status for status in _STATUSES}
"""Gemini ends with the status of an error as its exit code, of which a process has eight bits."""

_MANY, _FORBIDDEN, _UNAVAILABLE = 429, 401, 503


def meanings(record: Mapping[str, Any]) -> Iterator[AgentEvent]:
    """Yield what one JSON object means."""
    match record["type"]:
        case "init":
            yield AgentEvent(kind="session", text=record["session_id"])
        case "message" if record["role"] == "assistant":
            yield AgentEvent(kind="message", text=record["content"])
        case "tool_use":
            yield AgentEvent(kind="tool_started", name=record["tool_name"])
        case "tool_result":
            yield _done(record)
        case "error":  # also those that it calls warnings: a loop, which it stops
            yield AgentEvent(kind="error", text=record["message"])
        case "result":
            yield from _ended(record)
        case _:
            return


def dialect(code: int) -> Dialect:
    """Return the dialect of a run that ended with an exit code, 0 while it runs."""
    status = _BY_CODE.get(code, 0)
    return replace(DIALECT, fault=partial(_fault, status=status))


def _done(record: Mapping[str, Any]) -> AgentEvent:
    name = record["tool_id"].partition("__")[0]
    problem = record.get("error") or {}
    missing = _NOT_THERE.match(problem.get("message", ""))
    if problem.get("type") in _NOT_ALLOWED or (missing and missing[1] in _OWN):
        return AgentEvent(kind="refused", name=missing[1] if missing else name)
    return AgentEvent(kind="tool_ended", name=name, ok=record["status"] == "success")


def _ended(record: Mapping[str, Any]) -> Iterator[AgentEvent]:
    yield AgentEvent(kind="used", usage=_usage(record["stats"]))
    problem = record.get("error") or {}
    yield AgentEvent(
        kind="ended",
        ok=record["status"] == "success",
        text=problem.get("message", ""),
        name="" if problem.get("type") == "unknown" else problem.get("type", ""),
    )


def _usage(stats: Mapping[str, int]) -> Usage:
    """Return gemini's count: thoughts are in its total only."""
    read, said, cached = stats["input_tokens"], stats["output_tokens"], stats["cached"]
    thought = max(0, stats["total_tokens"] - read - said)
    return Usage(
        input_tokens=max(0, read - cached),
        cached_tokens=cached,
        output_tokens=said + thought,
        reasoning_tokens=thought,
    )


def _fault(text: str, name: str, *, status: int) -> Fault:
    """Return what an error means: what its text says comes first, then the exit code."""
    if name == "FatalTurnLimitedError":
        return fault("timeout", text, code=name)
    if text.startswith(_LOOP):
        return fault("model", text, code="loop")
    api = _API_ERROR.search(text)
    if api is None:
        return fault_of(text, code=name)
    text, told = api[1], _STATUS_IN_JSON.search(api[1])
    status = int(told[1]) if told else status
    if _BAD_KEY.search(text):
        return fault_of(text, status=_FORBIDDEN)
    if _SOON in text or (status == _MANY and not _DAILY.search(text)):
        return fault_of(text, status=_MANY, code="rate_limit")
    if _UNREACHED in text:
        return fault_of(text, status=status or _UNAVAILABLE, code="unreachable")
    found = fault_of(text, status=status)
    return fault("model", text) if found.kind == "tool" else found  # the model's server said it


DIALECT = Dialect(
    name="gemini",
    events=meanings,
    pieces=True,
    errors_decide=True,
    fault=partial(_fault, status=0),
)
