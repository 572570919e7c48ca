"""Deleting trees: deep ones, locked ones, and nothing that a link points to."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitcto.git.durable import discard
from gitcto.git.erase import erase
from gitcto.testing.kills import kills


def locked(root: Path) -> Path:
    """Make directories in directories that cannot be read, written or entered."""
    root.mkdir()
    made = [root / "a", root / "a/b", root / "a/b/c"]
    for directory in made:
        directory.mkdir()
        (directory / "file").write_text("x")
    for directory in reversed(made):
        directory.chmod(0)
    return root


def deep(root: Path, levels: int) -> Path:
    """Make a tree so deep that no path leads to its end."""
    root.mkdir()
    here = os.open(root, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=below))
        os.close(here)
        here = below
    os.close(here)
    return root


def as_nobody(action) -> None:
    """Do something without root's power to pass every lock."""
    pid = os.fork()
    if pid == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            action()
        except BaseException:  # noqa: BLE001
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.fixture
def open_path(tmp_path: Path) -> Path:
    """A directory that everybody may use."""
    for directory in (tmp_path, *tmp_path.parents):
        mode = directory.stat().st_mode
        if not mode & 0o001:
            directory.chmod(mode | 0o011)
    place = tmp_path / "open"
    place.mkdir()
    place.chmod(0o777)
    return place


def test_locked_directories_go(open_path: Path):
    as_nobody(lambda: erase(locked(open_path / "x")))
    as_nobody(lambda: discard(locked(open_path / "y")))
    assert list(open_path.iterdir()) == []


def test_a_tree_deeper_than_any_path_goes(tmp_path: Path):
    try:
        erase(deep(tmp_path / "x", 1200))
        assert list(tmp_path.iterdir()) == []
    finally:  # Python's own rmtree, and so pytest, cannot remove what is left
        subprocess.run(["rm", "-rf", str(tmp_path / "x")], check=True)


def test_links_are_not_followed(tmp_path: Path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").write_text("x")
    (tmp_path / "x").mkdir()
    (tmp_path / "x/link").symlink_to(tmp_path / "kept")
    erase(tmp_path / "x")
    assert (tmp_path / "kept/file").read_text() == "x"
    assert not (tmp_path / "x").exists()


def test_a_killed_removal_is_finished_by_another(tmp_path: Path):
    place = tmp_path / "place"
    place.mkdir()
    module = Path(erase.__code__.co_filename)
    for _ in kills(lambda number: discard(deep(place / str(number), 9)), module):
        for path in [*place.iterdir()]:
            erase(path)
        assert list(place.iterdir()) == []
