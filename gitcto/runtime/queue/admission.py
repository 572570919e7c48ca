"""Admitting harvested work to the merge queue: the change on its own base, and its change gates."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from gitcto.git.change import Change
from gitcto.model.records import Execution, Task
from gitcto.runtime.core.candidate import Candidate
from gitcto.runtime.core.jobs import Job, Post
from gitcto.runtime.core.judged import Known
from gitcto.runtime.core.queue_messages import Admitted
from gitcto.runtime.core.queue_values import Entry
from gitcto.runtime.core.world import Bench

MOST_PATHS = 100
"""A change of more files is recorded by its directories."""


def admission(bench: Bench, task: Task, execution: Execution, known: Known) -> Job:
    """Return the job that judges an execution's change on its own base."""

    def job(post: Post) -> None:
        change = candidate(bench, task, execution)
        judged = bench.judge_change(change, known)
        red = any(one.verdict.status != "pass" for one in judged)
        evidence, unwritten = bench.bundle(change, judged) if red else ("", "")
        post(
            Admitted(
                entry=Entry(candidate=change, judged=tuple(judged)),
                lines=bench.changed_lines(execution.base, execution.tree),
                evidence=evidence,
                unwritten=unwritten,
            )
        )

    return job


def candidate(bench: Bench, task: Task, execution: Execution) -> Candidate:
    """Return an execution's work as a change on its own base."""
    changed = bench.changes(execution.base, execution.tree)
    return Candidate(
        task=task,
        execution=execution,
        onto=execution.base,
        tree=execution.tree,
        changes=changed,
        change=bench.change_id(execution.base, execution.tree, changed),
    )


def touched(changed: Iterable[Change]) -> tuple[str, ...]:
    """Return the paths of a change as the queue knows them: directories when there are many."""
    raw = (each.path.encode("utf-8", "surrogateescape") for each in changed)
    names = [path.decode("utf-8", "replace") for path in raw]
    if len(names) > MOST_PATHS:
        names = [f"{PurePosixPath(name).parent}/" for name in names]
    if len(set(names)) > MOST_PATHS:
        names = [f"{PurePosixPath(name).parts[0]}/" for name in names]
    return tuple(sorted(set(names))[:MOST_PATHS])
