"""The world around the ledger, as small as it can be and still go wrong in every way."""

from __future__ import annotations

from typing import NamedTuple

from gitcto.model import commands as cmd
from gitcto.model import queue_commands as queue_cmd
from gitcto.model.records import Decision, Execution, Landing, TaskSpec, Verdict

TARGET = "refs/heads/cto/main/integration"
START = "start"
LEASE_MS = 2_000
"""When every lease is over at first."""


class Clone(NamedTuple):
    """One clone's run: ``job`` is the landing under way, ``look`` what it saw of another's lease.

    A job is the commit to move to, and ``pending``, ``moved`` or ``not``; a look is an execution,
    the end of its lease, and whether what it would land was there.
    """

    run: int = 1
    up: bool = True
    job: tuple[str, str] | None = None
    look: tuple[str, int, bool] | None = None


class World(NamedTuple):
    """A state of everything. ``started`` are the executions whose worker was there."""

    ledger: int
    target: tuple[str, ...]
    started: tuple[str, ...]
    clones: tuple[Clone, ...]
    crashes: int
    strangers: int


class Setting(NamedTuple):
    """What is explored: how many clones and attempts, and which task needs the other."""

    name: str
    clones: int = 1
    epochs: tuple[int, int] = (3, 3)
    crashes: int = 2
    strangers: int = 1
    seats: int = 2
    chained: bool = False
    outside: bool = False

    @property
    def tasks(self) -> tuple[TaskSpec, ...]:
        """The two tasks."""
        needs = ("a",) if self.chained else ()
        return (TaskSpec(id="a", title="a"), TaskSpec(id="b", title="b", depends_on=needs))

    @property
    def shared(self) -> bool:
        """Whether several clones run the team, and a remote has the last word."""
        return self.clones > 1


def holder(clone: int, run: int) -> str:
    """Return the name of a clone's run in leases."""
    return f"u/{clone}/{run}"


def origin(execution: str) -> int:
    """Return the clone that leased an execution and has its room."""
    return int(execution[-1])


def allow(action: str, subject: str, **inputs: str) -> Decision:
    """Return a decision of policy that allows."""
    return Decision(
        action=action,
        resource="",
        subject=subject,
        rule="r",
        policy="p",
        inputs=inputs,
        verdict="allow",
        reason="",
    )


def lease(task: str, epoch: int, who: tuple[int, int], seats: int) -> cmd.Lease:
    """Return a clone's claim of a task."""
    me = holder(*who)
    name = f"{task}{epoch}.{who[0]}"
    return cmd.Lease(
        task=task,
        execution=name,
        base=START,
        provider="fake",
        role="developer",
        workspace="clone",
        holder=me,
        expires_ms=LEASE_MS,
        max_workers=seats,
        decision=allow("dispatch", me, max_workers=str(seats)),
        nonce=name,
    )


def started(x: Execution) -> cmd.RecordStart:
    """Return that the worker's process is there."""
    return cmd.RecordStart(
        execution=x.id, epoch=x.epoch, pid=1, process_start="1", isolation="strict"
    )


def worked(x: Execution) -> cmd.Together:
    """Return that the worker is gone and its work was taken up."""
    return cmd.Together(
        (
            cmd.RecordExit(execution=x.id, epoch=x.epoch, code=0, cause="exited"),
            cmd.RecordHarvest(
                execution=x.id, epoch=x.epoch, commit=f"work {x.id}", tree=f"tree {x.id}", changed=1
            ),
        )
    )


def renewed(x: Execution) -> cmd.RenewLease:
    """Return a longer lease."""
    return cmd.RenewLease(execution=x.id, epoch=x.epoch, expires_ms=x.expires_ms + 1)


def with_old_token(x: Execution) -> cmd.RenewLease:
    """Return a longer lease under the token before its own."""
    return cmd.RenewLease(execution=x.id, epoch=x.epoch - 1, expires_ms=x.expires_ms + 9)


def stale(x: Execution) -> cmd.RenewLease:
    """Return a renewal that came too late to be one."""
    return cmd.RenewLease(execution=x.id, epoch=x.epoch, expires_ms=x.expires_ms - 1)


def outside(x: Execution) -> cmd.RecordOutside:
    """Return that something outside its room was different afterwards."""
    return cmd.RecordOutside(execution=x.id, changes=("a file",), blocking=True)


def asked(task: str) -> cmd.RequeueTask:
    """Return that a person wants another attempt."""
    return cmd.RequeueTask(task=task)


def blocked(task: str) -> cmd.BlockTask:
    """Return that policy denied it."""
    return cmd.BlockTask(task=task, reason="denied", decision=allow("dispatch", "u"))


def taken(x: Execution, me: str, lapsed_ms: int = 0) -> cmd.TakeLease:
    """Return that another run goes on with it."""
    expires_ms = x.expires_ms + bool(lapsed_ms)
    return cmd.TakeLease(
        execution=x.id, epoch=x.epoch, holder=me, expires_ms=expires_ms, lapsed_ms=lapsed_ms
    )


def failed(x: Execution, reason: str = "red", *, charged: bool = True) -> cmd.FailExecution:
    """Return the end of an attempt."""
    return cmd.FailExecution(
        execution=x.id, epoch=x.epoch, reason=reason, detail="", charged=charged, max_attempts=3
    )


def kept(x: Execution) -> cmd.RecordPreserved:
    """Return that what it made is kept."""
    return cmd.RecordPreserved(execution=x.id, ref=f"preserved/{x.id}", commit=x.work)


def ended(x: Execution) -> cmd.Together:
    """Return the end of an attempt, and before it that its work is kept."""
    keeping = (kept(x),) if x.work and not x.preserved else ()
    return cmd.Together((*keeping, failed(x)))


def commits(group: tuple[Execution, ...], old: str) -> tuple[str, ...]:
    """Return the commits of executions that land by one move, each on the one before it."""
    made, onto = [], old
    for x in group:
        onto = f"{x.id}@{onto}"
        made.append(onto)
    return tuple(made)


def intents(group: tuple[Execution, ...], old: str, me: str, judged: str = "") -> cmd.Together:
    """Return what is recorded before a move; ``judged`` is a tree that is not the one to land."""
    made = commits(group, old)
    commands: list[cmd.SingleCommand] = []
    for x, commit in zip(group, made, strict=True):
        landing = _landing(x, old, commit, made[-1])
        verdict = Verdict(
            gate="tests", status="pass", reason="", tree=judged or landing.tree, definition="d"
        )
        commands += [
            queue_cmd.Enqueue(execution=x.id, epoch=x.epoch, change=landing.change, enqueued_ms=0),
            cmd.RecordVerdicts(execution=x.id, epoch=x.epoch, verdicts=(verdict,)),
            cmd.IntendLanding(
                execution=x.id,
                epoch=x.epoch,
                landing=landing,
                required=("tests",),
                decision=allow("landing", me),
            ),
        ]
    return cmd.Together(tuple(commands))


def _landing(x: Execution, old: str, commit: str, new: str) -> Landing:
    return Landing(
        target=TARGET,
        old=old,
        new=new,
        tree=f"tree {commit}",
        evidence=f"evidence {commit}",
        commit=commit,
        change=f"change {x.id}",
    )


def all_renewed(group: tuple[Execution, ...]) -> cmd.Together:
    """Return longer leases of what is about to land."""
    return cmd.Together(tuple(map(renewed, group)))


def all_confirmed(group: tuple[Execution, ...], me: str) -> cmd.Together:
    """Return that the target holds all that land by one move."""
    return cmd.Together(tuple(confirmed(x, me) for x in group))


def all_abandoned(group: tuple[Execution, ...]) -> cmd.Together:
    """Return that it holds none of them."""
    return cmd.Together(tuple(map(abandoned, group)))


def given_up(
    group: tuple[Execution, ...], me: str, lapsed_ms: int, *, landed: bool
) -> cmd.Together:
    """Return the end of what another clone held, as its swap was seen."""
    taking = tuple(taken(x, me, lapsed_ms) for x in group)
    if landed:
        return cmd.Together((*taking, *(confirmed(x, me) for x in group)))
    given = tuple(abandoned(x) for x in group if x.landing is not None)
    lost = (failed(x, "holder_lost", charged=False) for x in group)
    return cmd.Together((*taking, *given, *lost))


def confirmed(x: Execution, me: str) -> cmd.ConfirmLanding:
    """Return that the target holds it."""
    return cmd.ConfirmLanding(
        execution=x.id, epoch=x.epoch, found="moved", decision=allow("done", me)
    )


def abandoned(x: Execution) -> cmd.AbandonLanding:
    """Return that the target does not, and will not by this intent."""
    return cmd.AbandonLanding(execution=x.id, epoch=x.epoch, reason="target_moved")
