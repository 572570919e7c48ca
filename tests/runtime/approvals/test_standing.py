"""What a change may do until persons have answered; every step goes through the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from gitcto.model import commands as cmd
from gitcto.model import queue_commands as queue
from gitcto.model.codec import GENESIS, seal
from gitcto.model.decide import decide
from gitcto.model.evolve import evolve
from gitcto.model.records import Decision, Execution, Landing, TaskSpec, Verdict
from gitcto.model.state import State
from gitcto.policy.load import parse
from gitcto.runtime.core.asked import asked
from gitcto.runtime.queue.approvals import request, standing

if TYPE_CHECKING:
    from gitcto.policy.records import Policy
    from gitcto.runtime.core.failures import Failure

CHANGE, OTHER = "c" * 64, "d" * 64
HOUR_MS = 3_600_000
TEXT = """\
version = 1
[gates.nonempty]
[tiers.P1]
gates = ["nonempty"]
[tiers.P1.approval]
count = {count}
expires_h = 2
approvers = ["ada@box", "bob@box", "cid@box"]
"""


def decision(verdict: str = "allow", action: str = "approval") -> Decision:
    return Decision(
        action=action,
        resource="T",
        subject="ada@box",
        rule="tiers.P1.approval",
        policy="p",
        inputs={},
        verdict=verdict,
        reason="because",
    )


@dataclass
class Clock:
    """The only thing that asking persons needs of the effects."""

    ms: int = 1000

    def now_ms(self) -> int:
        return self.ms


@dataclass
class Asked:
    """A world as far as asking persons goes: a policy and a clock."""

    policy: Policy
    effects: Clock = field(default_factory=Clock)
    holder: str = "run/1"
    team: str = "demo"


class Desk:
    """A task whose work is harvested, under a policy that asks ``count`` persons."""

    def __init__(self, count: int = 1) -> None:
        self.state = State()
        self.seq = 0
        self.context = Asked(policy_of(count))
        spec = TaskSpec(id="T", title="t")
        self.ok(
            cmd.CreateTeam(team="demo", target="refs/heads/cto/demo/integration"),
            cmd.ImportPlan(source="s", digest="d", tasks=(spec,)),
            cmd.Lease(
                task="T",
                execution="e1",
                base="b" * 40,
                provider="fake",
                role="developer",
                workspace="clone",
                holder="run/1",
                expires_ms=1 << 50,
                max_workers=6,
                decision=decision(action="dispatch"),
            ),
            cmd.RecordStart(execution="e1", epoch=1, pid=1, process_start="1", isolation="none"),
            cmd.RecordExit(execution="e1", epoch=1, code=0, cause="exited"),
            cmd.RecordHarvest(execution="e1", epoch=1, commit="9" * 40, tree="8" * 40, changed=1),
        )

    def send(self, command: Any) -> list[Any] | cmd.Refusal:
        now_ms = self.context.effects.ms
        answer = decide(self.state, command, now_ms)
        if isinstance(answer, cmd.Refusal):
            return answer
        for event, _ in seal(answer, prev=GENESIS, actor="t", now_ms=now_ms, new_id=lambda: "i"):
            self.seq += 1
            self.state.put(evolve(self.state, event, self.seq))
        return list(answer)

    def ok(self, *commands: Any) -> None:
        for command in commands:
            answer = self.send(command)
            assert not isinstance(answer, cmd.Refusal), answer

    def refused(self, command: Any) -> str:
        answer = self.send(command)
        assert isinstance(answer, cmd.Refusal), answer
        return answer.code

    @property
    def execution(self) -> Execution:
        return self.state.executions["e1"]

    def request(self, change: str = CHANGE) -> queue.RequestApproval | None:
        return request(self.context, self.state.tasks["T"], self.execution, change)

    def ask(self, change: str = CHANGE) -> None:
        wanted = self.request(change)
        assert wanted is not None
        self.ok(wanted)

    def stands(self) -> str | Failure:
        now_ms = self.context.effects.ms
        return standing(self.context.policy, self.state.tasks["T"], self.execution, now_ms)


def policy_of(count: int) -> Policy:
    return parse(TEXT.format(count=count).encode(), "policy.toml")


def approve(by: str = "ada@box", change: str = CHANGE) -> queue.Approve:
    return queue.Approve(execution="e1", change=change, by=by, decision=decision())


def deny(by: str = "ada@box", change: str = CHANGE) -> queue.Deny:
    return queue.Deny(execution="e1", change=change, by=by, decision=decision())


def test_where_policy_asks_nobody_nobody_is_asked() -> None:
    desk = Desk(count=0)
    assert desk.request() is None
    assert desk.stands() == "granted"


def test_a_change_waits_until_the_last_person_has_approved() -> None:
    desk = Desk(count=2)
    assert desk.stands() == "waits"
    desk.ask()
    assert desk.execution.approvals_expire_ms == 1000 + 2 * HOUR_MS
    assert desk.stands() == "waits"
    desk.ok(approve("ada@box"))
    assert desk.stands() == "waits"
    assert desk.refused(approve("ada@box")) == "already_approved"
    desk.ok(approve("bob@box"))
    assert desk.stands() == "granted"
    assert desk.request() is None


def test_nobody_is_asked_twice_about_the_same_change() -> None:
    desk = Desk()
    desk.ask()
    assert desk.request() is None
    wanted = queue.RequestApproval(
        execution="e1", epoch=1, change=CHANGE, needed=1, expires_ms=99 * HOUR_MS
    )
    assert desk.send(wanted) == []


def test_another_change_needs_another_approval() -> None:
    """Elsewhere the approval of one commit let another one land."""
    desk = Desk()
    desk.ask()
    assert desk.refused(approve(change=OTHER)) == "other_change"
    desk.ok(approve())
    desk.ask(OTHER)
    assert desk.execution.approved_by == ()
    assert desk.stands() == "waits"
    assert desk.refused(approve(change=CHANGE)) == "other_change"
    desk.ok(approve(change=OTHER))
    assert desk.stands() == "granted"


def test_time_never_approves() -> None:
    desk = Desk()
    desk.ask()
    desk.context.effects.ms += 2 * HOUR_MS - 1
    assert desk.stands() == "waits"
    desk.context.effects.ms += 1
    assert desk.refused(approve()) == "expired"
    failure = desk.stands()
    assert not isinstance(failure, str)
    assert (failure.reason, failure.charged, failure.block) == ("approval_expired", False, True)
    assert failure.detail == f"0 of 1 persons approved change {CHANGE[:12]} in time"
    desk.context.effects.ms += 10_000 * HOUR_MS
    assert desk.stands() == failure


def test_what_was_approved_in_time_stays_approved() -> None:
    desk = Desk()
    desk.ask()
    desk.ok(approve())
    desk.context.effects.ms += 10_000 * HOUR_MS
    assert desk.stands() == "granted"


@pytest.mark.parametrize("approved", [False, True], ids=["asked", "approved"])
def test_one_refusal_is_enough_also_after_an_approval(*, approved: bool) -> None:
    desk = Desk()
    desk.ask()
    if approved:
        desk.ok(approve())
    desk.ok(deny("bob@box"))
    failure = desk.stands()
    assert not isinstance(failure, str)
    assert (failure.reason, failure.charged, failure.block) == ("approval_denied", False, True)
    assert desk.request() is None
    assert desk.refused(approve("cid@box")) == "not_requested"


def test_policy_decides_who_answers() -> None:
    desk = Desk()
    desk.ask()
    forbidden = queue.Approve(
        execution="e1", change=CHANGE, by="mallory@box", decision=decision("deny")
    )
    assert desk.refused(forbidden) == "denied"
    assert desk.stands() == "waits"


def test_an_approval_that_was_never_asked_for_is_refused() -> None:
    assert Desk().refused(approve()) == "not_requested"


def test_when_policy_asks_more_persons_they_are_asked_anew() -> None:
    desk = Desk()
    desk.ask()
    desk.ok(approve())
    desk.context.policy = policy_of(2)
    assert desk.stands() == "waits"
    desk.ask()
    assert (desk.execution.approval, desk.execution.approvals_needed) == ("requested", 2)
    desk.ok(approve("ada@box"), approve("bob@box"))
    assert desk.stands() == "granted"


def test_what_lands_must_be_the_change_that_was_approved() -> None:
    """Even a queue that forgot to ask does not land it: the model and policy both refuse."""
    desk = Desk()
    desk.ask()
    landing = Landing(
        target="refs/heads/cto/demo/integration",
        old="b" * 40,
        new="9" * 40,
        tree="8" * 40,
        evidence="7" * 40,
        commit="9" * 40,
        change=CHANGE,
    )
    green = Verdict(gate="nonempty", status="pass", reason="ok", tree="8" * 40, definition="d")
    intend = cmd.IntendLanding(
        execution="e1",
        epoch=1,
        landing=landing,
        required=("nonempty",),
        decision=decision(action="landing"),
    )
    desk.ok(cmd.RecordVerdicts(execution="e1", epoch=1, verdicts=(green,)))
    assert desk.refused(intend) == "approval_missing"
    task = desk.state.tasks["T"]
    assert asked(desk.context, desk.execution, task).approved_by == ()
    other = structs.replace(landing, change=OTHER)
    assert desk.refused(structs.replace(intend, landing=other)) == "approval_missing"
    desk.ok(approve())
    assert desk.refused(structs.replace(intend, landing=other)) == "approval_missing"
    said = asked(desk.context, desk.execution, task)
    assert (said.approved, said.approved_by) == (CHANGE, ("ada@box",))
    desk.ok(deny("bob@box"))
    assert desk.refused(intend) == "approval_denied"
    assert asked(desk.context, desk.execution, task).approved_by == ()
