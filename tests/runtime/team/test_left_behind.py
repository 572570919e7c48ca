"""What a worker leaves that is no part of its work: kept with its room, or as policy says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitcto.runtime.core.messages import NO_WORK
from gitcto.runtime.core.seats import Turn
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.team.run import make_context
from gitcto.runtime.worker import workers
from gitcto.runtime.worker.run_files import LAUNCH
from gitcto.runtime.workspace import clean
from gitcto.runtime.workspace.taking_up import work_unseen


def write(path: str, text: str) -> dict[str, object]:
    return {"do": "write", "path": path, "text": text}


WORK = write("a", "1\n")
FAIL = {"do": "exit", "code": 1}


def rooms(team: Any) -> list[Path]:
    return sorted(path for path in team.rooms.glob("main/*/room") if path.is_dir())


def cleaned(team: Any) -> list[clean.CleanItem]:
    """Let clean do what it may and return what it looked at."""
    request = team.request()
    context = make_context(request, Layout(request.repository, request.team, request.rooms_root))
    with context.ledger:
        items = clean.plan(context)
        assert clean.apply(context, items) == []
    return items


@pytest.fixture
def ignoring(team: Any) -> Any:
    (team.path / ".gitignore").write_text("build/\n*.log\n")
    team.git("add", ".")
    team.git("-c", "user.name=u", "-c", "user.email=u@x", "commit", "-qm", "ignore")
    team.policy_text += "\n[scope]\nprotected = []\n"
    return team


@pytest.mark.parametrize("ending", ["landed", "failed"])
def test_a_repository_among_ignored_files_keeps_its_room(ignoring: Any, ending: str) -> None:
    team = ignoring
    steps = [write("build/dep/.git/config", ""), write("build/dep/x", "mine\n"), WORK]
    team.plan(team.task("A", [*steps, *([FAIL] if ending == "failed" else [])], [WORK]))
    team.run()
    assert team.landed() == ["A"]
    (room,) = rooms(team)
    assert (room / "build/dep/x").read_text() == "mine\n"
    (note,) = [note for note in team.told.notes if "was not taken up" in note]
    assert "'build/dep'" in note
    assert str(room) in note
    team.run()
    assert rooms(team) == [room]
    (item,) = cleaned(team)
    assert not item.safe
    assert "'build/dep'" in item.why
    for path in sorted((room / "build/dep").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (room / "build/dep").rmdir()
    (item,) = cleaned(team)
    assert item.safe
    team.assert_clean()


def test_what_was_moved_beside_a_room_keeps_it_though_the_work_lands(team: Any) -> None:
    steps = [write("half", "h\n"), {"do": "move", "path": "half", "to": "../half"}, WORK]
    team.plan(team.task("A", steps))
    team.run()
    assert team.landed() == ["A"]
    (room,) = rooms(team)
    assert (room.parent / "half").read_text() == "h\n"
    assert any("what its worker moved there: 'half'" in note for note in team.told.notes)
    (room.parent / "half").unlink()
    assert [item.safe for item in cleaned(team)] == [True]
    team.assert_clean()


def test_ignored_files_are_kept_with_work_that_does_not_land(ignoring: Any) -> None:
    team = ignoring
    team.policy_text = team.policy_text.replace(
        'plugin = "clone"', 'plugin = "clone"\npreserve_ignored = ["*.log"]'
    )
    steps = [write("trace.log", "t\n"), write("build/out", "no\n"), WORK]
    team.plan(team.task("A", [*steps, FAIL], steps))
    team.run()
    assert team.landed() == ["A"]
    (ref,) = team.preserved()
    assert team.show("trace.log", ref) == "t"
    assert team.git("ls-tree", "-r", "--name-only", f"{ref}~1").split() == [
        ".gitignore",
        "a",
        "base.txt",
    ]
    assert "build/out" not in team.git("ls-tree", "-r", "--name-only", ref)
    assert "trace.log" not in team.git("ls-tree", "-r", "--name-only", "cto/main/integration")
    team.assert_clean()


def test_ignored_files_alone_are_kept_too(ignoring: Any) -> None:
    team = ignoring
    team.policy_text = team.policy_text.replace(
        'plugin = "clone"', 'plugin = "clone"\npreserve_ignored = ["*.log"]'
    )
    team.plan(team.task("A", [write("trace.log", "t\n")], [WORK]))
    team.run()
    assert team.landed() == ["A"]
    assert [team.show("trace.log", ref) for ref in team.preserved()] == ["t"]
    team.assert_clean()


def test_an_ignored_file_too_large_to_keep_keeps_its_room(
    ignoring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = ignoring
    monkeypatch.setattr("gitcto.git.ignored.MAX_FILE_BYTES", 3)
    team.policy_text = team.policy_text.replace(
        'plugin = "clone"', 'plugin = "clone"\npreserve_ignored = ["*.log"]'
    )
    team.plan(team.task("A", [write("trace.log", "much\n"), FAIL], [WORK]))
    team.run()
    (room,) = rooms(team)
    assert (room / "trace.log").read_text() == "much\n"
    assert any("'trace.log'" in note for note in team.told.notes)


def test_a_worker_that_nobody_saw_start_may_have_worked_all_the_same(team: Any) -> None:
    """A supervisor that dies before it says so; without its launch record nothing can have run."""
    seen = team.root / "seen"
    team.plan(team.task("A", [WORK, write(str(seen), ""), {"do": "hang"}]))
    result = team.run(interrupted=seen.exists)
    (execution,) = result.live
    request = team.request()
    context = make_context(request, Layout(request.repository, request.team, request.rooms_root))
    task = result.state.tasks["A"]
    turn = Turn(task=task, execution=execution, step=execution.steps[0])
    work = work_unseen(context, turn)
    assert work is not None
    assert work.changed == 1
    assert team.show("a", work.commit) == "1"
    records = context.layout.records(execution.id)
    workers.request_stop(records)
    workers.wait(records)
    (context.layout.room(execution.id) / "sub/.git").mkdir(parents=True)
    assert work_unseen(context, turn) is None
    (records / LAUNCH).unlink()
    assert work_unseen(context, turn) is NO_WORK
