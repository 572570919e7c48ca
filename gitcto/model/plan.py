"""Plans: what is wrong with a set of tasks, and an order in which they can be added. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from gitcto.model.ids import is_name, is_task_id
from gitcto.model.records import TaskSpec

MAX_TASKS = 10_000
MAX_TITLE = 200
"""Characters in a title."""
MAX_PROMPT = 64 * 1024
"""Bytes in a prompt, as UTF-8."""
MAX_PATH = 4096
"""Characters in a path."""
MAX_LIST = 1_000
"""Entries in ``depends_on``, ``paths`` or ``inputs`` of one task."""

_SHOWN = 80
_CHAIN = 20

# C0 and C1 controls, line separators, bidirectional overrides and lone surrogates: none may reach
# a terminal, a commit message or a worker's arguments disguised as text. Tab and newline may.
_UNSAFE_RANGES = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE = re.compile(f"[{_UNSAFE_RANGES}]")
_UNSAFE_IN_LINE = re.compile(rf"[\t\n{_UNSAFE_RANGES}]")
_INPUT = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")


class PlanError(NamedTuple):
    """Something wrong with one task (or with the whole plan, when ``task`` is empty)."""

    task: str
    code: str
    message: str


def path_complaint(path: str) -> str:
    """Return what is wrong with a path or glob that a task may change, or an empty string."""
    if not path or len(path) > MAX_PATH:
        return f"a path has 1 to {MAX_PATH} characters"
    if _UNSAFE_IN_LINE.search(path):
        return "a path has no control characters"
    if path.startswith(("-", ":")):
        return "a path does not begin with - or :"
    if path.startswith(("/", "~", "\\")) or re.match(r"[A-Za-z]:[\\/]", path):
        return "a path is relative to the top of the repository"
    parts = path.replace("\\", "/").split("/")
    if ".." in parts:
        return "a path does not leave the repository"
    if ".git" in map(str.lower, parts):
        return "nothing in .git can be changed"
    return ""


def validate(tasks: Sequence[TaskSpec], existing: Collection[str]) -> list[PlanError]:
    """Return every problem of a plan that joins a team which has the ``existing`` tasks.

    An empty list means that :func:`in_dependency_order` gives an order the model accepts. Linear in
    the plan's size.
    """
    if not tasks:
        return [PlanError("", "empty", "the plan has no tasks")]
    if len(tasks) > MAX_TASKS:
        return [PlanError("", "too_many", f"{len(tasks)} tasks; a plan holds {MAX_TASKS} at most")]
    # what follows relies on types and on short lists
    unfit = list(_type_problems(tasks)) or list(_length_problems(tasks))
    if unfit:
        return unfit
    problems = [
        PlanError(_label(task), code, message)
        for task in tasks
        for code, message in _task_complaints(task)
    ]
    known = set(existing)
    for task in tasks:
        if task.id in known:
            where = "in the team already" if task.id in existing else "used twice in this plan"
            problems.append(PlanError(_label(task), "duplicate", f"this id is {where}"))
        known.add(task.id)
    problems.extend(_dependency_problems(tasks, known))
    problems.extend(
        PlanError(_printable(cycle[0]), "cycle", f"these wait for each other: {_chain(cycle)}")
        for cycle in _cycles(tasks)
    )
    return problems


def in_dependency_order(tasks: Sequence[TaskSpec]) -> tuple[TaskSpec, ...]:
    """Return the tasks of a valid plan, each after what it depends on, else in the plan's order."""
    by_id = {task.id: task for task in tasks}
    ordered: dict[str, TaskSpec] = {}
    entered: set[str] = set()
    for root in by_id.values():
        waiting = [root]
        while waiting:
            task = waiting[-1]
            if task.id in ordered:
                waiting.pop()
                continue
            needed = () if task.id in entered else task.depends_on
            entered.add(task.id)
            before = [by_id[n] for n in needed if n in by_id and n not in entered]
            if before:
                waiting.extend(reversed(before))
            else:
                ordered[waiting.pop().id] = task
    return tuple(ordered.values())


def _type_problems(tasks: Sequence[TaskSpec]) -> Iterator[PlanError]:
    """Check the fields' types: nobody does when a struct is made, and plans come from plugins."""
    if not _type_complaint(tasks, list[TaskSpec]):
        return
    for task in tasks:
        complaint = _type_complaint(task, TaskSpec)
        if complaint:
            yield PlanError(_label(task), "type", complaint)


def _type_complaint(value: object, kind: object) -> str:
    try:
        msgspec.convert(msgspec.to_builtins(value), kind)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        return _printable(str(error))
    return ""


def _length_problems(tasks: Sequence[TaskSpec]) -> Iterator[PlanError]:
    for task in tasks:
        for what in ("depends_on", "paths", "inputs"):
            count = len(getattr(task, what))
            if count > MAX_LIST:
                message = f"{count} entries in {what}; {MAX_LIST} at most"
                yield PlanError(_label(task), what, message)


def _task_complaints(task: TaskSpec) -> Iterator[tuple[str, str]]:
    if not is_task_id(task.id):
        yield "id", "an id has 1 to 64 letters, digits, dots, - and _, as a branch name may"
    if not task.title.strip() or len(task.title) > MAX_TITLE:
        yield "title", f"a title has 1 to {MAX_TITLE} characters"
    if _UNSAFE_IN_LINE.search(task.title):
        yield "title", "a title is one line without control characters"
    if _bytes(task.prompt) > MAX_PROMPT:
        yield "prompt", f"a prompt has at most {MAX_PROMPT} bytes"
    if _UNSAFE.search(task.prompt):
        yield "prompt", "a prompt has no control characters besides newline and tab"
    if not is_name(task.role):
        yield "role", "a role is lower-case letters, digits, - and _, at most 40"
    if task.strategy and not is_name(task.strategy):
        yield "strategy", "a strategy is lower-case letters, digits, - and _, at most 40"
    if _UNSAFE_IN_LINE.search(task.owner) or len(task.owner) > MAX_TITLE:
        yield "owner", f"an owner is one line of at most {MAX_TITLE} characters"
    yield from _path_complaints(task.paths)
    yield from _input_complaints(task.inputs)


def _path_complaints(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        complaint = path_complaint(path)
        if complaint:
            yield "path", f"{_printable(path)}: {complaint}"


def _input_complaints(inputs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in inputs.items():
        if not _INPUT.match(name):
            yield "input", f"{_printable(name)}: an input's name is letters, digits, - and _"
        if _UNSAFE.search(value) or _bytes(value) > MAX_PROMPT:
            yield "input", f"{_printable(name)}: control characters, or over {MAX_PROMPT} bytes"


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _dependency_problems(tasks: Sequence[TaskSpec], known: Collection[str]) -> Iterator[PlanError]:
    for task in tasks:
        seen: set[str] = set()
        for needed in task.depends_on:
            if needed in seen:
                message = f"{_printable(needed)} is named twice in depends_on"
                yield PlanError(_label(task), "duplicate_dependency", message)
            elif needed == task.id:
                yield PlanError(_label(task), "self_dependency", "a task cannot wait for itself")
            elif needed not in known:
                message = f"there is no task {_printable(needed)} to depend on"
                yield PlanError(_label(task), "unknown_dependency", message)
            seen.add(needed)


def _cycles(tasks: Sequence[TaskSpec]) -> Iterator[list[str]]:
    """Yield one cycle of each knot: what is left when every task that can run has run."""
    needs = {task.id: task.depends_on for task in tasks}
    waiting = dict.fromkeys(needs, 0)
    dependents: dict[str, list[str]] = {}
    for task_id, needed in needs.items():
        for name in needed:
            if name in needs and name != task_id:
                waiting[task_id] += 1
                dependents.setdefault(name, []).append(task_id)
    ready = [task_id for task_id, count in waiting.items() if count == 0]
    while ready:
        done = ready.pop()
        del waiting[done]
        for name in dependents.get(done, ()):
            waiting[name] -= 1
            if waiting[name] == 0:
                ready.append(name)
    walked: set[str] = set()
    for start in waiting:
        trail: dict[str, None] = {}
        here = start
        while here not in walked:
            walked.add(here)
            trail[here] = None
            here = next(name for name in needs[here] if name in waiting and name != here)
        if here in trail:
            cycle = list(trail)
            yield [*cycle[cycle.index(here) :], here]


def _chain(cycle: Sequence[str]) -> str:
    shown = [_printable(name) for name in cycle]
    if len(shown) > _CHAIN:
        shown[_CHAIN // 2 : -_CHAIN // 2] = [f"({len(shown) - _CHAIN} more)"]
    return " -> ".join(shown)


def _label(task: TaskSpec) -> str:
    return _printable(task.id) if isinstance(task.id, str) else repr(task.id)[:MAX_TITLE]


def _printable(text: str) -> str:
    """Return text for a message: nothing that moves a cursor, nothing that fills a screen."""
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return short if short.isprintable() else ascii(short)[1:-1]
