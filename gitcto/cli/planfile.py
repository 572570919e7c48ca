"""Reading a plan file that may be anything: too big, binary, hostile, or in no known format."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from gitcto.cli.group import closest
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from gitcto.contracts import DraftPlan
    from gitcto.descriptors import Planner
    from gitcto.model.records import TaskSpec
    from gitcto.plugins import Plugins, Registered

MAX_BYTES = 8 * 1024 * 1024
"""The largest plan that is read; 10,000 tasks with a page of prompt each stay below it."""

_READ_DEADLINE_S = 30.0


class Problem(NamedTuple):
    """Something wrong at a line of a plan; 0 when no line can be named."""

    line: int
    message: str

    def shown(self, file: str) -> str:
        """Return ``file:line: message``, as editors and compilers write it."""
        return f"{file}:{self.line}: {self.message}" if self.line else f"{file}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """A plan as its planner read it. ``digest`` is the SHA-256 of ``content``."""

    name: str
    content: bytes
    digest: str
    draft: DraftPlan

    @property
    def tasks(self) -> tuple[TaskSpec, ...]:
        """The tasks, in the order of the file."""
        return self.draft.tasks

    def ids_mentioned(self) -> Iterator[str]:
        """Yield every id that the plan defines or depends on."""
        for task in self.draft.tasks:
            yield task.id
            yield from task.depends_on


def read_plan(path: Path, plugins: Plugins, planner: str | None) -> PlanFile:
    """Read ``path`` with the planner named, or the one that fits. Raises ``CtoError``."""
    content = _content(path)
    text = _text(content, path.name)
    draft = _draft(_planner(path, text, plugins, planner), text, plugins)
    digest = hashlib.sha256(content).hexdigest()
    return PlanFile(name=path.name, content=content, digest=digest, draft=draft)


def problems_of(
    plan: PlanFile, known: Collection[str], strategies: Collection[str]
) -> list[Problem]:
    """Return what its planner and the core find wrong, by line.

    ``known`` tasks exist already, and so do ``strategies``, as far as tasks name any.
    """
    from gitcto.model.plan import validate

    found = [Problem(each.line, each.message) for each in plan.draft.problems]
    if found and not plan.tasks:
        return sorted(set(found))  # that it has no tasks follows from these
    lines = plan.content.decode().splitlines()
    for error in validate(plan.tasks, known):
        what = f"{error.task}: {error.message}" if error.task else error.message
        found.append(Problem(_line_of(error.task, lines), what))
    for task in plan.tasks:
        if task.strategy and task.strategy not in strategies:
            near = closest(task.strategy, list(strategies))
            what = f"{task.id}: there is no strategy {task.strategy!r}{near}"
            found.append(Problem(_line_of(task.id, lines), what))
    return sorted(set(found))


def _line_of(task: str, lines: list[str]) -> int:
    if not task:
        return 0
    return next((number for number, line in enumerate(lines, 1) if task in line), 0)


def _content(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise _unusable(path, "is no ordinary file")
            if found.st_size > MAX_BYTES:
                raise _unusable(path, f"is larger than {MAX_BYTES // 1024**2} MiB")
            return file.read(MAX_BYTES)
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from error


def _unusable(path: Path, why: str) -> CtoError:
    return CtoError(
        f"{path.name} {why}", "name a plan: a text file of tasks (TOML or Markdown)", ExitCode.USAGE
    )


def _text(content: bytes, name: str) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _binary(name, line) from None
    nul = content.find(b"\0")
    if nul >= 0:
        raise _binary(name, content.count(b"\n", 0, nul) + 1)
    return text


def _binary(name: str, line: int) -> CtoError:
    return CtoError(
        f"{name}:{line}: this is not UTF-8 text",
        "save the plan as UTF-8 text, or name another file",
        ExitCode.REFUSED,
    )


def _planner(path: Path, text: str, plugins: Plugins, wanted: str | None) -> Registered[Planner]:
    planners = plugins.planners()
    names = ", ".join(planners)
    if not planners:
        raise CtoError(
            "no planner is installed, so no plan can be read",
            "`git cto plugins` says which plugins failed; reinstall git-cto or a planner plugin",
            ExitCode.PLUGIN_MISSING,
        )
    if wanted is not None:
        if wanted not in planners:
            raise CtoError(
                f"there is no planner {wanted!r}", f"these are installed: {names}", ExitCode.USAGE
            )
        return planners[wanted]
    suited = [each for each in planners.values() if path.suffix in each.descriptor.suffixes]
    fitting = [each for each in suited if _recognises(each, text, plugins)]
    fitting = fitting or [each for each in planners.values() if _recognises(each, text, plugins)]
    if len(fitting) == 1:
        return fitting[0]
    if len(suited) == 1:  # its own message says what is wrong with the text
        return suited[0]
    what = "several planners read it" if fitting else "no planner knows its format"
    raise CtoError(f"{path.name}: {what}", f"choose with `--format`: {names}", ExitCode.USAGE)


def _recognises(planner: Registered[Planner], text: str, plugins: Plugins) -> bool:
    from gitcto.plugins import call_contained

    reader = plugins.instantiate(planner)
    answer = call_contained(planner, reader, "recognises", text, deadline_s=_READ_DEADLINE_S)
    return answer is True  # a planner that breaks here is passed over, another may know the file


def _draft(planner: Registered[Planner], text: str, plugins: Plugins) -> DraftPlan:
    from gitcto.plugins import Crashed, TimedOut, call_contained

    reader = plugins.instantiate(planner)
    draft = call_contained(planner, reader, "read", text, deadline_s=_READ_DEADLINE_S)
    if isinstance(draft, Crashed | TimedOut):
        raise draft.error()
    return draft
