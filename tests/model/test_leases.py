"""Leases that end early and work that comes late, as decided and folded: no clock, no process."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gitcto.model import lease_events as lease
from gitcto.model.codec import GENESIS, seal
from gitcto.model.commands import (
    CreateTeam,
    FailExecution,
    ImportPlan,
    Lease,
    RecordExit,
    RecordHarvest,
    RecordOutside,
    RecordPreserved,
    RecordStart,
    Refusal,
    RenewLease,
    RequeueTask,
    SetMode,
    SingleCommand,
)
from gitcto.model.decide import Answer, decide
from gitcto.model.evolve import evolve
from gitcto.model.lease_commands import AdoptWork, ExpireLease, StealLease, StopTask
from gitcto.model.records import Decision, TaskSpec, TaskState, TeamMode
from gitcto.model.state import State

ALLOW = Decision(
    action="adopt",
    resource="A",
    subject="t",
    rule="retries.adopt_late",
    policy="0",
    inputs={},
    verdict="allow",
    reason="",
)
SIGNS = lease.Signs(supervised=True, beat_ms=5, cpu="7", processes=2, output=3)


def run(state: State, *commands: SingleCommand) -> Any:
    """Carry commands out one by one; return the last one's events, or its refusal."""
    answer: Answer = ()
    for command in commands:
        answer = decide(state, command, 1000)
        if isinstance(answer, Refusal):
            return answer
        for event, _ in seal(answer, prev=GENESIS, actor="t", now_ms=1000, new_id=lambda: "i"):
            state.put(evolve(state, event, 1))
    return answer


def leased(execution: str = "x1", task: str = "A") -> Lease:
    return Lease(
        task=task,
        execution=execution,
        base="b" * 40,
        provider="fake",
        role="developer",
        workspace="clone",
        holder="ada@box/c1/r1",
        expires_ms=10**9,
        max_workers=6,
        decision=ALLOW,
        nonce=f"n-{execution}",
    )


def started(execution: str = "x1", epoch: int = 1) -> RecordStart:
    return RecordStart(
        execution=execution, epoch=epoch, pid=7, process_start="boot:1", isolation="strict"
    )


def expire(quiet_ms: int = 60_000, limit_ms: int = 60_000, **more: Any) -> ExpireLease:
    fields = {"execution": "x1", "epoch": 1, "signs": SIGNS, "max_attempts": 3, **more}
    return ExpireLease(quiet_ms=quiet_ms, limit_ms=limit_ms, **fields)


def steal(execution: str = "x1", epoch: int = 1) -> StealLease:
    return StealLease(execution=execution, epoch=epoch, by="bob", reason="gone", max_attempts=3)


def adopt(execution: str = "x9", **more: Any) -> AdoptWork:
    fields = {
        "source": "x1",
        "commit": "c" * 40,
        "tree": "d" * 40,
        "changed": 2,
        "holder": "ada@box/c1/r2",
        "expires_ms": 10**9,
        "nonce": "n9",
        "decision": ALLOW,
        **more,
    }
    return AdoptWork(execution=execution, **fields)


def working(*tasks: str) -> State:
    """Return a team whose first task has a worker."""
    specs = tuple(TaskSpec(id=name, title=name) for name in tasks or ("A",))
    state = State()
    run(
        state,
        CreateTeam(team="main", target="refs/heads/t"),
        ImportPlan(source="p", digest="0", tasks=specs),
        leased(),
        started(),
    )
    return state


def refused(state: State, command: SingleCommand) -> str:
    answer = run(state, command)
    assert isinstance(answer, Refusal)
    return answer.code


def test_a_lease_expires_on_silence_and_says_what_was_seen() -> None:
    state = working()
    bodies = run(state, expire(61_000))
    assert [type(each).__name__ for each in bodies] == ["LeaseExpired", "ExecutionFailed"]
    assert bodies[0].signs == SIGNS
    task, x = state.tasks["A"], state.executions["x1"]
    assert (task.state, task.charged, x.reason) == (TaskState.QUEUED, 0, "lease_expired")
    run(state, leased("x2"))
    assert state.tasks["A"].epoch == 2


@given(st.integers(-5, 200), st.integers(-5, 200))
def test_a_lease_expires_exactly_when_it_was_quiet_for_the_limit(quiet: int, limit: int) -> None:
    answer = run(working(), expire(quiet, limit))
    assert isinstance(answer, Refusal) == (limit <= 0 or quiet < limit)


def test_who_has_no_worker_cannot_expire() -> None:
    state = working()
    run(state, RecordExit(execution="x1", epoch=1, code=0, cause="exited"))
    assert refused(state, expire()) == "wrong_state"


def test_a_fenced_worker_neither_renews_nor_expires() -> None:
    state = working()
    run(state, steal())
    for command in (RenewLease(execution="x1", epoch=1, expires_ms=10**12), expire()):
        assert [type(b).__name__ for b in run(state, command)] == ["OutcomeRefused"]
    assert state.executions["x1"].expires_ms == 10**9


def test_stealing_fences_the_holder_and_queues_the_task() -> None:
    state = working()
    bodies = run(state, steal())
    assert bodies[0] == lease.LeaseStolen(
        execution="x1", epoch=1, holder="ada@box/c1/r1", by="bob", reason="gone"
    )
    assert state.tasks["A"].state is TaskState.QUEUED
    assert refused(state, steal()) == "not_held"
    run(state, leased("x2"))
    harvest = RecordHarvest(execution="x1", epoch=1, commit="c", tree="d", changed=1)
    assert [type(b).__name__ for b in run(state, harvest)] == ["OutcomeRefused"]


def test_a_token_that_is_over_steals_nothing() -> None:
    state = working()
    assert refused(state, steal(epoch=2)) == "not_held"
    assert refused(state, steal("x7")) == "no_execution"


def test_late_work_gets_a_token_of_its_own_and_is_judged() -> None:
    state = working()
    run(state, steal())
    bodies = run(state, adopt())
    names = [type(each).__name__ for each in bodies]
    assert names == ["ExecutionLeased", "WorkAdopted", "WorkHarvested"]
    x, source = state.executions["x9"], state.executions["x1"]
    assert (x.epoch, x.attempt, x.state) == (2, 2, TaskState.VALIDATING)
    assert (x.work, x.adopted, x.isolation) == ("c" * 40, "x1", "strict")
    assert source.late == "adopted: judged as attempt 2"
    assert state.tasks["A"].execution == "x9"
    assert run(state, adopt("x10")) == ()


def newer(state: State) -> None:
    run(state, leased("x2"))


def newer_with_work(state: State) -> None:
    newer(state)
    run(
        state,
        started("x2", 2),
        RecordPreserved(execution="x2", ref="r", commit="e" * 40),
        FailExecution(execution="x2", epoch=2, reason="r", detail="", charged=True, max_attempts=3),
    )


def stopped(state: State) -> None:
    run(state, SetMode(mode=TeamMode.STOPPED))


def blocked(state: State) -> None:
    run(state, StopTask(task="A"))


def changed_outside(state: State) -> None:
    run(state, RecordOutside(execution="x1", changes=("hook",), blocking=True))


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (newer, "newer_attempt"),
        (newer_with_work, "newer_work"),
        (stopped, "team_stopped"),
        (blocked, "task_ended"),
        (changed_outside, "outside_changed"),
    ],
)
def test_late_work_beside_something_newer_is_refused_and_remembered(
    happens: Any, reason: str
) -> None:
    state = working()
    run(state, steal())
    happens(state)
    bodies = run(state, adopt())
    assert [type(each).__name__ for each in bodies] == ["AdoptionRefused"]
    assert bodies[0].reason == reason
    assert state.executions["x1"].late.startswith(reason)
    assert run(state, adopt()) == ()


def test_a_newer_attempt_that_left_nothing_is_in_nobodys_way() -> None:
    state = working()
    run(state, steal(), leased("x2"))
    run(
        state,
        FailExecution(
            execution="x2", epoch=2, reason="r", detail="", charged=False, max_attempts=3
        ),
    )
    run(state, adopt())
    assert state.executions["x9"].epoch == 3


def test_policy_may_want_no_late_work() -> None:
    state = working()
    run(state, steal())
    deny = replace(ALLOW, verdict="deny")
    assert run(state, adopt(decision=deny))[0].reason == "policy"


def test_work_that_is_not_whole_is_kept_only() -> None:
    state = working()
    run(state, steal())
    assert run(state, adopt(unfinished="worker_exit: code 3"))[0].reason == "unfinished"


def test_who_failed_by_its_own_fault_is_not_late() -> None:
    state = working()
    fail = FailExecution(
        execution="x1", epoch=1, reason="limit_wall", detail="", charged=True, max_attempts=3
    )
    run(state, fail)
    assert refused(state, adopt()) == "not_late"


def test_a_stopped_task_waits_for_a_person() -> None:
    state = working("A", "B")
    run(state, StopTask(task="B", reason="later"))
    assert (state.tasks["B"].state, state.tasks["B"].detail) == (TaskState.BLOCKED, "later")
    run(state, RequeueTask(task="B"))
    assert state.tasks["B"].state is TaskState.QUEUED
    run(state, StopTask(task="A"))
    assert state.executions["x1"].stop == "no reason given"
    assert state.tasks["A"].state is TaskState.EXECUTING
