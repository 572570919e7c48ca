"""What is true after a play, asked of git, the ledger and the process table, not of the runs."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gitcto.model.records import Task, TaskState
from gitcto.store.reader import LedgerReader
from gitcto.testing.chaos.scratch import ATTEMPTS, BRANCH, TEAM, Clone, Scratch, work
from gitcto.testing.chaos.strays import strays
from gitcto.testing.invariants import check_repository

_TASK = "--format=%H %(trailers:key=Cto-Task,valueonly,separator=%x2C)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found. All three lists, and ``wrong``, must be empty.

    ``lost``: work that a worker had written and no ref reaches; ``doubled``: tasks that landed more
    than once; ``false``: tasks that are done, and whose work the branch does not hold.
    ``wrong`` says everything else that is not as it must be, one line each.
    """

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    false: tuple[str, ...]
    wrong: tuple[str, ...]
    tasks: tuple[Task, ...]
    kinds: Counter[str]


def look(scratch: Scratch) -> Findings:
    """Look at the first clone, to which everything must have come, and at the machine."""
    clone = scratch.clones[0]
    with LedgerReader(clone.repository, TEAM) as reader:
        tasks = tuple(reader.tasks())
        kinds = Counter(stored.event.kind for stored in reader.events())
    landed = [line.split(" ", 1) for line in _log(clone)]
    finished = all(task.state is TaskState.DONE for task in tasks)
    return Findings(
        lost=tuple(_lost(scratch)),
        doubled=tuple(
            name for name, count in Counter(name for _, name in landed).items() if count > 1
        ),
        false=tuple(_false(clone, tasks, landed)),
        wrong=(*_unsound(clone), *_violations(clone, finished=finished), *_strays(scratch)),
        tasks=tasks,
        kinds=kinds,
    )


def _log(clone: Clone) -> list[str]:
    return [line for line in clone.git("log", _TASK, f"main..{BRANCH}", "--").splitlines() if line]


def _lost(scratch: Scratch) -> Iterator[str]:
    """Name every piece of work that was finished and that no ref of any clone reaches."""
    reachable: set[str] = set()
    for clone in scratch.clones:
        listed = clone.git("rev-list", "--objects", "--all").splitlines()
        reachable.update(line.split(" ", 1)[0] for line in listed)
    for told in _witnessed(scratch):
        if _blob(work(told["task"], told["attempt"])) not in reachable:
            yield f"{told['path']} of {told['task']}, attempt {told['attempt']}"


def _witnessed(scratch: Scratch) -> Iterator[Any]:
    for path in sorted(scratch.witness.iterdir()):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def _blob(text: str) -> str:
    """Return git's name for a file with this text."""
    data = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # noqa: S324 - git's choice


def _false(clone: Clone, tasks: tuple[Task, ...], landed: list[list[str]]) -> Iterator[str]:
    commits = {name: commit for commit, name in landed}
    done = {task.spec.id for task in tasks if task.state is TaskState.DONE}
    for name in sorted(done - set(commits)):
        yield f"{name} is done and not on the branch"
    for name in sorted(set(commits) - done):
        yield f"{name} is on the branch and not done"
    for name in sorted(done & set(commits)):
        tree = clone.git("ls-tree", "-r", commits[name]).splitlines()
        blobs = {line.split()[2] for line in tree}
        if not blobs & {_blob(work(name, number + 1)) for number in range(ATTEMPTS)}:
            yield f"{name} is done, and its commit {commits[name][:12]} lacks its work"


def _unsound(clone: Clone) -> Iterator[str]:
    checked = clone.call("git", "fsck", "--full", "--strict", "--no-dangling")
    if checked.returncode:
        yield f"git fsck: {checked.stdout}{checked.stderr}".strip()
    with LedgerReader(clone.repository, TEAM) as reader:
        tip = reader.tip()
    from gitcto.store.verify import verify_chain

    yield from verify_chain(clone.repository, f"refs/cto/teams/{TEAM}/ledger", tip)
    left = clone.git("for-each-ref", "--format=%(refname)", f"refs/cto/teams/{TEAM}/executions")
    if left:
        yield f"refs of settled executions are left: {left}"


def _violations(clone: Clone, *, finished: bool) -> Iterator[str]:
    """Check the invariants of every history; a finished team must have cleared everything away."""
    for each in check_repository(clone.path, TEAM, quiescent=finished):
        yield f"{each.invariant} at event {each.seq}: {each.detail}"


def _strays(scratch: Scratch) -> Iterator[str]:
    for pid in strays(scratch.place):
        yield f"process {pid} of an ended run is alive"
