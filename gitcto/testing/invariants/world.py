"""What the world shows beside the ledger: S6, S8, S10, S12, S13, and that no work is lost."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gitcto.testing.invariants.leases import Found
from gitcto.testing.invariants.records import Observed, TargetCommit
from gitcto.testing.invariants.seen import ExecutionSeen, Seen


def of_world(seen: Seen, ids: Collection[str], observed: Observed) -> Iterator[Found]:
    """Check what was observed against what the ledger says."""
    if observed.projection:
        yield "S6", observed.projection
    yield from (("S7", problem) for problem in observed.chain)
    lost = sorted(set(observed.acknowledged).difference(ids))
    yield from (("S8", f"event {each} was acknowledged and is not there") for each in lost)
    if observed.target is not None:
        yield from _of_target(seen, observed.target)
    for name in sorted(observed.unproved):
        yield "S10", f"{name} is done, and the ledger does not hold its evidence"
    yield from (("S11", each) for each in observed.outside)
    for name in sorted(observed.alive):
        x = seen.executions.get(name)
        if x is None or x.stage == "over":
            yield "S12", f"a process of {name} is alive"
    yield from _of_work(seen, observed.unreachable)


def at_rest(seen: Seen, observed: Observed) -> Iterator[Found]:
    """Check that nothing is left of what is over."""
    for name, what in sorted(observed.left.items()):
        x = seen.executions.get(name)
        if x is None or x.stage == "over":
            yield "S13", f"of {name} there is left: {what}"
    yield from (("S13", f"a stale lock: {each}") for each in observed.locks)


def _of_work(seen: Seen, unreachable: Collection[str]) -> Iterator[Found]:
    if not unreachable:
        return
    for name, x in seen.executions.items():
        made = {x.work if x.changed else "", *x.kept.values()} - {"", *x.given_up.values()}
        if not x.done and not x.given_up:
            yield from (
                ("P1", f"what {name} made is on no ref ({commit[:12]})")
                for commit in sorted(made.intersection(unreachable))
            )


def _of_target(seen: Seen, history: Collection[TargetCommit]) -> Iterator[Found]:
    """Walk the target: each commit is a landing of the ledger, or of somebody it knows of."""
    owners: dict[str, str] = {}
    before = ""
    for commit in history:
        for name in commit.executions:
            if name in owners:
                yield "S4", f"{name} landed as {owners[name][:12]} and as {commit.commit[:12]}"
            owners[name] = commit.commit
        yield from _of_commit(seen, commit, before)
        before = commit.commit
    there = {commit.commit for commit in history}
    for commit_id, name in seen.landed.items():
        if commit_id not in there:
            yield "S10", f"{name} is done, and {commit_id[:12]} is not on the target"


def _of_commit(seen: Seen, commit: TargetCommit, before: str) -> Iterator[Found]:
    short = commit.commit[:12]
    name = seen.landed.get(commit.commit)
    if name is None:
        for claimed in commit.executions:
            x = seen.executions.get(claimed)
            if x is not None and commit.commit not in seen.known_tips and not _lands(x, commit):
                yield "S10", f"the target holds {short} of {claimed}, which no landing says"
        return
    x = seen.executions[name]
    if name not in commit.executions or x.task not in commit.tasks:
        yield "S10", f"{short} landed for {name} and does not name it"
    if before and before not in seen.known_tips and before not in seen.landed:
        yield "S10", f"{name} landed on {before[:12]}, which the queue did not know"


def _lands(x: ExecutionSeen, commit: TargetCommit) -> bool:
    """Tell whether a commit is being landed, or is known as one that somebody rewrote."""
    landing = x.landing
    return x.reason == "target_rewritten" or (
        landing is not None and commit.commit in {landing.commit, landing.new}
    )
