"""Runs of a real team: what lands, what does not, and what becomes of the work."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitcto.effects import SystemEffects
from gitcto.errors import CtoError
from gitcto.model.codec import Event
from gitcto.model.commands import RequeueTask, SetMode
from gitcto.model.records import TaskState, TeamMode
from gitcto.runtime.team.run import run_team


def write(path: str, text: str) -> dict[str, object]:
    return {"do": "write", "path": path, "text": text}


def fingerprint(root: Path) -> dict[str, str]:
    """Return every file of a checkout, its index and configuration included, by digest."""
    skip = (root / ".git" / "cto", root / ".git" / "objects", root / ".git" / "refs" / "cto")
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not any(path.is_relative_to(each) for each in skip)
        and "cto" not in path.relative_to(root).parts
    }


def test_a_plan_lands_once_each_in_order_and_nothing_else_moves(team: Any) -> None:
    team.plan(
        team.task("A", [write("a", "1\n")]),
        team.task("B", [write("b", "1\n")]),
        team.task("C", [write("c", "1\n")], depends_on=("A", "B")),
    )
    before = fingerprint(team.path)
    result = team.run()
    assert result.unfinished == ()
    landed = team.landed()
    assert sorted(landed) == ["A", "B", "C"]
    assert landed[-1] == "C"
    assert fingerprint(team.path) == before
    assert team.git("rev-list", "--min-parents=2", "cto/main/integration") == ""
    team.assert_clean()


@pytest.mark.parametrize("workspace", ["clone", "worktree"])
def test_both_workspaces_leave_nothing(tmp_path: Path, team: Any, workspace: str) -> None:
    team.policy_text = team.policy_text.replace('plugin = "clone"', f'plugin = "{workspace}"')
    team.plan(team.task("A", [write("a", "1\n")]), team.task("B", [write("b", "1\n")]))
    team.run()
    assert sorted(team.landed()) == ["A", "B"]
    assert team.git("worktree", "list").count("\n") == 0
    team.assert_clean()


def test_a_liar_is_caught_and_its_task_ends(team: Any) -> None:
    team.plan(team.task("A", [{"do": "print", "text": "Done! All tests pass."}]))
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason) == (TaskState.FAILED_TERMINAL, "worker_empty")
    assert task.attempts == 2
    assert team.landed() == []


def test_a_red_gate_keeps_the_work_and_tells_the_next_attempt(team: Any) -> None:
    team.policy_text = team.policy_text.replace(
        '["test", "-f", "base.txt"]', '["test", "!", "-e", "bad"]'
    )
    team.plan(team.task("A", [write("bad", "x\n")], [write("good", "x\n")]))
    team.run()
    assert team.landed() == ["A"]
    refs = team.git("for-each-ref", "--format=%(refname)", "refs/cto/teams/main/preserved")
    assert team.show("bad", refs) == "x"
    team.assert_clean()


def test_a_conflict_is_tried_again_on_the_new_base(team: Any) -> None:
    team.plan(
        team.task("A", [{"do": "append", "path": "base.txt", "text": "A\n"}]),
        team.task("B", [{"do": "append", "path": "base.txt", "text": "B\n"}]),
    )
    team.run()
    assert sorted(team.landed()) == ["A", "B"]
    assert sorted(team.show("base.txt").splitlines()) == ["A", "B", "base"]
    retries = [task.retries for task in team.tasks().values()]
    assert sorted(map(len, retries)) == [0, 1]
    assert {"conflict": 1} in retries


def test_a_gate_that_cannot_run_is_nobody_s_fault_and_never_green(team: Any) -> None:
    team.policy_text = team.policy_text.replace('["test", "-f"', '["no-such-tool", "-f"')
    team.plan(team.task("A", [write("a", "1\n")]))
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.charged, task.reason) == (TaskState.BLOCKED, 0, "tests:cannot_run")
    assert team.landed() == []


def test_a_tier_without_gates_starts_nothing(team: Any) -> None:
    team.plan(team.task("A", [write("a", "1\n")], tier="P0"))
    team.run()
    task = team.tasks()["A"]
    assert task.state is TaskState.BLOCKED
    assert task.attempts == 0
    assert "no gate is configured for tier P0" in task.detail


def test_a_target_that_is_checked_out_is_not_moved(team: Any) -> None:
    team.plan(team.task("A", [write("a", "1\n")]))
    team.git("switch", "-q", "-c", "cto/main/integration")
    with pytest.raises(CtoError, match="is checked out in"):
        team.run()


def test_a_target_checked_out_during_the_run_is_not_moved(team: Any) -> None:
    def check_out(event: Event) -> None:
        team.git("switch", "-q", "cto/main/integration")

    team.plan(team.task("A", [write("a", "1\n")]))
    team.told.on["work.harvested"] = check_out
    with pytest.raises(CtoError, match="is checked out in"):
        team.run()
    assert team.landed() == []
    team.told.on.clear()
    team.git("switch", "-q", "main")
    team.run()
    assert team.landed() == ["A"]
    team.assert_clean()


def test_a_target_moved_by_somebody_else_is_judged_again(team: Any) -> None:
    def move_target(event: Event) -> None:
        team.told.on.clear()
        tree = team.git("write-tree")
        tip = team.git("rev-parse", "cto/main/integration")
        identity = ("-c", "user.name=u", "-c", "user.email=u@x")
        other = team.git(*identity, "commit-tree", tree, "-p", tip, "-m", "by hand")
        team.git("update-ref", "refs/heads/cto/main/integration", other)

    team.plan(team.task("A", [write("a", "1\n")]))
    team.told.on["landing.intended"] = move_target
    team.run()
    assert team.told.kinds().count("landing.abandoned") == 1
    assert team.landed() == ["A"]
    assert "by hand" in team.git("log", "--format=%s", "cto/main/integration")
    team.assert_clean()


def test_an_interrupted_run_leaves_its_workers_and_the_next_adopts_them(team: Any) -> None:
    flag = team.root / "go"
    steps = [{"do": "wait_for", "path": str(flag)}, write("a", "1\n")]
    team.plan(team.task("A", steps))
    started: list[int] = []
    team.told.on["execution.started"] = lambda event: started.append(event.body.pid)
    result = team.run(interrupted=lambda: bool(started))
    assert result.interrupted
    assert [x.state for x in result.live] == [TaskState.EXECUTING]
    flag.write_text("")
    team.run()
    assert team.landed() == ["A"]
    assert "execution.leased" not in team.told.kinds()
    assert team.tasks()["A"].attempts == 1
    team.assert_clean()


def test_stopping_ends_workers_keeps_their_work_and_queues_the_task_again(team: Any) -> None:
    def stop(event: Event) -> None:
        with team.ledger() as ledger:
            ledger.transact(SetMode(mode=TeamMode.STOPPED))

    marker = team.root / "written"
    steps = [write("half", "done\n"), write(str(marker), ""), {"do": "hang"}]
    team.plan(team.task("A", steps, [write("a", "1\n")]))
    team.told.on["execution.started"] = lambda event: _await(marker) or stop(event)
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason, task.charged) == (TaskState.QUEUED, "stopped", 0)
    refs = team.git("for-each-ref", "--format=%(refname)", "refs/cto/teams/main/preserved")
    assert team.show("half", refs) == "done"
    team.told.on.clear()
    team.run()
    assert team.landed() == ["A"]
    team.assert_clean()


def test_work_that_must_not_be_taken_up_is_refused_and_stays(team: Any) -> None:
    steps = [write("sub/.git/config", "[core]\n"), write("a", "1\n")]
    team.plan(team.task("A", steps, [write("a", "2\n")]))
    team.run()
    assert team.landed() == ["A"]
    assert team.tasks()["A"].retries == {"nested_repository": 1}
    rooms = [path for path in team.rooms.rglob("room") if path.is_dir()]
    assert len(rooms) == 1
    assert (rooms[0] / "a").read_text() == "1\n"


def test_a_lost_room_costs_an_attempt_but_no_charge(team: Any) -> None:
    def wreck(event: Event) -> None:
        team.told.on.clear()
        shutil.rmtree(team.rooms)
        flag.write_text("")

    flag = team.root / "go"
    waiting = [{"do": "wait_for", "path": str(flag)}]
    team.plan(team.task("A", waiting, [write("a", "1\n")]))
    team.told.on["execution.started"] = wreck
    team.run()
    assert team.landed() == ["A"]
    assert team.tasks()["A"].charged == 0


def test_a_plain_file_where_the_target_should_be_is_one_clear_error(team: Any) -> None:
    team.git("branch", "cto")
    team.plan(team.task("A", [write("a", "1\n")]))
    with pytest.raises(CtoError) as error:
        team.run()
    assert "refs/heads/cto" in error.value.message


def _await(path: Path) -> None:
    """Return when a file exists; the test's own deadline bounds it."""
    while not path.exists():
        pass


def test_a_rewritten_target_is_never_called_done(team: Any) -> None:
    """The orchestrator dies after moving the target; somebody amends the commit; it runs again."""

    class DiedError(Exception):
        pass

    def rewrite(event: Event) -> None:
        landing = event.body.landing
        team.git("update-ref", landing.target, landing.new, landing.old)
        text = team.git("cat-file", "commit", landing.new).replace("do A", "do Z")
        amended = team.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=text + "\n")
        team.git("update-ref", landing.target, amended, landing.new)
        raise DiedError

    team.plan(team.task("A", [write("a", "1\n")]))
    team.told.on["landing.intended"] = rewrite
    with pytest.raises(DiedError):
        team.run()
    team.told.on.clear()
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason) == (TaskState.BLOCKED, "target_rewritten")
    assert [team.show("a", ref) for ref in team.preserved()] == ["1"]
    team.assert_clean()


@pytest.mark.parametrize("loss", [("branch", "-D"), ("branch", "-f")])
def test_a_target_that_lost_what_landed_is_refused(team: Any, loss: tuple[str, ...]) -> None:
    team.plan(team.task("A", [write("a", "1\n")]))
    team.run()
    onto = ("main",) if loss[1] == "-f" else ()
    team.git(*loss, "cto/main/integration", *onto)
    with pytest.raises(CtoError, match="no longer holds what landed") as error:
        team.run()
    commit = team.tasks()["A"].commit
    assert commit in error.value.hint
    team.git("branch", "--force", "cto/main/integration", commit)
    team.run()
    assert team.landed() == ["A"]


def test_a_stop_asked_for_before_the_worker_exists_ends_it(team: Any) -> None:
    """The stop is recorded with the lease, so the loop asks while the room is still being made."""

    def stop(event: Event) -> None:
        team.told.on.clear()
        with team.ledger() as ledger:
            ledger.transact(SetMode(mode=TeamMode.STOPPED))

    team.plan(team.task("A", [{"do": "hang"}], [write("a", "1\n")]))
    team.told.on["execution.leased"] = stop
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason, task.charged) == (TaskState.QUEUED, "stopped", 0)
    team.run()
    assert team.landed() == ["A"]


def test_what_a_worker_moved_beside_its_room_survives_the_next_run(team: Any) -> None:
    steps = [write("work", "w\n"), {"do": "move", "path": "../room", "to": "../elsewhere"}]
    team.plan(team.task("A", steps, [write("a", "1\n")]))
    team.run()
    assert team.landed() == ["A"]
    team.run()
    assert [path.read_text() for path in team.rooms.rglob("elsewhere/work")] == ["w\n"]


def test_a_room_that_the_disk_refuses_ends_the_attempt_and_not_the_run(team: Any) -> None:
    team.plan(team.task("A", [write("a", "1\n")]))
    team.rooms.mkdir()
    (team.rooms / "main").write_text("in the way")
    team.run()
    task = team.tasks()["A"]
    assert task.reason == "not_started"
    assert "in the way" not in task.detail
    assert str(team.rooms) in task.detail
    (team.rooms / "main").unlink()
    with team.ledger() as ledger:
        ledger.transact(RequeueTask(task="A"))
    team.run()
    assert team.landed() == ["A"]


class SetBack(SystemEffects):
    """A wall clock that somebody sets back."""

    offset_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.offset_ms


def test_a_clock_set_back_after_the_work_makes_its_evidence_no_older(team: Any) -> None:
    team.plan(team.task("A", [write("a.txt", "a\n")]))
    effects = SetBack()

    def set_back(_: Event) -> None:
        effects.offset_ms = -7_200_000

    team.told.on["work.harvested"] = set_back
    run_team(replace(team.request(), effects=effects), team.told, lambda: False)
    assert team.landed() == ["A"]
