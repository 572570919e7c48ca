"""A ledger told event by event, as a sound team would write it, to be spoiled by tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from gitcto.model import events as ev
from gitcto.model import queue_events as qe
from gitcto.model.codec import GENESIS, Event, digest, encode
from gitcto.model.records import Decision, Landing, TaskSpec, TaskState, Verdict
from gitcto.model.step_events import StepEnded, StepStarted
from gitcto.testing.invariants import Observed, TargetCommit, Violation, check

TARGET = "refs/heads/cto/main/integration"
HOLDER = "ada@here/clone1/run1"
SECOND = 1_000

Story = list[ev.EventBody]


def allowed(action: str, holder: str = HOLDER, **inputs: str) -> Decision:
    return Decision(
        action=action,
        resource="x",
        subject=holder,
        rule="r",
        policy="p",
        inputs=inputs,
        verdict="allow",
        reason="",
    )


def leased(execution: str, task: str, epoch: int = 1, **fields: Any) -> ev.ExecutionLeased:
    given: dict[str, Any] = {
        "attempt": epoch,
        "base": "0" * 40,
        "provider": "fake",
        "role": "developer",
        "workspace": "clone",
        "holder": HOLDER,
        "expires_ms": 60 * SECOND,
        "decision": allowed("dispatch", max_workers="2"),
        "nonce": f"nonce {execution}",
    }
    return ev.ExecutionLeased(execution=execution, task=task, epoch=epoch, **given | fields)


def step_begun(number: int, seat: str = "main") -> StepStarted:
    return StepStarted(
        execution="x1", epoch=1, number=number, name="n", role="r", provider="p", seat=seat
    )


def step_over(number: int, verdict: Any = "") -> StepEnded:
    return StepEnded(execution="x1", epoch=1, number=number, verdict=verdict)


def worked(execution: str, epoch: int = 1) -> Story:
    of = {"execution": execution, "epoch": epoch}
    return [
        ev.ExecutionStarted(**of, pid=1, process_start="1", isolation="strict"),
        ev.ExecutionExited(**of, code=0, cause="exited"),
        ev.WorkHarvested(**of, commit=f"work {execution}", tree=f"tree {execution}", changed=1),
    ]


def landing(execution: str, old: str, new: str = "") -> Landing:
    return Landing(
        target=TARGET,
        old=old,
        new=new or f"commit {execution}",
        tree=f"merged {execution}",
        evidence=f"evidence {execution}",
        commit=f"commit {execution}",
        change=f"change {execution}",
    )


def judged(execution: str, epoch: int = 1, status: Any = "pass") -> ev.GateJudged:
    verdict = Verdict(
        gate="tests", status=status, reason="", tree=f"merged {execution}", definition="d"
    )
    return ev.GateJudged(execution=execution, epoch=epoch, verdict=verdict)


def intended(execution: str, old: str, epoch: int = 1, new: str = "") -> ev.LandingIntended:
    return ev.LandingIntended(
        execution=execution,
        epoch=epoch,
        landing=landing(execution, old, new),
        decision=allowed("landing"),
    )


def done(execution: str, epoch: int = 1) -> ev.LandingDone:
    return ev.LandingDone(
        execution=execution,
        epoch=epoch,
        target=TARGET,
        commit=f"commit {execution}",
        evidence=f"evidence {execution}",
        found="moved",
        decision=allowed("done"),
    )


def failed(execution: str, epoch: int = 1, **fields: Any) -> ev.ExecutionFailed:
    given: dict[str, Any] = {"reason": "red", "charged": True, "then": TaskState.QUEUED}
    return ev.ExecutionFailed(execution=execution, epoch=epoch, detail="", **given | fields)


def begun(*needs: str) -> Story:
    return [
        ev.TeamCreated(team="main", target=TARGET),
        ev.PlanImported(source="s", digest="d", tasks=2),
        ev.TaskAdded(task=TaskSpec(id="A", title="a")),
        ev.TaskAdded(task=TaskSpec(id="B", title="b", depends_on=needs)),
        qe.QueueOpened(),
    ]


def story() -> Story:
    """Two tasks: the second waits for the first, fails once and is tried again."""
    return [
        *begun("A"),
        leased("x1", "A"),
        ev.LeaseRenewed(execution="x1", epoch=1, expires_ms=90 * SECOND),
        *worked("x1"),
        judged("x1"),
        intended("x1", "start"),
        done("x1"),
        leased("x2", "B"),
        *worked("x2"),
        judged("x2", status="fail"),
        ev.WorkPreserved(execution="x2", ref="refs/cto/preserved/x2", commit="work x2"),
        failed("x2"),
        leased("x3", "B", 2),
        *worked("x3", 2),
        judged("x3", 2),
        intended("x3", "commit x1", 2),
        done("x3", 2),
    ]


def history(*executions: str) -> tuple[TargetCommit, ...]:
    """Return a target that holds the commits of executions on its first one."""
    tasks = {"x1": "A", "x2": "B", "x3": "B"}
    landed = (
        TargetCommit(commit=f"commit {x}", executions=(x,), tasks=(tasks[x],)) for x in executions
    )
    return (TargetCommit(commit="start"), *landed)


def events(bodies: Iterable[ev.EventBody]) -> list[Event]:
    """Chain a story: an event each second."""
    made: list[Event] = []
    prev = GENESIS
    for number, body in enumerate(bodies, 1):
        v, ts = type(body).VERSION, number * SECOND
        event = Event(id=f"id {number}", ts=ts, actor="ada@here", prev=prev, v=v, body=body)
        prev = digest(encode(event))
        made.append(event)
    return made


def found(
    bodies: Iterable[ev.EventBody], observed: Observed | None = None, *, quiescent: bool = False
) -> set[str]:
    """Return the names of the invariants that a story breaks."""
    return names(check(events(bodies), observed or Observed(), quiescent=quiescent))


def names(violations: Iterable[Violation]) -> set[str]:
    return {violation.invariant for violation in violations}


Spoil = Callable[[Story], Story]


def after(kind: type, *more: ev.EventBody, nth: int = 1) -> Spoil:
    """Return what puts more events behind the n-th of a kind."""

    def spoil(bodies: Story) -> Story:
        at = [n for n, body in enumerate(bodies) if isinstance(body, kind)][nth - 1]
        return [*bodies[: at + 1], *more, *bodies[at + 1 :]]

    return spoil


def without(kind: type, nth: int = 1) -> Spoil:
    """Return what leaves the n-th event of a kind out."""

    def spoil(bodies: Story) -> Story:
        at = [n for n, body in enumerate(bodies) if isinstance(body, kind)][nth - 1]
        return [*bodies[:at], *bodies[at + 1 :]]

    return spoil


def changed(kind: type, nth: int = 1, **fields: Any) -> Spoil:
    """Return what gives the n-th event of a kind other fields."""

    def spoil(bodies: Story) -> Story:
        at = [n for n, body in enumerate(bodies) if isinstance(body, kind)][nth - 1]
        return [*bodies[:at], replace(bodies[at], **fields), *bodies[at + 1 :]]

    return spoil
