"""What a scripted model says, one step for each request; see :class:`Script`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CALL = frozenset({"tool", "args", "raw_args", "namespace", "custom", "input"})
_STEP = _CALL | {
    "text",
    "preamble",
    "think",
    "tools",
    "usage",
    "chunks",
    "finish",
    "http",
    "body",
    "headers",
    "hang",
    "hang_after_start",
    "drop",
    "delay",
    "gap",
    "find",
}
_USAGE = frozenset({"in", "cached", "out", "reasoning"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a step claims to have cost; ``read`` contains ``cached``, ``written`` ``reasoning``."""

    read: int = 1200
    cached: int = 200
    written: int = 40
    reasoning: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a tool. ``text`` are its arguments as sent, valid JSON or not.

    A ``custom`` one (OpenAI Responses only) takes plain text.
    """

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    namespace: str = ""
    custom: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one request is answered with.

    ``text`` is a message (``chunks`` pieces of it), ``think`` reasoning before it, ``calls`` tool
    calls after it. With ``http`` the answer is that status with ``body`` and ``headers``. ``hang``:
    say nothing for so many seconds, then close; ``hang_after_start``: the same once the stream has
    begun; ``drop``: cut the stream after its first event; ``delay``: seconds before the answer;
    ``gap``: seconds between two events. ``find``: patterns by name, see :meth:`quoting`.
    """

    text: str | None = None
    think: str = ""
    calls: tuple[Call, ...] = ()
    tokens: Tokens = Tokens()
    chunks: int = 3
    finish: str = ""
    http: int = 0
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: float | None = None
    hang_after_start: float | None = None
    drop: bool = False
    delay: float = 0.0
    gap: float = 0.0
    find: Mapping[str, str] = field(default_factory=dict)

    def quoting(self, asked: str) -> Step:
        """Return this step with what its patterns find in a request, as it was sent.

        ``<<name>>`` in its text and its calls becomes the last match of ``find[name]``: its first
        group. What is not found stays as it is.
        """
        step = self
        for name, pattern in self.find.items():
            found = re.findall(pattern, asked)
            if found:
                step = step._with(f"<<{name}>>", found[-1])
        return step

    def _with(self, mark: str, word: str) -> Step:
        calls = tuple(
            replace(call, text=call.text.replace(mark, word), args=_put(call.args, mark, word))
            for call in self.calls
        )
        text = None if self.text is None else self.text.replace(mark, word)
        return replace(self, text=text, calls=calls)

    def pieces(self) -> list[str]:
        """Return the message as it is streamed; nothing when there is none."""
        if self.text is None:
            return []
        size = max(1, -(-len(self.text) // max(1, self.chunks)))
        return [self.text[at : at + size] for at in range(0, len(self.text), size)] or [""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The steps of a scenario; the last one repeats for ever.

    Requests that offer no tools (for titles, classifiers, compaction) get ``aside`` and use up no
    step.
    """

    steps: tuple[Step, ...]
    aside: Step = Step(text="ok")


def read_script(document: Any) -> Script:
    """Return a script from a list of steps, or a table of ``steps`` and ``aux``.

    A step is a table with the keys of :class:`Step`, but ``usage`` (``in``, ``cached``, ``out``,
    ``reasoning``), ``preamble`` (text before a tool call) and the keys of one call (``tool`` with
    ``args``, ``raw_args``, ``namespace``; or ``custom`` with ``input``) or ``tools``, a list of
    them. Raises ``ValueError`` for anything else.
    """
    table = {"steps": document} if isinstance(document, list) else document
    if not isinstance(table, dict) or not isinstance(table.get("steps"), list):
        raise ValueError("a script is a list of steps, or a table with `steps`")  # noqa: TRY004
    _known(table, {"steps", "aux"}, "a script")
    if not table["steps"]:
        raise ValueError("a script needs at least one step")
    aside = table.get("aux", {"text": "ok"})
    return Script(steps=tuple(_step(each) for each in table["steps"]), aside=_step(aside))


def _step(table: Any) -> Step:
    _known(table, _STEP, "a step")
    usage = table.get("usage", {})
    _known(usage, _USAGE, "usage")
    given = Tokens()
    return Step(
        text=table.get("text", table.get("preamble")),
        think=table.get("think", ""),
        calls=_calls(table),
        tokens=Tokens(
            read=usage.get("in", given.read),
            cached=usage.get("cached", given.cached),
            written=usage.get("out", given.written),
            reasoning=usage.get("reasoning", given.reasoning),
        ),
        chunks=table.get("chunks", 3),
        finish=table.get("finish", ""),
        http=table.get("http", 0),
        body=table.get("body"),
        headers=table.get("headers", {}),
        hang=table.get("hang"),
        hang_after_start=table.get("hang_after_start"),
        drop=bool(table.get("drop")),
        delay=table.get("delay", 0.0),
        gap=table.get("gap", 0.0),
        find=table.get("find", {}),
    )


def _put(value: Any, mark: str, word: str) -> Any:
    return json.loads(json.dumps(value).replace(mark, json.dumps(word)[1:-1]))


def _calls(table: Mapping[str, Any]) -> tuple[Call, ...]:
    alone = [table] if "tool" in table or "custom" in table else []
    found = []
    for each in table.get("tools") or alone:
        if "custom" in each:
            found.append(Call(name=each["custom"], text=each["input"], custom=True))
            continue
        args = each.get("args", {})
        text = each.get("raw_args", json.dumps(args))
        namespace = each.get("namespace", "")
        found.append(Call(name=each["tool"], args=args, text=text, namespace=namespace))
    return tuple(found)


def _known(table: Any, keys: Sequence[str] | frozenset[str] | set[str], what: str) -> None:
    if not isinstance(table, dict):
        raise ValueError(f"{what} is a table, not {table!r}")  # noqa: TRY004
    unknown = sorted(set(table) - set(keys))
    if unknown:
        raise ValueError(f"{what} has no {unknown[0]!r}; it has {', '.join(sorted(keys))}")
