"""Changes that do not go on top of one another, on the target, or are others there."""

from __future__ import annotations

from typing import Any

import pytest

from gitcto.model.queue_commands import PauseQueue, ResumeQueue
from gitcto.model.records import TaskState
from tests.runtime.queue.conftest import write

LINES = "".join(f"{number}\n" for number in range(1, 21))


def edit(number: int, text: str) -> dict[str, object]:
    """Return the step that writes the twenty lines with one of them changed."""
    lines = LINES.splitlines()
    lines[number - 1] = text
    return write("lines", "\n".join([*lines, ""]))


def with_lines(team: Any) -> None:
    """Give the target, and everybody's base, a file of twenty lines."""
    team.git("branch", "cto/main/integration", "main")
    team.commit("cto/main/integration", "lines", LINES)


def test_two_changes_that_conflict_are_never_in_one_tree_and_both_land(team: Any) -> None:
    team.gate()
    with_lines(team)
    team.gate_waits_for(3)
    team.plan(
        team.task("Z", [write("z")]),
        team.task("A", [edit(3, "A")], [edit(3, "A and B")]),
        team.task("B", [edit(3, "B")], [edit(3, "A and B")]),
    )
    team.run()
    assert sorted(team.landed()) == ["A", "B", "Z"]
    retries = [task.retries for task in team.tasks().values() if task.retries]
    assert retries == [{"conflict": 1}]
    (failed,) = team.bodies("execution.failed")
    (loser,) = team.of([failed.execution])
    winner = {"A": "B", "B": "A"}[loser]
    wanted = f"conflicts with the target in lines; landed there since: {winner}: do {winner}"
    assert failed.detail.startswith(wanted)
    assert not failed.charged
    (left,) = team.bodies("queue.left")
    assert (left.how, left.runs) == ("ejected", ())
    team.assert_clean()


def test_a_clash_between_waiting_changes_is_recorded_and_blames_nobody(team: Any) -> None:
    """One slot: the others wait while Z is judged, are put together once, and never again."""
    team.gate()
    with_lines(team)
    team.gate_waits_for(4)
    first, count = team.root / "first", team.told.on["queue.enqueued"]
    team.told.on["queue.enqueued"] = lambda event: (first.touch(), count(event))
    waits = {"do": "wait_for", "path": str(first)}
    team.plan(
        team.task("Z", [write("z")]),
        *(team.task(name, [waits, edit(3, name)], [write(f"again-{name}")]) for name in "ABC"),
    )
    team.run()
    assert sorted(team.landed()) == ["A", "B", "C", "Z"]
    clashes = {b.number: set(b.clash) for b in team.bodies("queue.run_ended") if b.clash}
    assert {len(clash) for clash in clashes.values()} == {2}
    later = team.bodies("queue.run_started")
    for number, clash in clashes.items():
        trees = [{*run.prefix, *run.unit} for run in later if run.number > number]
        assert not any(clash <= tree for tree in trees)
    assert {body.verdict for body in team.bodies("queue.run_ended")} == {"green", "cancelled"}


def test_the_worker_who_tries_again_is_told_what_landed_meanwhile(team: Any) -> None:
    with_lines(team)
    told = team.root / "told"
    team.plan(
        team.task("A", [edit(3, "A")]),
        team.task("B", [{"do": "wait_for", "path": str(told)}, edit(3, "B")], [edit(4, "B")]),
    )
    team.told.on["landing.done"] = lambda event: told.touch()
    prompts: list[str] = []
    team.told.on["execution.started"] = lambda event: prompts.append(team.prompt(event))
    team.run()
    assert "landed there since: A: do A; keep what that is for, too" in prompts[-1]


def test_the_last_conflict_goes_to_one_owner_with_both_sides_kept(team: Any) -> None:
    team.policy_text = team.policy_text.replace("conflict = 2", "conflict = 0")
    with_lines(team)
    landed = team.root / "landed"
    waiting = [{"do": "wait_for", "path": str(landed)}, edit(3, "B")]
    team.plan(team.task("A", [edit(3, "A")]), team.task("B", waiting, owner="kim"))
    team.told.on["landing.done"] = lambda event: landed.touch()
    team.run()
    task = team.tasks()["B"]
    assert (task.state, task.reason, task.charged) == (TaskState.BLOCKED, "conflict", 0)
    assert "kim decides" in task.detail
    assert [team.show("lines", ref).splitlines()[2] for ref in team.preserved()] == ["B"]
    assert team.show("lines").splitlines()[2] == "A"
    assert team.git("rev-parse", "cto/main/integration")[:12] in task.detail


def test_change_gates_judge_again_what_is_another_change_on_the_target(team: Any) -> None:
    """The lines around B's are A's by then, so its patch is not what was judged."""
    with_lines(team)
    landed = team.root / "landed"
    waiting = [{"do": "wait_for", "path": str(landed)}, edit(5, "B")]
    far = [{"do": "wait_for", "path": str(landed)}, edit(19, "C")]
    team.plan(team.task("A", [edit(3, "A")]), team.task("B", waiting), team.task("C", far))
    team.told.on["landing.done"] = lambda event: landed.touch()
    team.run()
    assert sorted(team.landed()) == ["A", "B", "C"]
    judged: dict[str, set[str]] = {}
    for body in team.bodies("gate.judged"):
        if body.verdict.gate == "nonempty":
            (name,) = team.of([body.execution])
            judged.setdefault(name, set()).add(body.verdict.change)
    assert {name: len(changes) for name, changes in judged.items()} == {"A": 1, "B": 2, "C": 1}
    landings = {team.of([b.execution])[0]: b.landing for b in team.bodies("landing.intended")}
    assert landings["B"].change in judged["B"]
    assert "execution.failed" not in team.told.kinds()


APPROVAL = "[tiers.P1.approval]\ncount = 1\n"


def test_a_change_that_waits_for_approval_ends_the_run_and_lands_after_it(team: Any) -> None:
    team.policy_text += APPROVAL
    team.plan(team.task("A", [write("a")]))
    team.run()
    assert team.tasks()["A"].state is TaskState.VALIDATING
    assert team.told.notes[-1].startswith("A waits for approval")
    (asked,) = team.bodies("approval.requested")
    team.approve(asked)
    team.run()
    assert team.landed() == ["A"]
    assert len(team.bodies("approval.requested")) == 1
    assert "execution.leased" not in team.told.kinds()
    team.assert_clean()


def test_an_approval_is_for_one_change_and_asked_again_for_what_it_became(team: Any) -> None:
    team.policy_text += APPROVAL
    with_lines(team)
    team.plan(team.task("B", [edit(5, "B")]))
    team.run()
    (asked,) = team.bodies("approval.requested")
    team.approve(asked)
    changed = LINES.replace("\n3\n", "\nby hand\n")
    team.commit("cto/main/integration", "lines", changed)
    team.run()
    assert team.landed() == []
    first, second = team.bodies("approval.requested")
    assert first.change != second.change
    team.approve(second)
    team.run()
    assert team.landed() == ["B"]
    assert team.bodies("landing.intended")[-1].landing.change == second.change
    assert team.show("lines").splitlines()[2:5] == ["by hand", "4", "B"]


def test_the_place_and_the_turn_of_what_waits_survive_the_run(team: Any) -> None:
    team.plan(team.task("A", [write("a")]), team.task("B", [write("b")]))
    team.told.on["queue.opened"] = lambda event: team.tell(PauseQueue())
    team.run()
    team.told.on.clear()
    before = {body.execution: body for body in team.bodies("queue.enqueued")}
    team.tell(ResumeQueue())
    team.run()
    again = team.bodies("queue.enqueued")[len(before) :]
    assert {body.execution: (body.place, body.enqueued_ms) for body in again} == {
        key: (body.place, body.enqueued_ms) for key, body in before.items()
    }
    assert sorted(team.landed()) == ["A", "B"]


@pytest.mark.parametrize("green", [True, False])
def test_a_target_moved_by_a_person_is_swept_before_anything_is_judged_on_it(
    team: Any, *, green: bool
) -> None:
    team.gate("sys.exit('broken' in here)")
    team.plan(team.task("A", [write("a")]))

    def move(event: object) -> None:
        team.told.on.clear()
        team.commit("cto/main/integration", "fine" if green else "broken")

    team.told.on["landing.intended"] = move
    team.run()
    kinds = [run.run for run in team.bodies("queue.run_started")]
    assert kinds[1] == "sweep"
    assert len(team.bodies("queue.target_moved")) == 1
    assert team.landed() == (["A"] if green else [])
    assert "execution.failed" not in team.told.kinds()
    if not green:
        assert any("the target is red by itself (tests:)" in note for note in team.told.notes)
        assert team.tasks()["A"].state is TaskState.VALIDATING
        team.git("update-ref", "refs/heads/cto/main/integration", "cto/main/integration^")
        team.run()
        assert team.landed() == ["A"]
    team.assert_clean()
