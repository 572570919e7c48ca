"""When the disk is short: what can be made again goes, nothing new starts, no work is deleted."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitcto.effects import SystemEffects
from gitcto.model.records import TaskState
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.team.run import make_context, run_team
from gitcto.runtime.workspace import space, trash
from gitcto.runtime.workspace.space import Space, clear_old, rebuildable, used_bytes

MIB = 1 << 20
DAY_MS = 24 * 3600 * 1000


class Clock(SystemEffects):
    """Time as a test wants it."""

    def __init__(self) -> None:
        self.later_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.later_s


def context_of(crew: Any, **changes: Any) -> Any:
    """Return a run's context, with other settings of [workspace]."""
    request = crew.team.request()
    rooms = replace(request.policy.rooms, **changes)
    request = replace(request, policy=replace(request.policy, rooms=rooms), effects=Clock())
    return make_context(request, Layout(request.repository, "main", request.rooms_root))


def fill(path: Path, mib: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(mib * MIB))
    return path


def kept(root: Path, name: str, mib: int, used_ms: int) -> Path:
    """Make something that can be made again, last used at a time."""
    fill(root / name / "content", mib)
    marker = root / name / "kept.json"
    marker.write_text(json.dumps({"size": mib * MIB}))
    os.utime(marker, ns=(used_ms * 10**6, used_ms * 10**6))
    return root / name


def test_what_rooms_take_is_added_up(crew: Any) -> None:
    layout = context_of(crew).layout
    fill(layout.room("x") / "deep/file", 3)
    fill(layout.trash / "y/it/file", 2)
    kept(layout.pool, "0", 1, 0)
    (layout.room("x") / "link").symlink_to("/")
    assert 6 * MIB <= used_bytes(layout) < 7 * MIB


def test_the_longest_unused_goes_first_and_no_more_than_needed(crew: Any) -> None:
    context = context_of(crew, disk_mib=6)
    layout = context.layout
    now = context.effects.now_ms()
    old = kept(layout.setups, "old", 3, now - 2000)
    new = kept(layout.pool, "0", 3, now - 1000)
    room = fill(layout.room("x") / "file", 2)
    assert Space(context).shortage() == ""
    assert (old.exists(), new.exists(), room.exists()) == (False, True, True)
    assert trash.waiting(layout.trash) == ()


def test_rooms_are_never_deleted_for_space(crew: Any) -> None:
    context = context_of(crew, disk_mib=1)
    room = fill(context.layout.room("x") / "file", 3)
    warm = kept(context.layout.pool, "0", 1, 0)
    short = Space(context).shortage()
    assert "take 3 MiB, workspace.disk_mib allows 1" in short
    assert room.exists()
    assert not warm.exists()


def test_rubbish_is_deleted_before_anything_of_use(crew: Any) -> None:
    context = context_of(crew, disk_mib=4)
    fill(context.layout.trash / "y/it/file", 3)
    warm = kept(context.layout.pool, "0", 3, 0)
    assert Space(context).shortage() == ""
    assert warm.exists()


def test_a_shortage_is_believed_for_a_moment_and_not_longer(crew: Any) -> None:
    context = context_of(crew, disk_mib=1)
    room = fill(context.layout.room("x") / "file", 3)
    watched = Space(context)
    assert watched.shortage()
    room.unlink()
    assert watched.shortage()
    context.effects.later_s = space.RETRY_S
    assert watched.shortage() == ""


def test_growth_is_seen_later(crew: Any, until: Any) -> None:
    context = context_of(crew, disk_mib=2)
    watched = Space(context)
    assert watched.shortage() == ""
    fill(context.layout.room("x") / "file", 3)
    assert watched.shortage() == ""
    context.effects.later_s = space.LOOK_S + 1
    until(lambda: watched.shortage() != "")


def test_what_is_old_or_damaged_goes(crew: Any) -> None:
    context = context_of(crew, max_age_days=2)
    layout, now = context.layout, context.effects.now_ms()
    kept(layout.pool, "0", 1, now - DAY_MS)
    kept(layout.pool, "1", 1, now - 3 * DAY_MS)
    kept(layout.setups, "x", 1, now - 3 * DAY_MS)
    fill(layout.setups / "half-made/content", 1)
    clear_old(context)
    assert [one.path.name for one in rebuildable(layout)] == ["0"]


@pytest.mark.parametrize("setting", ["free_mib = 16000000", "disk_mib = 1"])
def test_a_run_ends_when_there_is_no_space(crew: Any, setting: str) -> None:
    crew.workspace(setting)
    mine = fill(crew.rooms / "other-team/x/room/file", 3)
    crew.tasks(A="echo a > a")
    result = crew.team.run()
    assert result.unfinished == ("A",)
    assert crew.team.tasks()["A"].state is TaskState.QUEUED
    [note] = [note for note in crew.team.told.notes if "nothing new is started" in note]
    assert setting.split(" ", maxsplit=1)[0] in note
    assert note.endswith("`git cto clean` shows what may go")
    assert mine.exists()


def test_work_goes_on_while_nothing_new_starts(crew: Any) -> None:
    crew.workspace("disk_mib = 2\npool = 0")
    ballast = crew.rooms / "ballast/file"
    make = f"mkdir -p {ballast.parent}; head -c 5000000 /dev/urandom > {ballast}; echo a > a"
    crew.plan(crew.task("A", make), crew.task("B", "echo b > b", depends_on=("A",)))
    clock = Clock()

    def later(event: Any) -> None:
        clock.later_s = space.STALE_S + 1

    crew.team.told.on["landing.done"] = later
    request = replace(crew.team.request(), effects=clock)
    result = run_team(request, crew.team.told, lambda: False)
    assert crew.team.landed() == ["A"]
    assert result.unfinished == ("B",)
    assert ballast.exists()
    ballast.unlink()
    crew.team.run()
    assert crew.team.landed() == ["A", "B"]
