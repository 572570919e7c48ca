"""Ledgers of any length, written at once: the lives of many tasks, as a run would record them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, count, islice

from bench.repositories import Place, fast_import
from gitcto.model import events as ev
from gitcto.model.codec import GENESIS, digest, seal
from gitcto.model.records import Decision, Landing, TaskSpec, TaskState, Verdict
from gitcto.store.chain import ledger_ref

TEAM = "main"
REF = ledger_ref(TEAM)
TARGET = "refs/heads/cto/main/integration"
LIVE, FAILED, READY = 6, 4, 20
"""What every history leaves: what is worked on, what waits for a person, what could start."""

_START_MS = 1_700_000_000_000
_DIGEST = "d" * 64
_ALLOW = Decision(
    action="dispatch",
    resource="task",
    subject="ada@example.com/run",
    rule="roles.developer",
    policy=_DIGEST,
    inputs={"role": "developer", "tier": "P1", "live": "3"},
    verdict="allow",
    reason="the role may work on it",
)


def write_history(place: Place, events: int, per_commit: int) -> None:
    """Write a ledger of exactly ``events`` events into git, ``per_commit`` in each commit."""
    fast_import(place, _commits(lines(events), per_commit))


def lines(events: int) -> Iterator[bytes]:
    """Yield the chained lines of a history."""
    prev, ids = GENESIS, count(1)

    def new_id() -> str:
        return f"{next(ids):026d}"

    for number, body in enumerate(bodies(events)):
        now_ms = _START_MS + number
        header = partial(seal, prev=prev, actor="ada@example.com", now_ms=now_ms)
        ((_, line),) = header((body,), new_id=new_id)
        prev = digest(line)
        yield line


def bodies(events: int) -> Iterator[ev.EventBody]:
    """Yield what happened: whole lives of tasks, and at the end some that are not over."""
    begin = (ev.TeamCreated(team=TEAM, target=TARGET), ev.PolicyAdopted(digest=_DIGEST))
    numbers = count(1)
    ending = list(_open_ends(numbers))
    fill = events - len(begin) - len(ending)
    past = chain.from_iterable(_landed(number) for number in numbers)
    whole = fill - fill % len(list(_landed(0)))
    live = f"{LIVE:026d}"
    renewals = (
        ev.LeaseRenewed(execution=live, epoch=1, expires_ms=_START_MS + n)
        for n in range(fill - whole)
    )
    return chain(begin, islice(past, whole), ending, renewals)


def _open_ends(numbers: Iterator[int]) -> Iterator[ev.EventBody]:
    for number in islice(numbers, LIVE):
        yield from _worked_on(number)
    for number in islice(numbers, FAILED):
        yield from _worked_on(number)
        yield ev.ExecutionExited(execution=_execution(number), epoch=1, code=1, cause="exited")
        yield ev.ExecutionFailed(
            execution=_execution(number),
            epoch=1,
            reason="worker_exit",
            detail="the worker ended with code 1",
            charged=True,
            then=TaskState.FAILED_TERMINAL,
        )
    for number in islice(numbers, READY):
        yield _added(number)


def _added(number: int) -> ev.EventBody:
    title = f"Do the thing that is number {number} of the plan"
    return ev.TaskAdded(task=TaskSpec(id=f"T-{number}", title=title, paths=("src/**",)))


def _execution(number: int) -> str:
    return f"{number:026d}"


def _worked_on(number: int) -> Iterator[ev.EventBody]:
    execution = _execution(number)
    yield _added(number)
    yield ev.ExecutionLeased(
        execution=execution,
        task=f"T-{number}",
        epoch=1,
        attempt=1,
        base=f"{number:040x}",
        provider="scripted",
        role="developer",
        workspace="clone",
        holder="ada@example.com/run",
        expires_ms=_START_MS + 60_000,
        decision=_ALLOW,
    )
    yield ev.ExecutionStarted(
        execution=execution, epoch=1, pid=number, process_start=f"boot:{number}", isolation="none"
    )


def _landed(number: int) -> Iterator[ev.EventBody]:
    """Yield the whole life of a task that landed at its first attempt."""
    execution, tree = _execution(number), f"{number + (1 << 60):040x}"
    yield from _worked_on(number)
    yield ev.ExecutionExited(execution=execution, epoch=1, code=0, cause="exited")
    yield ev.WorkHarvested(
        execution=execution, epoch=1, commit=f"{number + (1 << 61):040x}", tree=tree, changed=1
    )
    for gate in ("nonempty", "tests"):
        verdict = Verdict(gate=gate, status="pass", reason="", tree=tree, definition=_DIGEST)
        yield ev.GateJudged(execution=execution, epoch=1, verdict=verdict)
    landing = Landing(
        target=TARGET, old=f"{number:040x}", new=f"{number + 1:040x}", tree=tree, evidence=tree
    )
    yield ev.LandingIntended(execution=execution, epoch=1, landing=landing, decision=_ALLOW)
    yield ev.LandingDone(
        execution=execution,
        epoch=1,
        target=TARGET,
        commit=landing.new,
        evidence=tree,
        found="moved",
        decision=_ALLOW,
    )


def _commits(events: Iterable[bytes], per_commit: int) -> Iterator[bytes]:
    remaining = iter(events)
    for number in count():
        part = list(islice(remaining, per_commit))
        if not part:
            return
        seconds = (_START_MS + number) // 1000
        subject = b"team main: %d events" % len(part)
        message = b"\n".join([subject, b"", *part, b""])
        signature = b"git-cto <git-cto@localhost> %d +0000" % seconds
        head = b"commit %s\nauthor %s\ncommitter %s\n" % (REF.encode(), signature, signature)
        yield b"%sdata %d\n%s\n" % (head, len(message), message)
