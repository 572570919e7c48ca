"""What changes outside a worker's room while it runs: told, held against it, and never landed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gitcto.errors import CtoError
from gitcto.model.codec import Event
from gitcto.model.commands import FailExecution, ImportPlan, RequeueTask
from gitcto.model.isolation import confines
from gitcto.model.records import TaskSpec, TaskState
from gitcto.plugins import Plugins
from gitcto.runtime.core.outside_record import Outside, record_of
from gitcto.runtime.delivery.land import fast_forward
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.host.probing import choose_sandbox
from gitcto.runtime.team.run import make_context
from gitcto.runtime.workspace import outside


def write(path: object, text: str) -> dict[str, object]:
    return {"do": "write", "path": str(path), "text": text}


def append(path: object, text: str) -> dict[str, object]:
    return {"do": "append", "path": str(path), "text": text}


WORK = write("a", "1\n")


def security(team: Any) -> list[Event]:
    return [event for event in team.told.events if event.kind == "security.outside"]


@pytest.fixture
def confined(team: Any) -> Any:
    """A team whose sandbox keeps its workers in their rooms, so that changes are a person's."""
    offered = Plugins.load(sys.path).sandboxes()
    names = [name for name, each in offered.items() if confines(each.descriptor.level)]
    for name in names:
        try:
            choose_sandbox(Plugins.load(sys.path), (name,), team.root / "probe", team.environ)
        except CtoError:
            continue
        team.policy_text = team.policy_text.replace('use = ["none"]', f'use = ["{name}"]')
        return team
    pytest.skip("no sandbox that confines writes works on this machine")


def add(team: Any, task: TaskSpec) -> None:
    with team.ledger() as ledger:
        ledger.transact(ImportPlan(source="test", digest="1", tasks=(task,)))


def test_a_worker_that_writes_into_the_checkout_does_not_land(team: Any) -> None:
    steps = [append(team.path / "base.txt", "leaked\n"), write(team.path / "new", "x"), WORK]
    team.plan(team.task("A", steps, [WORK]))
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason, task.charged) == (TaskState.BLOCKED, "outside_changed", 0)
    assert f"{team.path}/base.txt was changed (and 1 more)" in task.detail
    assert "git cto retry A" in task.detail
    assert team.landed() == []
    (event,) = security(team)
    assert event.body.blocking
    assert event.body.changes == (
        f"{team.path}/base.txt was changed",
        f"{team.path}/new appeared",
    )
    assert [team.show("a", ref) for ref in team.preserved()] == ["1"]
    kinds = team.told.kinds()
    assert kinds.index("security.outside") < kinds.index("execution.failed")
    team.assert_clean()
    assert not list((team.path / ".git/cto/teams/main/outside").iterdir())


def test_after_a_person_has_looked_a_retry_lands(team: Any) -> None:
    team.plan(team.task("A", [append(team.path / "base.txt", "x"), WORK], [WORK]))
    team.run()
    with team.ledger() as ledger:
        ledger.transact(RequeueTask(task="A"))
    team.run()
    assert team.landed() == ["A"]
    assert security(team) == []


@pytest.mark.parametrize("word", ["tell", "refuse"])
@pytest.mark.parametrize("grave", [False, True])
def test_where_writes_are_confined_a_person_may_work_in_the_checkout(
    confined: Any, word: str, grave: bool
) -> None:
    """A person edits a file while the worker runs, or makes a hook."""
    team, path = confined, confined.path / (".git/hooks/pre-push" if grave else "base.txt")

    def edit(event: Event) -> None:
        with path.open("a") as file:
            file.write("mine\n")
        (team.rooms / f"main/{event.body.execution}/room/go").touch()

    team.policy_text = team.policy_text.replace("[retries]", f'outside = "{word}"\n[retries]')
    team.plan(team.task("A", [{"do": "wait_for", "path": "go"}, WORK]))
    team.told.on["execution.started"] = edit
    team.run()
    (event,) = security(team)
    assert event.body.changes == (f"hook {path} appeared" if grave else f"{path} was changed",)
    assert event.body.blocking is (grave or word == "refuse")
    assert team.landed() == ([] if event.body.blocking else ["A"])


@pytest.mark.parametrize("level", ["", "none", "detect", "landlock", "seatbelt", "strict"])
@pytest.mark.parametrize("grave", [False, True])
@pytest.mark.parametrize("word", ["tell", "refuse"])
def test_what_blocks(team: Any, level: str, grave: bool, word: str) -> None:
    team.policy_text = team.policy_text.replace("[retries]", f'outside = "{word}"\n[retries]')
    team.plan(team.task("A", [WORK]))
    team.run()
    with team.ledger() as ledger:
        (execution,) = ledger.executions("A")
        request = team.request()
        layout = Layout(request.repository, request.team, request.rooms_root)
        context = make_context(request, layout)
        at = replace(execution, isolation=level)
        found = record_of(context.policy, at, Outside(changes=("x",), guarded=grave))
        assert record_of(context.policy, at, Outside()) is None
    assert found is not None
    weak = level in {"", "none", "detect"}
    assert found.blocking is (weak or grave or word == "refuse")


def test_an_outside_change_counts_more_than_the_worker_s_own_failure(team: Any) -> None:
    team.plan(team.task("A", [append(team.path / "base.txt", "x"), {"do": "exit", "code": 3}]))
    team.run()
    assert team.tasks()["A"].reason == "outside_changed"


def test_every_worker_that_ran_at_the_time_is_named(team: Any) -> None:
    """A and B are alive together when the change is made; C starts when both are gone."""
    seen, done = team.root / "seen", team.root / "done"
    team.plan(
        team.task("A", [write(seen, ""), {"do": "wait_for", "path": str(done)}, WORK]),
        team.task(
            "B",
            [
                {"do": "wait_for", "path": str(seen)},
                append(team.path / "base.txt", "x"),
                write(done, ""),
                write("b", "1\n"),
            ],
        ),
        team.task("C", [write("c", "1\n")], priority="low"),
    )
    team.policy_text = team.policy_text.replace("max_workers = 3", "max_workers = 2")
    team.run()
    tasks = team.tasks()
    assert {name: task.reason for name, task in tasks.items()} == {
        "A": "outside_changed",
        "B": "outside_changed",
        "C": "",
    }
    assert team.landed() == ["C"]


def test_what_git_cto_does_itself_is_no_difference(team: Any) -> None:
    """Others land, keep work and are led to the user's branch while a worker waits."""
    flag, kept = team.root / "go", team.root / "kept"

    def land(event: Event) -> None:
        team.told.on.clear()
        request = team.request()
        moved = fast_forward(request.repository, event.body.target, None, team.environ)
        assert moved.commits == 1
        flag.write_text("")

    def keep(event: Event) -> None:  # while it lands, only SLOW may be at work: files go first
        if event.body.then is TaskState.FAILED_TERMINAL:
            kept.write_text("")

    bad = team.task("BAD", [write("bad", "x"), {"do": "exit", "code": 1}])
    team.plan(
        team.task("SLOW", [{"do": "wait_for", "path": str(flag)}, write("slow", "1\n")]),
        bad,
        team.task(
            "A",
            [
                {"do": "wait_for", "path": str(kept)},
                append("base.txt", "more\n"),
                write("fresh", "1\n"),
            ],
        ),
    )
    team.told.on["landing.done"] = land
    team.told.on["execution.failed"] = keep
    team.run()
    assert security(team) == []
    assert sorted([*team.landed(), "A"]) == ["A", "SLOW"]
    assert (team.path / "fresh").read_text() == "1\n"
    assert len(team.preserved()) == 2


def test_the_records_of_a_sibling_are_guarded(team: Any) -> None:
    go = team.root / "go"

    def forge(event: Event) -> None:
        team.told.on.clear()
        record = team.path / f".git/cto/teams/main/executions/{event.body.execution}/started.json"
        add(team, team.task("B", [append(record, " "), write(go, ""), write("b", "1\n")]))

    team.plan(team.task("A", [{"do": "wait_for", "path": str(go)}, WORK]))
    team.told.on["execution.started"] = forge
    team.run()
    assert team.tasks()["B"].reason == "outside_changed"
    told = [text for event in security(team) for text in event.body.changes]
    assert any(text.startswith("the process record ") for text in told)


def test_an_idle_room_is_guarded_and_a_room_at_work_is_not(team: Any) -> None:
    """The first attempt leaves a room that is kept; the second changes a file in it."""
    refused = [write("sub/.git/config", "[core]\n")]
    team.plan(team.task("A", refused, [WORK]), team.task("B", [write("b", "1\n")]))
    team.run()
    assert sorted(team.landed()) == ["A", "B"]
    (room,) = [path for path in team.rooms.glob("main/*/room") if path.is_dir()]
    assert security(team) == []
    add(team, team.task("C", [write(room / "planted", "x"), write("c", "1\n")]))
    team.run()
    assert security(team)[0].body.changes == (f"the room {room} was changed",)
    assert team.tasks()["C"].reason == "outside_changed"


def test_a_worker_adopted_after_a_kill_is_compared_with_what_was_before(team: Any) -> None:
    flag = team.root / "go"
    steps = [{"do": "wait_for", "path": str(flag)}, append(team.path / "base.txt", "x"), WORK]
    team.plan(team.task("A", steps))
    started: list[int] = []
    team.told.on["execution.started"] = lambda event: started.append(event.body.pid)
    assert team.run(interrupted=lambda: bool(started)).live
    flag.write_text("")
    team.run()
    assert team.tasks()["A"].reason == "outside_changed"
    assert security(team)[0].body.changes == (f"{team.path}/base.txt was changed",)


@pytest.mark.parametrize("damage", ["gone", "broken"])
def test_without_the_look_from_before_nothing_lands(team: Any, damage: str) -> None:
    flag = team.root / "go"
    team.plan(team.task("A", [{"do": "wait_for", "path": str(flag)}, WORK]))
    started: list[int] = []
    team.told.on["execution.started"] = lambda event: started.append(event.body.pid)
    team.run(interrupted=lambda: bool(started))
    (stored,) = team.path.glob(".git/cto/teams/main/outside/*/fingerprint.json")
    if damage == "gone":
        stored.unlink()
    else:
        stored.write_text("[]")
    flag.write_text("")
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason) == (TaskState.BLOCKED, "outside_changed")
    assert "is not known any more" in task.detail
    assert team.landed() == []


def test_a_checkout_that_git_cannot_read_any_more_blocks(team: Any) -> None:
    team.plan(team.task("A", [write(team.path / ".git/index", "garbage"), WORK]))
    team.run()
    assert team.tasks()["A"].reason == "outside_changed"
    assert security(team)[0].body.blocking


@pytest.mark.parametrize("point", ["attempt.harvested", "attempt.kept", "work.preserved"])
def test_a_kill_between_the_comparison_and_its_record_forgets_nothing(
    team: Any, point: str
) -> None:
    team.save_policy()
    team.plan(team.task("A", [append(team.path / "base.txt", "x"), WORK]))
    program = Path(__file__).with_name("run_and_die.py")
    argv = [sys.executable, str(program), str(team.root), point, "1"]
    assert subprocess.run(argv, env=team.environ, check=False).returncode == -9
    team.run()
    assert team.tasks()["A"].reason == "outside_changed"
    assert team.landed() == []
    assert [team.show("a", ref) for ref in team.preserved()] == ["1"]
    team.assert_clean()


def test_many_changes_are_counted_not_all_named(team: Any) -> None:
    steps = [write(team.path / f"n{number:03}", "x") for number in range(50)]
    team.plan(team.task("A", [*steps, WORK]))
    team.run()
    (event,) = security(team)
    assert len(event.body.changes) == outside.MOST_TOLD + 1
    assert event.body.changes[-1] == f"and {50 - outside.MOST_TOLD} more"


def test_a_worker_that_outlived_its_attempt_is_ended_compared_and_its_work_kept(team: Any) -> None:
    """The attempt was ended by somebody else; its worker reaches outside and hangs."""
    reached = team.root / "reached"
    steps = [append(team.path / "base.txt", "x"), WORK, write(reached, ""), {"do": "hang"}]
    team.plan(team.task("A", steps))
    started: list[Event] = []
    team.told.on["execution.started"] = started.append
    (execution,) = team.run(interrupted=lambda: bool(started) and reached.exists()).live
    team.told.on.clear()
    failed = FailExecution(
        execution=execution.id,
        epoch=execution.epoch,
        reason="by hand",
        detail="",
        charged=True,
        max_attempts=1,
    )
    with team.ledger() as ledger:
        ledger.transact(failed)
    team.run()
    with pytest.raises(ProcessLookupError):
        os.kill(execution.pid, 0)
    (event,) = security(team)
    assert event.body.execution == execution.id
    assert event.body.blocking
    assert [team.show("a", ref) for ref in team.preserved()] == ["1"]
    team.assert_clean()
    assert not list((team.path / ".git/cto/teams/main/outside").iterdir())


def test_a_set_up_command_that_reaches_outside_is_held_against_its_attempt(team: Any) -> None:
    argv = json.dumps(["sh", "-c", f"echo evil >> {team.path}/base.txt"])
    team.policy_text += f"[workspace.setup]\nargv = {argv}\n"
    team.plan(team.task("A", [WORK]))
    team.run()
    assert team.tasks()["A"].reason == "outside_changed"
    assert security(team)[0].body.changes == (f"{team.path}/base.txt was changed",)
