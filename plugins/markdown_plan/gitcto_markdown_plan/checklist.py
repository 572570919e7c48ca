"""Checkbox lists: plain ones, spec-kit's and OpenSpec's.

Numbers mean order. Where items are called ``T001`` or ``1.1``, each waits for the one before it,
unless it is marked ``[P]``: then it runs beside its ``[P]`` neighbours of the same phase. Without
such names, ``1.`` lists are done in order and ``-`` lists in any.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gitcto.api import DraftPlan, PlanProblem, TaskSpec, is_task_id
from gitcto_markdown_plan.source import BULLET, CHECKBOX, MAX_TASKS, dedented, slug, title_of, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gitcto_markdown_plan.source import Line

_NUMBERED = re.compile(
    r"[*`_]{0,3}(?P<id>T\d{3,5}[a-z]?|T-\d{1,5}|\d{1,4}(?:\.\d{1,4})+|\d{1,4}(?=[.)]))[*`_]{0,3}[.):]?"
    r"[*`_]{0,3}(?:[ \t]+|$)"
)
_NAMED = re.compile(
    r"(?:\[(?P<boxed>[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-\d{1,6})\][:.]?"
    r"|[*`]{0,3}(?P<plain>[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*-\d{1,6})"
    r"(?::|[*`]{1,3}:?))[*`]{0,3}(?:[ \t]+|$)"
)
_LABEL = re.compile(r"\[(?P<label>[A-Za-z][A-Za-z0-9_-]{0,30})\](?!\()[ \t]*")
_AFTER = re.compile(
    r"\((?:depends on|blocked by|after|requires):?[ \t]+([^()]{1,500})\)", re.IGNORECASE
)
_REFERENCE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_CONTEXT = 300
_MAX_LABELS = 8
_MAX_TEXT = 80_000
"""Characters gathered for one item's text: above what a prompt may have, so the core refuses it."""
_MAX_NEEDS = 1_001
"""Dependencies written in one item: above what a task may have, so the core refuses it."""


@dataclass(slots=True, kw_only=True)
class _Item:
    """An item as it stands in the file; ``id`` is empty when it has no name of its own."""

    line: int
    indent: int
    id: str
    text: str
    ordered: bool
    numbered: bool
    parallel: bool
    done: bool
    phase: int
    context: str
    labels: tuple[str, ...] = ()
    details: list[str] = field(default_factory=list)
    parts: list[_Item] = field(default_factory=list)


def read_checklist(lines: Sequence[Line]) -> DraftPlan:
    """Return the open items of a file as tasks."""
    items = _Scan(lines).items
    problems = [
        PlanProblem(line=item.line, message="this item has no description")
        for item in items
        if not item.text
    ]
    wanted = [item for item in items if item.text]
    _give_ids(wanted)
    open_items = [item for item in wanted if not item.done and not item.parts]
    if len(open_items) > MAX_TASKS:
        message = f"{len(open_items)} open items; a plan holds {MAX_TASKS} at most"
        return DraftPlan(tasks=(), problems=(PlanProblem(line=0, message=message),))
    tasks = tuple(_tasks(open_items, wanted))
    return DraftPlan(tasks=tasks, problems=tuple(problems))


class _Scan:
    """One pass over the lines; the open item takes whatever is said below it."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.items: list[_Item] = []
        self._open: list[_Item] = []
        self._headings: list[tuple[int, str]] = []
        self._phase = 0
        self._fresh = False
        named = any(_is_phase(line) for line in lines)
        for line in lines:
            heading = line.heading
            if heading:
                self._heading(*heading, new_phase=_is_phase(line) if named else heading[0] <= 2)  # noqa: PLR2004 (a file's title and its chapters)
                continue
            found = None if line.code else CHECKBOX.match(line.text)
            if not (found and self._item(line, found)):
                self._other(line)

    def _heading(self, level: int, words: str, *, new_phase: bool) -> None:
        self._open = []
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()
        self._headings.append((level, words))
        self._phase += new_phase

    def _item(self, line: Line, found: re.Match[str]) -> bool:
        """Open a new item; a nested one without a name is only a detail of the one above."""
        indent = width(found["indent"])
        name, numbered, rest = _name(found["text"])
        around = [item for item in self._open if item.indent < indent]
        if around and not name:
            return False
        self._open = around
        parallel, labels, rest = _labels(rest) if name else (False, (), rest)
        item = _Item(
            line=line.number,
            indent=indent,
            id=name,
            text=rest.strip(),
            ordered=found["number"] is not None,
            numbered=numbered,
            parallel=parallel,
            done=found["mark"] in "xX",
            phase=self._phase,
            context=self._context(),
            labels=labels,
        )
        for parent in around[-1:]:
            parent.parts.append(item)
        self._open.append(item)
        self.items.append(item)
        self._fresh = True
        return True

    def _continues(self, line: Line, item: _Item) -> bool:
        wraps = self._fresh and not line.code and not BULLET.match(line.text)
        return wraps and len(item.text) < _MAX_TEXT

    def _context(self) -> str:
        names = [words for _, words in self._headings] + [item.text for item in self._open]
        return " > ".join(name[:_CONTEXT] for name in names[-3:] if name)

    def _other(self, line: Line) -> None:
        if not self._open:
            return
        item = self._open[-1]
        if not line.text:
            self._fresh = False
            item.details.append("")
        elif self._continues(line, item):
            item.text = f"{item.text} {line.text.strip()}".strip()
        elif line.indent > item.indent:
            self._fresh = False
            item.details.append(line.text.expandtabs(4))
        else:
            self._open = [each for each in self._open if each.indent < line.indent]
            self._other(line)


def _is_phase(line: Line) -> bool:
    heading = line.heading
    return heading is not None and heading[1].lower().startswith("phase")


def _name(text: str) -> tuple[str, bool, str]:
    """Return an item's own name, whether it is a number in an order, and the rest of the text."""
    found = _NUMBERED.match(text)
    if found:
        return found["id"], True, text[found.end() :]
    found = _NAMED.match(text)
    if found:
        return found["boxed"] or found["plain"], False, text[found.end() :]
    return "", False, text


def _labels(text: str) -> tuple[bool, tuple[str, ...], str]:
    """Take ``[P]`` and labels such as ``[US1]`` from the beginning of a text."""
    labels: list[str] = []
    for _ in range(_MAX_LABELS):
        found = _LABEL.match(text)
        if found:
            labels.append(found["label"])
            text = text[found.end() :]
    return "P" in labels, tuple(label for label in labels if label != "P"), text


def _give_ids(items: Sequence[_Item]) -> None:
    """Name the items that have no name after their words, so that a second import finds them."""
    used = {item.id for item in items}
    counts: Counter[str] = Counter()
    for item in items:
        if item.id:
            continue
        base = slug(item.text)
        if not is_task_id(base):
            base = f"task-{hashlib.sha256(item.text.encode()).hexdigest()[:12]}"
        name = base
        while name in used:
            counts[base] += 1
            name = f"{base}-{counts[base] + 1}"
        used.add(name)
        item.id = name


def _tasks(items: Sequence[_Item], everything: Sequence[_Item]) -> Iterator[TaskSpec]:
    still_open = {item.id for item in items}
    every = {item.id: item for item in everything}
    for item, implied in zip(items, _order(items), strict=True):
        named = [
            needed
            for name in _references(item.text)
            for needed in _leaves(name, every)
            if needed in still_open or needed not in every
        ]
        needs = dict.fromkeys([*implied, *named[:_MAX_NEEDS]])
        yield TaskSpec(
            id=item.id,
            title=title_of(item.text),
            prompt=_prompt(item),
            depends_on=implied if len(needs) == len(implied) else tuple(needs),
        )


def _references(text: str) -> Iterator[str]:
    for found in _AFTER.finditer(text):
        for name in _REFERENCE.findall(found[1]):
            if any(map(str.isdigit, name)):
                yield name


def _leaves(name: str, every: dict[str, _Item]) -> list[str]:
    """Return the tasks that a name stands for: an item with parts is its parts."""
    leaves: list[str] = []
    waiting = [name]
    while waiting:
        here = waiting.pop()
        parts = every[here].parts if here in every else []
        if parts:
            waiting.extend(part.id for part in reversed(parts))
        else:
            leaves.append(here)
    return leaves


def _order(items: Sequence[_Item]) -> Iterable[tuple[str, ...]]:
    phased = any(item.numbered for item in items)
    return _phased_order(items) if phased else _plain_order(items)


def _phased_order(items: Sequence[_Item]) -> Iterator[tuple[str, ...]]:
    barrier: tuple[str, ...] = ()
    beside: list[str] = []
    phase = -1
    for item in items:
        if beside and (item.phase != phase or not item.parallel):
            barrier, beside = tuple(beside), []
        phase = item.phase
        yield barrier
        if item.parallel:
            beside.append(item.id)
        else:
            barrier = (item.id,)


def _plain_order(items: Sequence[_Item]) -> Iterator[tuple[str, ...]]:
    before: _Item | None = None
    for item in items:
        follows = before and before.ordered and item.ordered and before.context == item.context
        yield (before.id,) if before and follows else ()
        before = item


def _prompt(item: _Item) -> str:
    parts = [item.text, dedented(item.details)]
    if item.labels:
        parts.append(f"Story: {', '.join(item.labels)}")
    if item.context:
        parts.append(f"Part of: {item.context}")
    return "\n\n".join(part for part in parts if part)
