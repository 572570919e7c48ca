"""Single refusals of ``decide`` that a reader should find by name."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gitcto.model import commands as cmd
from gitcto.model.codec import GENESIS, Event, digest, seal
from gitcto.model.decide import decide
from gitcto.model.events import TeamCreated
from gitcto.model.evolve import evolve
from gitcto.model.outcomes import MAX_UNCHARGED
from gitcto.model.records import (
    Decision,
    Landing,
    TaskSpec,
    TaskState,
    TeamMode,
    Verdict,
)
from gitcto.model.state import State

ALLOW = Decision(
    action="land",
    resource="A",
    subject="cto",
    rule="tiers.P1.gates",
    policy="p",
    inputs={},
    verdict="allow",
    reason="",
)


class Bench:
    """A state that commands are sent to one by one."""

    def __init__(self, *specs: TaskSpec) -> None:
        self.state = State()
        self.seq = 0
        self.ok(cmd.CreateTeam(team="demo", target="refs/heads/t"))
        if specs:
            self.ok(cmd.ImportPlan(source="s", digest="d", tasks=specs))

    def send(self, command: cmd.Command) -> list[Event] | cmd.Refusal:
        answer = decide(self.state, command, 10)
        if isinstance(answer, cmd.Refusal):
            return answer
        events = []
        for event, _ in seal(answer, prev=GENESIS, actor="t", now_ms=10, new_id=lambda: "i"):
            self.seq += 1
            self.state.put(evolve(self.state, event, self.seq))
            events.append(event)
        return events

    def ok(self, command: cmd.Command) -> list[Event]:
        answer = self.send(command)
        assert not isinstance(answer, cmd.Refusal), answer
        return answer

    def refused(self, command: cmd.Command) -> str:
        answer = self.send(command)
        assert isinstance(answer, cmd.Refusal), answer
        return answer.code

    def lease(self, task: str, execution: str, max_workers: int = 6) -> cmd.Lease:
        return cmd.Lease(
            task=task,
            execution=execution,
            base="b",
            provider="p",
            role="r",
            workspace="clone",
            holder="h",
            expires_ms=99,
            max_workers=max_workers,
            decision=ALLOW,
        )

    def to_validating(self, task: str = "A", execution: str = "x", epoch: int = 1) -> None:
        self.ok(self.lease(task, execution))
        ident = {"execution": execution, "epoch": epoch}
        self.ok(cmd.RecordStart(**ident, pid=1, process_start="1", isolation="none"))
        self.ok(cmd.RecordExit(**ident, code=0, cause="exited"))
        self.ok(cmd.RecordHarvest(**ident, commit="c", tree="t", changed=1))


def spec(name: str, *needs: str) -> TaskSpec:
    return TaskSpec(id=name, title=name, depends_on=needs)


def verdict(status: str = "pass", tree: str = "m") -> Verdict:
    return Verdict(gate="tests", status=status, reason="r", tree=tree, definition="d")  # type: ignore[arg-type]


def intend(required: tuple[str, ...] = ("tests",), tree: str = "m") -> cmd.IntendLanding:
    landing = Landing(target="t", old="o", new="n", tree=tree, evidence="e")
    return cmd.IntendLanding(
        execution="x", epoch=1, landing=landing, required=required, decision=ALLOW
    )


def test_a_seventh_worker_is_refused_whatever_policy_asks() -> None:
    bench = Bench(*(spec(f"T{n}") for n in range(7)))
    for number in range(6):
        bench.ok(bench.lease(f"T{number}", f"x{number}", max_workers=99))
    assert bench.refused(bench.lease("T6", "x6", max_workers=99)) == "no_capacity"


def test_what_waits_to_land_takes_no_worker_s_seat() -> None:
    bench = Bench(*(spec(f"T{n}") for n in range(8)))
    for number in range(7):
        bench.to_validating(f"T{number}", f"x{number}")
    assert len(bench.state.live()) == 7
    bench.ok(bench.lease("T7", "x7", max_workers=1))


def test_a_task_with_an_undone_dependency_is_not_leased() -> None:
    bench = Bench(spec("A"), spec("B", "A"))
    assert bench.refused(bench.lease("B", "x")) == "waiting"


def test_a_paused_team_starts_nothing() -> None:
    bench = Bench(spec("A"))
    bench.ok(cmd.SetMode(mode=TeamMode.PAUSED))
    assert bench.refused(bench.lease("A", "x")) == "team_not_running"


def test_no_gate_configured_means_refuse() -> None:
    bench = Bench(spec("A"))
    bench.to_validating()
    assert bench.refused(intend(required=())) == "no_gates"


@pytest.mark.parametrize(
    "judged", [verdict("fail"), verdict("not_run"), verdict(tree="other"), None]
)
def test_only_a_pass_on_the_very_tree_lets_it_land(judged: Verdict | None) -> None:
    bench = Bench(spec("A"))
    bench.to_validating()
    if judged is not None:
        bench.ok(cmd.RecordVerdicts(execution="x", epoch=1, verdicts=(judged,)))
    assert bench.refused(intend()) == "missing_verdict"


def test_a_later_red_verdict_replaces_a_green_one() -> None:
    bench = Bench(spec("A"))
    bench.to_validating()
    for judged in (verdict(), verdict("fail")):
        bench.ok(cmd.RecordVerdicts(execution="x", epoch=1, verdicts=(judged,)))
    assert bench.refused(intend()) == "missing_verdict"


def test_a_landing_cannot_be_confirmed_without_its_intent() -> None:
    bench = Bench(spec("A"))
    bench.to_validating()
    confirm = cmd.ConfirmLanding(execution="x", epoch=1, found="moved", decision=ALLOW)
    assert bench.refused(confirm) == "wrong_state"


def test_a_denied_landing_is_not_done() -> None:
    bench = Bench(spec("A"))
    bench.to_validating()
    bench.ok(cmd.RecordVerdicts(execution="x", epoch=1, verdicts=(verdict(),)))
    bench.ok(intend())
    denied = replace(ALLOW, verdict="deny", reason="another commit")
    confirm = cmd.ConfirmLanding(execution="x", epoch=1, found="moved", decision=denied)
    assert bench.refused(confirm) == "denied"
    assert bench.state.tasks["A"].state is TaskState.INTEGRATING


def test_a_late_worker_is_remembered_and_changes_nothing() -> None:
    bench = Bench(spec("A"))
    bench.to_validating()
    bench.ok(
        cmd.FailExecution(
            execution="x", epoch=1, reason="lost", detail="", charged=False, max_attempts=2
        )
    )
    bench.ok(bench.lease("A", "y"))
    before = list(bench.state.records())
    events = bench.ok(cmd.RecordExit(execution="x", epoch=1, code=0, cause="exited"))
    assert [e.kind for e in events] == ["outcome.refused"]
    assert list(bench.state.records()) == before


def test_charged_failures_end_a_task_and_a_person_can_ask_again() -> None:
    bench = Bench(spec("A"))
    for epoch in (1, 2):
        bench.ok(bench.lease("A", f"x{epoch}"))
        bench.ok(
            cmd.FailExecution(
                execution=f"x{epoch}",
                epoch=epoch,
                reason="no_diff",
                detail="",
                charged=True,
                max_attempts=2,
            )
        )
    task = bench.state.tasks["A"]
    assert (task.state, task.retries) == (TaskState.FAILED_TERMINAL, {"no_diff": 2})
    bench.ok(cmd.RequeueTask(task="A"))
    assert bench.state.tasks["A"].charged == 0
    bench.ok(bench.lease("A", "x3"))


def test_endless_uncharged_failures_end_with_a_person() -> None:
    bench = Bench(spec("A"))
    for epoch in range(1, MAX_UNCHARGED + 2):
        bench.ok(bench.lease("A", f"x{epoch}"))
        bench.ok(
            cmd.FailExecution(
                execution=f"x{epoch}",
                epoch=epoch,
                reason="lost",
                detail="",
                charged=False,
                max_attempts=2,
            )
        )
    assert bench.state.tasks["A"].state is TaskState.BLOCKED


def test_an_execution_id_is_used_once() -> None:
    bench = Bench(spec("A"), spec("B"))
    bench.ok(bench.lease("A", "x"))
    assert bench.refused(bench.lease("B", "x")) == "execution_exists"


def test_a_team_is_created_once() -> None:
    assert Bench().refused(cmd.CreateTeam(team="demo", target="t")) == "team_exists"


def test_the_chain_quotes_the_line_before() -> None:
    bodies = decide(State(), cmd.CreateTeam(team="demo", target="t"), 1)
    assert not isinstance(bodies, cmd.Refusal)
    (_, first), (second, _) = seal(
        (*bodies, *bodies), prev=GENESIS, actor="a", now_ms=1, new_id=lambda: "i"
    )
    assert second.prev == digest(first)


def test_together_is_all_or_nothing() -> None:
    bench = Bench(spec("A"), spec("B"))
    before = list(bench.state.records())
    twice = cmd.Together((bench.lease("A", "x"), bench.lease("A", "y")))
    assert bench.refused(twice) == "not_queued"
    assert list(bench.state.records()) == before


def test_together_sees_what_came_before_in_the_same_transaction() -> None:
    bench = Bench(*(spec(f"T{n}") for n in range(7)))
    leases = tuple(bench.lease(f"T{n}", f"x{n}") for n in range(7))
    assert bench.refused(cmd.Together(leases)) == "no_capacity"
    assert len(bench.ok(cmd.Together(leases[:6]))) == 6
    assert len(bench.state.live()) == 6


def test_a_denied_task_waits_for_a_person() -> None:
    bench = Bench(spec("A"))
    bench.ok(cmd.BlockTask(task="A", reason="no_gates", decision=ALLOW))
    assert bench.refused(bench.lease("A", "x")) == "not_queued"
    bench.ok(cmd.RequeueTask(task="A"))
    bench.ok(bench.lease("A", "x"))


def test_a_second_creation_in_a_forged_ledger_changes_nothing() -> None:
    bench = Bench(spec("A"))
    before = list(bench.state.records())
    (event, _), *_ = seal(
        (TeamCreated(team="other", target="t"),),
        prev=GENESIS,
        actor="stranger",
        now_ms=1,
        new_id=lambda: "i",
    )
    assert evolve(bench.state, event, 99) == ()
    assert list(bench.state.records()) == before


def test_only_an_ended_attempt_s_work_is_discarded_and_only_once() -> None:
    bench = Bench(spec("A"))
    bench.to_validating()
    named = {"execution": "x", "ref": "refs/preserved/x", "commit": "c"}
    assert bench.refused(cmd.DiscardWork(**named)) == "not_ended"
    assert bench.refused(cmd.DiscardWork(**{**named, "execution": "y"})) == "no_execution"
    bench.ok(cmd.RecordPreserved(**named))
    failed = {"reason": "r", "detail": "", "charged": True, "max_attempts": 1}
    bench.ok(cmd.FailExecution(execution="x", epoch=1, **failed))  # type: ignore[arg-type]
    (event,) = bench.ok(cmd.DiscardWork(**named, reason="old"))
    assert event.kind == "work.discarded"
    assert bench.state.executions["x"].preserved == ""
    assert bench.state.executions["x"].discarded == {"refs/preserved/x": "c"}
    assert bench.ok(cmd.DiscardWork(**named)) == []
    bench.ok(cmd.RecordPreserved(**named))
    assert bench.state.executions["x"].discarded == {}


def outside(*changes: str, blocking: bool) -> cmd.RecordOutside:
    return cmd.RecordOutside(execution="x", changes=changes, blocking=blocking)


@pytest.mark.parametrize("blocking", [False, True])
def test_what_changed_outside_a_room_blocks_its_landing_only_when_it_says_so(
    blocking: bool,
) -> None:
    bench = Bench(spec("A"))
    bench.to_validating()
    bench.ok(cmd.RecordVerdicts(execution="x", epoch=1, verdicts=(verdict(),)))
    (event,) = bench.ok(outside("a hook appeared", blocking=blocking))
    assert event.kind == "security.outside"
    if blocking:
        assert bench.refused(intend()) == "outside_changed"
        bench.ok(outside("a file appeared", blocking=False))
        assert bench.refused(intend()) == "outside_changed"
    else:
        bench.ok(intend())


def test_what_changed_outside_is_recorded_once_whatever_the_token_and_the_state() -> None:
    bench = Bench(spec("A"))
    assert bench.refused(outside("h", blocking=True)) == "no_execution"
    bench.to_validating()
    assert len(bench.ok(outside("h", "f", blocking=False))) == 1
    assert bench.ok(outside("f", blocking=False)) == []
    assert bench.ok(outside(blocking=True)) == []
    failed = {"reason": "r", "detail": "", "charged": False, "max_attempts": 1}
    bench.ok(cmd.FailExecution(execution="x", epoch=1, **failed))  # type: ignore[arg-type]
    assert len(bench.ok(outside("f", blocking=True))) == 1
    execution = bench.state.executions["x"]
    assert (execution.outside, execution.outside_blocks) == (("h", "f"), True)


def test_a_blocked_attempt_does_not_block_the_next_one() -> None:
    bench = Bench(spec("A"))
    bench.to_validating()
    bench.ok(outside("h", blocking=True))
    failed = {"reason": "outside_changed", "detail": "", "charged": False, "max_attempts": 1}
    bench.ok(cmd.FailExecution(execution="x", epoch=1, block=True, **failed))  # type: ignore[arg-type]
    bench.ok(cmd.RequeueTask(task="A"))
    bench.to_validating(execution="y", epoch=2)
    judged = cmd.RecordVerdicts(execution="y", epoch=2, verdicts=(verdict(),))
    bench.ok(judged)
    bench.ok(replace(intend(), execution="y", epoch=2))


def test_a_lease_that_was_renewed_since_is_not_taken_as_lapsed() -> None:
    bench = Bench(spec("A"))
    bench.ok(bench.lease("A", "x"))
    seen = bench.state.executions["x"].expires_ms
    take = cmd.TakeLease(
        execution="x", epoch=1, holder="other", expires_ms=seen + 9, lapsed_ms=seen
    )
    end = cmd.FailExecution(
        execution="x", epoch=1, reason="holder_lost", detail="", charged=False, max_attempts=2
    )
    bench.ok(cmd.RenewLease(execution="x", epoch=1, expires_ms=seen + 1))
    assert bench.refused(cmd.Together((take, end))) == "lease_renewed"
    bench.ok(replace(take, lapsed_ms=seen + 1))
    assert bench.state.executions["x"].holder == "other"


def test_with_an_outcome_that_came_too_late_nothing_else_is_recorded() -> None:
    bench = Bench(spec("A"), spec("B"))
    bench.ok(bench.lease("A", "x"))
    bench.ok(bench.lease("B", "y"))
    late = cmd.RenewLease(execution="x", epoch=0, expires_ms=1 << 50)
    own = cmd.RenewLease(execution="y", epoch=1, expires_ms=1 << 50)
    (refused,) = bench.ok(cmd.Together((own, late)))
    assert (refused.body.execution, refused.body.quoted) == ("x", 0)
    assert bench.state.executions["y"].expires_ms < 1 << 50
