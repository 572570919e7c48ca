"""How a turn can end, in git-cto's words: the last event, and what it means. Pure.

An end that is no success has a code (``AgentEvent.name``): the protocol's reason for stopping, the
number of its error, or one of those below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitcto.api import AgentEvent, Fault, FaultKind, fault, fault_of
from gitcto_acp.dialect import Turn

LONGEST_MESSAGE = 256 * 1024
"""Most characters of a final message that are repeated in the last event."""

AUTH_REQUIRED = "-32000"
"""The protocol's error for an agent that nobody has logged in."""

_DETAIL = 2000
_SAID: Mapping[str, tuple[FaultKind, bool, str]] = {
    "interrupted": ("killed", True, "it was asked to stop"),
    "cancelled": ("protocol", True, "it ended its turn before its work was done"),
    "denied": ("refused", False, "it stopped when it was not allowed to use a tool"),
    "cut": ("protocol", True, "the model's answer was cut"),
    "edited": ("tool", False, "it was to read only, and changed files"),
    "refusal": ("model", False, "the model refuses to do this"),
    "max_tokens": ("model", True, "the model's answer was cut: it became too long"),
    "max_turn_requests": ("model", True, "it asked the model as often as it may in one turn"),
    "gone": ("protocol", True, "it went away in the middle of its work"),
    "not_started": ("tool", False, "it cannot be started"),
    "unfit": ("protocol", False, "it cannot do what is asked of it"),
    AUTH_REQUIRED: ("auth", False, "nobody has logged in"),
}


def stopped(reason: str, turn: Turn, *, edits: bool) -> AgentEvent:
    """Return the end of a turn that the agent ended for a ``reason`` of the protocol.

    ``edits`` tells that it might change files.
    """
    if turn.denied and (reason == "cancelled" or not turn.message):
        return failing("denied", f"it stopped when it was not allowed to use {turn.denied[-1]}")
    if reason in _SAID:
        return failing(reason)
    if reason != "end_turn":
        return failing("unfit", f"it stopped for a reason that is not in the protocol: {reason!r}")
    if turn.edited and not edits:
        return failing("edited")
    return AgentEvent(kind="ended", text=turn.message[-LONGEST_MESSAGE:])


def failing(code: str, text: str = "") -> AgentEvent:
    """Return an end without success; ``text`` where there is more to say than its code does."""
    return AgentEvent(kind="ended", ok=False, name=code, text=text or _SAID[code][2])


def refused(code: int, message: str, data: object) -> AgentEvent:
    """Return the end that an error of JSON-RPC is. Agents put what they know into its data."""
    words = [message, *_words(data)]
    text = ": ".join(dict.fromkeys(word for word in words if word))[:_DETAIL]
    return AgentEvent(kind="ended", ok=False, name=str(code), text=text)


def meaning(text: str, code: str) -> Fault:
    """Return the fault of an end: its text and its code. An error without words is the model's."""
    if code in _SAID:
        kind, retryable, _said = _SAID[code]
        return fault(kind, text, retryable=retryable, code=code)
    found = fault_of(text, code=code)
    if found.kind == "tool" and code:
        return fault("model", found.detail, code=code)
    return found


def _words(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data if " " in data else data.replace("_", " ")
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from _words(value)
    elif isinstance(data, int) and not isinstance(data, bool):
        yield f"status {data}"
