"""The commits a run makes: one per attempt, and the one that lands."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gitcto.git.objects import Commit, Signature
from gitcto.model.records import Execution, TaskSpec
from gitcto.runtime.core.candidate import Candidate
from gitcto.runtime.host.context import Context

TASK_TRAILER = "Cto-Task"
EXECUTION_TRAILER = "Cto-Execution"
EVIDENCE_TRAILER = "Cto-Evidence"
TIER_TRAILER = "Cto-Tier"
COAUTHOR_TRAILER = "Co-authored-by"

_SUBJECT_LIMIT = 100


def subject(task: TaskSpec) -> str:
    """Return ``<TASK-ID>: <summary>`` as one line."""
    line = f"{task.id}: {' '.join(task.title.split())}"
    return line if len(line) <= _SUBJECT_LIMIT else line[: _SUBJECT_LIMIT - 1].rstrip() + "…"


def message(
    task: TaskSpec, execution: Execution, evidence: str = "", coauthors: Iterable[str] = ()
) -> str:
    """Return a commit's whole message: subject and trailers."""
    trailers = [
        f"{TASK_TRAILER}: {task.id}",
        f"{EXECUTION_TRAILER}: {execution.id}",
        f"{TIER_TRAILER}: {task.tier}",
    ]
    if evidence:
        trailers.append(f"{EVIDENCE_TRAILER}: {evidence}")
    trailers += [f"{COAUTHOR_TRAILER}: {person}" for person in coauthors]
    return "\n".join([subject(task), "", *trailers, ""])


def author(execution: Execution) -> Signature:
    """Return the agent's signature: the provider, at the time its lease began.

    The time is the lease's, so that taking up the same tree twice gives the same commit.
    """
    name = re.sub(r"[^A-Za-z0-9 ._-]", "", execution.provider) or "worker"
    address = f"{name.replace(' ', '-')}@workers.git-cto.localhost"
    return Signature(f"{name} ({execution.role})", address, execution.leased_ms // 1000)


def attempt_commit(
    context: Context,
    task: TaskSpec,
    execution: Execution,
    tree: str,
    coauthors: Iterable[str] = (),
) -> str:
    """Write the commit that holds an attempt's work on its base, and return its id."""
    commit = Commit(
        tree=tree,
        parents=(execution.base,),
        author=author(execution),
        committer=context.committer(execution.leased_ms // 1000),
        message=message(task, execution, coauthors=coauthors),
    )
    return context.objects.write("commit", commit.encode())


def ignored_commit(context: Context, execution: Execution, tree: str, work: str) -> str:
    """Write the commit that adds ignored files to work that does not land, and return its id."""
    commit = Commit(
        tree=tree,
        parents=(work,),
        author=author(execution),
        committer=context.committer(execution.leased_ms // 1000),
        message=f"{execution.task}: ignored files, kept as policy asks\n",
    )
    return context.objects.write("commit", commit.encode())


def layer_commit(context: Context, candidate: Candidate) -> str:
    """Write a commit on which the next change can be merged; nothing ever refers to it."""
    commit = Commit(
        tree=candidate.tree,
        parents=(candidate.onto,),
        author=author(candidate.execution),
        committer=context.committer(candidate.execution.leased_ms // 1000),
        message=f"{subject(candidate.task.spec)}\n",
    )
    return context.objects.write("commit", commit.encode())


def landing_commit(context: Context, candidate: Candidate, evidence: str) -> str:
    """Write the commit that would land: the merged tree on the target's tip.

    Whoever made the attempt's commit made this one.
    """
    _, work = context.objects.read(candidate.execution.work)
    coauthors = Commit.decode(work).trailers().get(COAUTHOR_TRAILER, [])
    _, parent = context.objects.read(candidate.onto)
    parent_seconds = Commit.decode(parent).committer.seconds
    seconds = max(context.effects.now_ms() // 1000, parent_seconds)
    commit = Commit(
        tree=candidate.tree,
        parents=(candidate.onto,),
        author=author(candidate.execution),
        committer=context.committer(seconds),
        message=message(candidate.task.spec, candidate.execution, evidence, coauthors),
    )
    return context.objects.write("commit", commit.encode())
