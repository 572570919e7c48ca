"""The fault loop and the power cuts: they find what is wrong, and nothing in our own operations."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitcto.git.durable import storage_errors
from gitcto.testing.fault_loop import FaultLoop, figures
from gitcto.testing.own_operations import OWN
from gitcto.testing.power_loss import PowerLoss
from gitcto.testing.power_loss import figures as power_figures
from gitcto.testing.scene import Operation, Scene
from gitcto.testing.tracing import why_not

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "-"),
    pytest.mark.timeout(600),
]
NAMES = {operation.name: operation for operation in OWN}


def small(act, **fields) -> Operation:
    return Operation(name="small", prepare=lambda scene: None, act=act, **fields)


def file_of(scene: Scene) -> Path:
    return scene.root / "file"


def written(scene: Scene, *, synced: bool, folder: bool) -> None:
    with storage_errors("write a file"):
        with file_of(scene).open("wb") as file:
            file.write(b"x" * 2000)
            file.flush()
            if synced:
                os.fsync(file.fileno())
        if folder:
            fd = os.open(scene.root, os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
    scene.acknowledge("whole")


def is_whole(scene: Scene, what: str) -> bool:
    return file_of(scene).exists() and file_of(scene).read_bytes() == b"x" * 2000


def kinds(rounds) -> set[str]:
    return {kind for each in rounds for kind, _ in each.problems}


def test_every_fault_of_a_sound_operation_is_survived(tmp_path: Path) -> None:
    act = small(lambda scene: written(scene, synced=True, folder=True), kept=is_whole)
    rounds = list(FaultLoop(act, tmp_path / "loop").rounds())
    assert [str(each) for each in rounds if each.problems] == []
    assert {each.point.call for each in rounds} == {"openat", "write", "fsync"}
    assert {each.how for each in rounds} == {"killed", "refused"}
    assert set(figures(rounds)["small"]) == {
        "kill",
        "EIO",
        "ENOSPC",
        "EIO for good",
        "ENOSPC for good",
    }


def test_an_error_that_nobody_catches_is_found(tmp_path: Path) -> None:
    act = small(lambda scene: file_of(scene).write_bytes(b"x"))
    rounds = list(FaultLoop(act, tmp_path / "loop").rounds(["EIO"]))
    assert kinds(rounds) == {"broke"}


def test_what_is_acknowledged_too_early_is_found(tmp_path: Path) -> None:
    def act(scene: Scene) -> None:
        scene.acknowledge("whole")
        written(scene, synced=True, folder=True)

    rounds = list(FaultLoop(small(act, kept=is_whole), tmp_path / "loop").rounds(["kill"]))
    assert kinds(rounds) == {"lost"}


def test_a_lock_that_nobody_removes_is_found(tmp_path: Path) -> None:
    def prepare(scene: Scene) -> None:
        subprocess.run(["git", "init", "-q", str(scene.root / "repo")], check=True)

    def act(scene: Scene) -> None:
        lock = scene.root / "repo/.git/index.lock"
        if not lock.exists():
            with storage_errors("lock"):
                lock.touch()
                file_of(scene).write_text("x")
                lock.unlink()

    operation = Operation(name="small", prepare=prepare, act=act)
    assert kinds(FaultLoop(operation, tmp_path / "loop").rounds(["kill"])) == {"lock"}


@pytest.mark.parametrize(
    ("synced", "folder", "sound"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_a_power_cut_takes_what_was_not_synced(tmp_path: Path, synced, folder, sound) -> None:
    """A content is kept by a sync of the file, its name by one of the directory, neither alone."""
    act = small(lambda scene: written(scene, synced=synced, folder=folder), kept=is_whole)
    outcomes = list(PowerLoss(act, tmp_path / "loop").outcomes())
    assert (kinds(outcomes) == set()) == sound
    torn = {len(change.data) for each in outcomes for change in each.cut.changes if change.data}
    assert torn == {1000, 1536, 2000}


@pytest.mark.parametrize("operation", OWN, ids=lambda operation: operation.name)
def test_our_own_operations_survive_every_fault(
    operation: Operation, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """One fault at a few points of each call; ``python -m gitcto.testing.fault_loop`` tries all."""
    most = 1 if operation.name in {"pack", "publish"} else 2  # the longest of them
    rounds = list(FaultLoop(operation, tmp_path / "loop", most).sample())
    assert [str(each) for each in rounds if each.problems] == []
    struck = [each for each in rounds if each.how != "missed"]
    assert len(struck) > len(rounds) * 0.8
    record_property("figures", f"{operation.name}: {len(struck)} faults")


def test_a_lock_that_cannot_be_removed_is_by_the_next_writer(tmp_path: Path) -> None:
    operation = next(each for each in OWN if each.name == "worktree room removed")
    rounds = list(FaultLoop(operation, tmp_path / "loop").rounds(["EIO"], "unlink"))
    assert [str(each) for each in rounds if each.problems] == []
    assert any(each.healed for each in rounds)


DISKS = {
    "append": 40,
    "first append": 60,
    "landing": 40,
    "preserved ref made": 60,
    "preserved ref dropped": 40,
    "worker records": 40,
    "evidence": 20,
    "publish": 20,
    "worktree room removed": 20,
}


@pytest.mark.parametrize("name", sorted(DISKS))
def test_our_own_operations_survive_power_cuts(
    name: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    outcomes = list(PowerLoss(NAMES[name], tmp_path / "loop", DISKS[name]).outcomes())
    assert [str(each) for each in outcomes if each.problems] == []
    row = power_figures(outcomes)[name]
    record_property("figures", f"{name}: {len(outcomes)} disks, {row['seconds']} s at most")
