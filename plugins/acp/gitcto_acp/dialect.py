"""What an agent says in the Agent Client Protocol, in git-cto's words. Pure.

The names are those of the protocol, version 1, as it is on the wire
(https://agentclientprotocol.com/protocol/schema). What is unknown is passed over: an agent may say
more than we understand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from gitcto.api import AgentEvent, Usage

READS = frozenset({"read", "search", "think"})
"""The kinds of tools that change nothing; what tells no kind is not among them."""

EDITS = frozenset({"edit", "delete", "move"})

_ENDED = ("completed", "failed")
_NAME = 200


@dataclass(slots=True)
class Turn:
    """What is to be remembered between the updates of one turn.

    ``words`` is what the agent has said since its last tool began, ``earlier`` what before it.
    ``tools`` are those that have begun and not ended: name and kind by id. ``denied`` are the names
    of the tools that it was not allowed to use. ``cost`` is what the session has cost so far.
    """

    words: list[str] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)
    tools: dict[str, tuple[str, str]] = field(default_factory=dict)
    denied: list[str] = field(default_factory=list)
    edited: bool = False
    cost_micros: int | None = None

    @property
    def message(self) -> str:
        """The final message: the last words, before or after the last tool."""
        return "".join(self.words or self.earlier)


def events_of(update: Mapping[str, object], turn: Turn) -> tuple[AgentEvent, ...]:
    """Return what one session update tells, and note it in ``turn``."""
    kind = update.get("sessionUpdate")
    if kind == "agent_message_chunk":
        text = _content_text(update)
        turn.words += [text] if text else []
        return (AgentEvent(kind="message", text=text),) if text else ()
    if kind == "agent_thought_chunk":
        text = _content_text(update)
        return (AgentEvent(kind="thinking", text=text),) if text else ()
    if kind in ("tool_call", "tool_call_update"):
        return _tool_events(update, turn)
    if kind == "usage_update":
        turn.cost_micros = _cost(update.get("cost"), turn.cost_micros)
    return ()


def permitted(request: Mapping[str, object], turn: Turn, *, edits: bool) -> str:
    """Return the id of the option that answers a request for permission; empty: none will do.

    Options are told apart by their kind, never by their id or name: every agent has its own. With
    ``edits`` a tool is allowed this once; without, only one of a kind that changes nothing.
    """
    call = _table(request.get("toolCall"))
    known, kind = turn.tools.get(_text(call.get("toolCallId")), ("", ""))
    kind = _text(call.get("kind")) or kind
    options = {
        _text(option.get("kind")): _text(option.get("optionId"))
        for option in map(_table, _list(request.get("options")))
    }
    allowed = edits or kind in READS
    wanted = ("allow_once", "allow_always") if allowed else ("reject_once", "reject_always")
    chosen = next((options[each] for each in wanted if options.get(each)), "")
    if not allowed or not chosen:
        turn.denied.append(_name(call) or known or "a tool")
    return chosen


def usage_of(answer: Mapping[str, object]) -> Usage:
    """Return what one prompt has used, where its answer says so.

    ``usage`` is the protocol's (unstable) place, which counts thoughts beside the output; gemini
    has one of its own.
    """
    told = _table(answer.get("usage"))
    if told:
        thoughts = _count(told, "thoughtTokens")
        return Usage(
            input_tokens=_count(told, "inputTokens"),
            cached_tokens=_count(told, "cachedReadTokens"),
            cache_write_tokens=_count(told, "cachedWriteTokens"),
            output_tokens=_count(told, "outputTokens") + thoughts,
            reasoning_tokens=thoughts,
        )
    quota = _quota(answer)
    return Usage(
        input_tokens=_count(quota, "input_tokens"), output_tokens=_count(quota, "output_tokens")
    )


def was_cut(answer: Mapping[str, object]) -> bool:
    """Tell whether the model's answer had no end, although the turn had one.

    gemini calls that the end of the turn, but has counted nothing then: the count comes last.
    """
    quota = _quota(answer)
    return bool(quota) and not any(_count(quota, key) for key in quota)


def with_cost(usage: Usage, cost_micros: int | None) -> Usage:
    """Return ``usage`` with another cost: what a session costs, its agent adds up itself."""
    return Usage(
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        cost_micros=cost_micros,
    )


def inside(path: str, workspace: str) -> str:
    """Return a path as seen from the workspace when it lies in there."""
    pure = PurePath(path)
    return str(pure.relative_to(workspace)) if pure.is_relative_to(workspace) else path


def _tool_events(update: Mapping[str, object], turn: Turn) -> tuple[AgentEvent, ...]:
    """Return the events of a tool call; some agents tell only its end."""
    identity, status = _text(update.get("toolCallId")), update.get("status")
    before = turn.tools.get(identity)
    name, kind = before or ("", "")
    name, kind = _name(update) or name, _text(update.get("kind")) or kind
    events: list[AgentEvent] = []
    if before is None:
        turn.words, turn.earlier = [], turn.words or turn.earlier
        events.append(AgentEvent(kind="tool_started", name=name, text=kind))
    turn.tools[identity] = (name, kind)
    if status in _ENDED:
        del turn.tools[identity]
        ok = status == "completed"
        events.append(AgentEvent(kind="tool_ended", name=name, ok=ok))
        paths = _changed(update) if ok else ()
        turn.edited = turn.edited or bool(paths) or (ok and kind in EDITS)
        events += [AgentEvent(kind="edited", text=path) for path in paths]
    return tuple(events)


def _changed(update: Mapping[str, object]) -> tuple[str, ...]:
    """Return the files of which a tool call shows a difference."""
    parts = map(_table, _list(update.get("content")))
    found = (_text(part.get("path")) for part in parts if part.get("type") == "diff")
    return tuple(dict.fromkeys(path for path in found if path))


def _content_text(update: Mapping[str, object]) -> str:
    return _text(_table(update.get("content")).get("text"))


def _name(call: Mapping[str, object]) -> str:
    return " ".join(_text(call.get("title")).split())[:_NAME]


def _quota(answer: Mapping[str, object]) -> Mapping[str, object]:
    return _table(_table(_table(answer.get("_meta")).get("quota")).get("token_count"))


def _cost(cost: object, before: int | None) -> int | None:
    told = _table(cost)
    amount = told.get("amount")
    if told.get("currency") != "USD" or not isinstance(amount, int | float):
        return before
    if not math.isfinite(amount) or amount < 0:
        return before
    return round(amount * 1_000_000)


def _count(table: Mapping[str, object], key: str) -> int:
    value = table.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
