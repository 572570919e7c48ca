"""Rooms of real runs made from warm trees: reused, never shared, never from a doubtful room."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

ENOUGH = 1100
"""Files enough for a tree to be worth keeping."""


@pytest.fixture
def large(crew: Any) -> Any:
    crew.files(ENOUGH)
    return crew


def test_the_next_room_is_made_of_the_last(large: Any) -> None:
    seen = large.team.root / "seen"
    look = f"stat -c '%i %Z' many/part3/333 >> {seen}"
    large.tasks(A=f"{look}; echo changed > many/part0/0; echo x > junk; mkdir empty")
    large.team.run()
    large.tasks(B=f"{look}; test ! -e empty && echo b > b")
    large.team.run()
    assert large.team.landed() == ["A", "B"]
    first, second = seen.read_text().splitlines()
    assert first == second
    assert large.team.show("many/part0/0") == "changed"
    assert large.team.git("diff", "--name-status", "main", "cto/main/integration").split("\n") == [
        "A\tb",
        "A\tjunk",
        "M\tmany/part0/0",
    ]
    assert [path.name for path in large.left(".pool")] == ["0"]
    large.team.assert_clean()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("mkdir -p sub/.git && echo x > sub/.git/config; echo a > a", "refused"),
        ("echo a > a; kill -9 $$", "killed"),
        ("chmod 777 many; echo a > a", "left open"),
        ("echo a > a; exec sleep 100", "late"),
    ],
)
def test_a_doubtful_room_is_not_kept(large: Any, script: str, why: str) -> None:
    once = "max_attempts = 1\nprovider_faults_per_task = 1"
    large.team.policy_text = large.team.policy_text.replace("max_attempts = 2", once)
    large.team.policy_text += "[limits]\nwall_s = 1\n" if why == "late" else ""
    large.tasks(A=script)
    large.team.run()
    assert (large.team.landed() == ["A"]) == (why == "left open")
    kept = large.left(".pool")
    assert kept == [] or why == "killed"
    for tree in kept:
        assert not (tree / "tree/a").exists()


@pytest.mark.slow
@pytest.mark.parametrize("workspace", ["clone", "worktree"])
@pytest.mark.parametrize("point", ["room.files", "room.aside", "room.removed", "room.kept"])
def test_a_kill_on_the_way_into_the_pool_or_out_of_it(
    large: Any, workspace: str, point: str
) -> None:
    large.team.policy_text = large.team.policy_text.replace('"clone"', f'"{workspace}"')
    large.plan(
        large.task("A", "echo a > a"),
        large.task("B", "echo b > b", depends_on=("A",)),
        large.task("C", "echo c > c", depends_on=("B",)),
    )
    large.die_at(point, 2)
    large.team.run()
    assert large.team.landed() == ["A", "B", "C"]
    for tree in large.left(".pool"):
        assert (tree / "kept.json").exists()
    large.team.assert_clean()
    assert large.team.git("worktree", "list").count("\n") == 0
    assert large.team.git("for-each-ref", "refs/heads/cto/main/T*", "refs/heads/cto/main/A*") == ""


def test_nothing_waits_for_a_removed_room_to_be_deleted(
    crew: Any, until: Any, tmp_path: Path
) -> None:
    """A thing that cannot be deleted as long as somebody holds the lock of the trash."""
    from gitcto.git.lock import exclusive

    crew.tasks(A="echo a > a")
    with exclusive(crew.rooms / ".trash" / "lock"):
        began = time.monotonic()
        crew.team.run()
        assert crew.team.landed() == ["A"]
        assert time.monotonic() - began < 30
        assert len(crew.left(".trash")) >= 1
        crew.team.assert_clean()
    crew.team.run()
    until(lambda: crew.left(".trash") == [])


def test_what_a_killed_checkout_leaves_beside_its_room_is_ours(crew: Any) -> None:
    crew.tasks(A="echo a > a")
    crew.die_at("room.files")
    (place,) = crew.left("main")
    for name in ("room.index.lock", "cone.json.99.tmp"):
        (place / name).write_text("half")
    crew.team.run()
    assert crew.team.landed() == ["A"]
    crew.team.assert_clean()
