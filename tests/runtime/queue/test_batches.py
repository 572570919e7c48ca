"""Several changes judged at once: all that is good lands, and nobody is blamed for another."""

from __future__ import annotations

from typing import Any

import pytest

from gitcto.errors import CtoError
from gitcto.model.queue_commands import AskEjection, PauseQueue, ResumeQueue
from gitcto.model.records import TaskState
from gitcto.runtime.proving.proof import prove
from tests.runtime.queue.conftest import BAD_IS_RED, write

NAMES = ("A", "B", "C", "D", "E", "F")


def test_changes_that_go_together_land_by_one_swap_after_fewer_runs_than_changes(team: Any) -> None:
    team.gate()
    team.gate_waits_for(6)
    team.plan(*(team.task(name, [write(name.lower())]) for name in NAMES))
    team.run()
    assert sorted(team.landed()) == list(NAMES)
    assert len(team.gate_runs()) == 2
    intents = team.bodies("landing.intended")
    swaps = {(body.landing.old, body.landing.new, body.landing.tree) for body in intents}
    assert len(swaps) == 2
    assert len({body.landing.commit for body in intents}) == 6
    assert team.git("rev-list", "--min-parents=2", "cto/main/integration") == ""
    with team.ledger() as ledger:
        for task in ledger.tasks():
            claims = prove(ledger, task)
            assert [claim for claim in claims if not claim.true] == []
            assert "judged, holds it" in "".join(claim.text for claim in claims)
    team.assert_clean()


def test_a_change_whose_tier_demands_no_tests_lands_with_others_and_is_proved(team: Any) -> None:
    """Its evidence is about the tree of all of them, which no gate of its own tier judged."""
    team.gate()
    team.gate_waits_for(4)
    team.policy_text += '[tiers.P2]\ngates = ["nonempty", "paths"]\n'
    tiers = {"A": "P1", "B": "P2", "C": "P1", "D": "P2"}
    team.plan(*(team.task(n, [write(n.lower())], tier=tier) for n, tier in tiers.items()))
    team.run()
    assert sorted(team.landed()) == list(tiers)
    landings = [body.landing for body in team.bodies("landing.intended")]
    assert any(landing.commit != landing.new for landing in landings)
    with team.ledger() as ledger:
        for task in ledger.tasks():
            assert [claim for claim in prove(ledger, task) if not claim.true] == []


def test_a_red_change_of_a_batch_is_found_and_nobody_else_is_blamed(team: Any) -> None:
    """Promise: rejected alone, by its own red runs, on a target that is green without it."""
    team.gate(BAD_IS_RED)
    team.gate_waits_for(6)
    plan = [team.task(name, [write(name.lower())]) for name in NAMES if name != "C"]
    team.plan(*plan, team.task("C", [write("bad")], [write("c")]))
    team.run()
    assert sorted(team.landed()) == list(NAMES)
    tasks = team.tasks()
    assert {name: task.retries for name, task in tasks.items() if task.retries} == {
        "C": {"tests:tests_failed": 1}
    }
    (left,) = team.bodies("queue.left")
    assert (left.how, team.of([left.execution])) == ("rejected", ["C"])
    runs = {body.number: body for body in team.bodies("queue.run_started")}
    ends = {body.number: body for body in team.bodies("queue.run_ended")}
    own = [runs[number] for number in left.runs[1:]]
    assert {(run.run, run.prefix, run.unit) for run in own} == {("confirm", (), (left.execution,))}
    assert {ends[number].verdict for number in left.runs} == {"red"}
    assert ["base.txt", "bad"] not in team.gate_runs()[:1]
    (failed,) = team.bodies("execution.failed")
    base = own[-1].onto
    assert f"red on {base[:12]}, which is green without it" in failed.detail
    assert failed.evidence
    team.assert_clean()


def test_the_command_of_a_rejection_shows_the_red_again(team: Any) -> None:
    team.policy_text = team.policy_text.replace(
        '["test", "-f", "base.txt"]', '["test", "!", "-e", "bad"]'
    )
    team.policy_text = team.policy_text.replace("max_attempts = 2", "max_attempts = 1")
    team.plan(team.task("A", [write("bad")]))
    team.run()
    command = team.tasks()["A"].detail.partition("see it: ")[2]
    assert team.shell(command).returncode == 1
    assert team.shell(command.replace("bad", "other")).returncode == 0


def test_a_gate_that_fails_once_rejects_nobody(team: Any) -> None:
    """A 2 % flake costs a run, never a change."""
    flag = team.root / "failed-once"
    once = f"flag = {str(flag)!r}\nif not os.path.exists(flag):\n    open(flag, 'w').close()\n"
    team.gate(f"{once}    sys.exit(1)")
    team.plan(team.task("A", [write("a")]))
    team.run()
    assert team.landed() == ["A"]
    assert "execution.failed" not in team.told.kinds()
    verdicts = [body.verdict for body in team.bodies("gate.judged") if body.verdict.gate == "tests"]
    assert [(verdict.status, verdict.reason) for verdict in verdicts] == [("pass", "flaky")]
    with team.ledger() as ledger:
        assert [claim for claim in prove(ledger, team.tasks()["A"]) if not claim.true] == []


def test_zero_tests_are_not_read_as_green(team: Any) -> None:
    """gascity-packs#235: an exit code that says that nothing was collected is no pass."""
    team.gate("sys.exit(5)")
    team.policy_text = team.policy_text.replace("deadline_s = 60", "not_run_codes = [5]")
    team.plan(team.task("A", [write("a")]))
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.charged, task.reason) == (TaskState.BLOCKED, 0, "tests:not_run_code")
    assert {body.verdict for body in team.bodies("queue.run_ended")} == {"not_run"}
    assert team.landed() == []
    assert [team.show("a", ref) for ref in team.preserved()] == ["1"]


def test_a_target_that_was_red_before_anybody_came_blames_nobody(team: Any) -> None:
    team.gate("sys.exit(not os.path.exists('fix'))")
    team.plan(team.task("A", [write("a")]))
    team.run()
    assert team.landed() == []
    assert "execution.failed" not in team.told.kinds()
    assert team.tasks()["A"].state is TaskState.VALIDATING
    assert any("the target is red by itself (tests:)" in note for note in team.told.notes)
    team.commit("cto/main/integration", "fix")
    team.run()
    assert team.landed() == ["A"]
    team.assert_clean()


def test_nobody_is_blamed_for_what_a_lower_tier_let_pass(team: Any) -> None:
    """M's tier asks for no tests, so the target is red for everybody whose tier does."""
    team.gate(BAD_IS_RED)
    team.policy_text += '[tiers.P2]\ngates = ["nonempty"]\n'
    careless = team.task("M", [write("bad")], tier="P2")
    team.plan(careless, team.task("K", [write("k")], depends_on=("M",)))
    team.run()
    assert team.landed() == ["M"]
    assert "execution.failed" not in team.told.kinds()
    assert team.tasks()["K"].state is TaskState.VALIDATING
    assert any("the target is red by itself (tests:)" in note for note in team.told.notes)


def test_where_no_tier_asks_for_more_than_of_the_change_a_moved_target_holds_nothing_up(
    team: Any,
) -> None:
    team.policy_text += '[tiers.P2]\ngates = ["nonempty"]\n'

    def move(event: object) -> None:
        team.told.on.clear()
        team.commit("cto/main/integration", "by-hand")

    team.told.on["landing.intended"] = move
    team.plan(team.task("A", [write("a")], tier="P2"))
    team.run()
    assert team.landed() == ["A"]
    assert [run.run for run in team.bodies("queue.run_started")] == ["judge", "sweep", "judge"]


def test_a_p0_change_is_judged_and_lands_alone(team: Any) -> None:
    team.gate()
    team.policy_text += '[tiers.P0]\ngates = ["nonempty", "paths", "tests"]\n'
    team.gate_waits_for(4)
    tiers = {"A": "P1", "B": "P1", "C": "P0", "D": "P1"}
    team.plan(*(team.task(name, [write(name.lower())], tier=tier) for name, tier in tiers.items()))
    team.run()
    assert sorted(team.landed()) == sorted(tiers)
    hot = [run for run in team.bodies("queue.run_started") if "C" in team.of(run.unit)]
    assert [(run.prefix, team.of(run.unit)) for run in hot] == [((), ["C"])]
    swaps = [body.landing for body in team.bodies("landing.intended")]
    (own,) = [landing for landing in swaps if landing.run == hot[0].number]
    assert own.commit == own.new


def test_a_paused_queue_lands_nothing_until_a_person_lets_it_go_on(team: Any) -> None:
    team.gate()
    team.plan(team.task("A", [write("a")]), team.task("B", [write("b")]))

    def pause(event: object) -> None:
        team.told.on.clear()
        team.tell(PauseQueue(reason="wait"))

    team.told.on["queue.run_started"] = pause
    team.run()
    assert team.landed() == []
    assert {task.state for task in team.tasks().values()} == {TaskState.VALIDATING}
    assert any("the merge queue waits: the queue is paused" in note for note in team.told.notes)
    team.run()
    assert team.landed() == []
    team.tell(ResumeQueue())
    team.run()
    assert sorted(team.landed()) == ["A", "B"]
    assert "execution.leased" not in team.told.kinds()
    team.assert_clean()


def test_what_was_judged_green_is_not_judged_again_by_the_next_run(team: Any) -> None:
    team.gate()
    team.plan(team.task("A", [write("a")]))
    team.told.on["queue.run_started"] = lambda event: team.tell(PauseQueue())
    team.run()
    assert len(team.gate_runs()) == 1
    team.told.on.clear()
    team.tell(ResumeQueue())
    team.run()
    assert team.landed() == ["A"]
    assert len(team.gate_runs()) == 1
    with team.ledger() as ledger:
        assert [claim for claim in prove(ledger, team.tasks()["A"]) if not claim.true] == []


def test_a_change_that_a_person_ejects_leaves_at_once_and_its_work_stays(team: Any) -> None:
    team.gate()
    team.gate_waits_for(3)
    open_the_gate = team.told.on["queue.enqueued"]
    names: dict[str, str] = {}

    def eject(event: Any) -> None:
        names.update(dict.fromkeys([event.body.execution], ""))
        if len(names) == 3:
            team.tell(AskEjection(execution=list(names)[1], reason="not now"))
        open_the_gate(event)

    team.told.on["queue.enqueued"] = eject
    team.plan(*(team.task(name, [write(name.lower())]) for name in ("A", "B", "C")))
    team.run()
    (gone,) = team.of([list(names)[1]])
    assert sorted(team.landed()) == sorted({"A", "B", "C"} - {gone})
    task = team.tasks()[gone]
    assert (task.state, task.reason, task.detail) == (TaskState.BLOCKED, "ejected", "not now")
    assert task.charged == 0
    assert [team.show(gone.lower(), ref) for ref in team.preserved()] == ["1"]
    (left,) = team.bodies("queue.left")
    assert (left.how, left.execution) == ("ejected", list(names)[1])
    team.assert_clean()


@pytest.mark.parametrize("capacity", [2, 4])
def test_with_several_slots_everything_still_lands_once(team: Any, capacity: int) -> None:
    team.gate(BAD_IS_RED)
    team.policy_text = team.policy_text.replace("capacity = 1", f"capacity = {capacity}")
    team.plan(*(team.task(name, [write(f"bad{name}")], [write(name)]) for name in NAMES))
    team.run()
    assert sorted(team.landed()) == list(NAMES)
    assert {task.charged for task in team.tasks().values()} == {1}


def test_a_predictor_that_nobody_provides_is_refused(team: Any) -> None:
    team.policy_text = team.policy_text.replace("[queue]\n", '[queue]\npredictor = "nobody"\n')
    team.plan(team.task("A", [write("a")]))
    with pytest.raises(CtoError, match="no plugin provides the predictor 'nobody'"):
        team.run()
