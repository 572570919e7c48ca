"""Whether the target and the ledger tell the same history; if one of them is older, nothing runs.

A ledger that somebody restored from a copy does not know what landed since: going on would land it
twice. A branch that lost what landed would make done what is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gitcto.errors import CtoError
from gitcto.git.trees import is_ancestor
from gitcto.model.events import LandingDone
from gitcto.model.records import TaskState
from gitcto.runtime.workspace.commits import EXECUTION_TRAILER, TASK_TRAILER
from gitcto.store.chain import teams
from gitcto.store.reader import LedgerReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.git.process import Git
    from gitcto.git.refs import Refs
    from gitcto.model.records import Team

_DAY_S = 24 * 3600


class Unknown(NamedTuple):
    """A commit on the target that says whose work it is; the ledger says something else."""

    commit: str
    task: str
    execution: str


def unknown_landings(reader: LedgerReader, git: Git, refs: Refs) -> list[Unknown]:
    """Return what landed and is not known as landed, the newest first.

    Costs one ``git log`` of what came after the last landing that is known: mostly nothing.
    """
    team = reader.view().team
    tip = refs.read(team.target) if team else None
    if team is None or tip is None:
        return []
    last = _last_landing(reader)
    if last == tip:
        return []
    found = [each for each in _claims(git, team, tip, last) if _is_news(reader, each)]
    others = [name for name in teams(reader.repository) if name != team.name] if found else []
    return [each for each in found if not any(_knows(reader, name, each) for name in others)]


def refuse_unknown_landings(reader: LedgerReader, git: Git, refs: Refs, target: str) -> None:
    """Raise ``CtoError`` when the target holds what the ledger does not know."""
    found = unknown_landings(reader, git, refs)
    if not found:
        return
    branch, one = target.removeprefix("refs/heads/"), found[0]
    raise CtoError(
        f"{branch} holds work of {one.task} ({one.commit[:12]}) that the ledger does not know: "
        "the ledger is older than the branch",
        "bring the true ledger with `git fetch <remote> 'refs/cto/*:refs/cto/*'`, or from the "
        f"clone that has it; to give that work up, move {branch} back with `git branch --force`",
    )


def refuse_lost_target(reader: LedgerReader, git: Git, refs: Refs, target: str) -> None:
    """Raise ``CtoError`` when the target lost what landed: tasks that are done are not on it."""
    last = _last_landing(reader)
    tip = refs.read(target) if last else None
    if not last or (tip is not None and is_ancestor(git, last, tip)):
        return
    branch = target.removeprefix("refs/heads/")
    raise CtoError(
        f"{branch} no longer holds what landed ({last[:12]})",
        f"put it back with `git branch --force {branch} {last}`, then run again",
    )


def _last_landing(reader: LedgerReader) -> str:
    for stored in reader.events(newest_first=True):
        if isinstance(stored.event.body, LandingDone):
            return stored.event.body.commit
    return ""


def _claims(git: Git, team: Team, tip: str, since: str) -> Iterator[Unknown]:
    """Yield the commits that name a task and an execution in their trailers."""
    trailers = "".join(
        f"%(trailers:key={key},valueonly,separator=%x20)%n"
        for key in (TASK_TRAILER, EXECUTION_TRAILER)
    )
    arguments = ["log", "-z", "--no-show-signature", f"--format=%H%n{trailers}"]
    arguments += ["--fixed-strings", f"--grep={EXECUTION_TRAILER}: "]
    arguments.append(f"--since=@{max(team.created_ms // 1000 - _DAY_S, 0)}")
    arguments += [tip, *([f"^{since}"] if since else []), "--"]
    for record in git.run(*arguments).out.decode("utf-8", "replace").split("\0"):
        commit, task, execution, *_ = [*record.split("\n"), "", "", ""]
        if task and execution:
            yield Unknown(commit, task.strip(), execution.strip())


def _is_news(reader: LedgerReader, found: Unknown) -> bool:
    """Tell whether a commit is work of this team's that is not done, as far as the ledger knows."""
    view = reader.view()
    task, execution = view.task(found.task), view.execution(found.execution)
    if task is None or task.state is TaskState.DONE:
        return False
    if execution is None:
        return True
    return execution.state in {TaskState.DISPATCHING, TaskState.EXECUTING} or (
        execution.state is TaskState.VALIDATING and execution.landing is None
    )


def _knows(reader: LedgerReader, team: str, found: Unknown) -> bool:
    with LedgerReader(reader.repository, team) as other:
        return other.view().execution(found.execution) is not None
