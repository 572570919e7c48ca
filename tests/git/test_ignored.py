"""Ignored files that are kept: those that match, as they are, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitcto.git import ignored
from gitcto.git.ignored import WithIgnored, with_ignored
from gitcto.git.trees import checkout
from tests.git.conftest import Repo


class Room:
    def __init__(self, repo: Repo, root: Path) -> None:
        self.repo, self.path, self.scratch = repo, root / "room", root / "scratch"
        self.tree = repo.git("rev-parse", "HEAD^{tree}")
        self.scratch.mkdir()
        checkout(repo.trusted, self.tree, self.path, root / "index")

    def write(self, name: str, text: str = "x") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def take(self, *patterns: str) -> WithIgnored:
        return with_ignored(self.repo.found, self.path, self.tree, patterns, self.scratch)

    def names(self, taken: WithIgnored) -> list[str]:
        changed = self.repo.git("diff-tree", "-r", "--name-only", self.tree, taken.tree)
        return changed.splitlines()


@pytest.fixture
def room(repo: Repo, tmp_path: Path) -> Room:
    repo.commit(**{".gitignore": "*.log\nbuild/\n:odd\n", "a": "1\n"})
    return Room(repo, tmp_path)


def test_only_what_matches_and_is_ignored_is_added(room: Room) -> None:
    for name in ("a.log", "sub/deep.log", "build/out/x.o", "build/y", "untracked"):
        room.write(name)
    assert room.names(room.take("*.log")) == ["a.log"]
    assert room.names(room.take("**/*.log")) == ["a.log", "sub/deep.log"]
    assert room.names(room.take("build")) == ["build/out/x.o", "build/y"]
    assert room.names(room.take("b*", "a.log")) == ["a.log", "build/out/x.o", "build/y"]
    assert room.take("nothing/**").tree == room.tree


def test_odd_names_links_and_filters_are_taken_as_they_are(room: Room, tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    room.write(".gitattributes", "* filter=x\n")
    room.write(".git/config", f'[filter "x"]\n\tclean = touch {evil}\n')
    room.write(":odd")
    (room.path / "link.log").symlink_to("/etc/passwd")
    taken = room.take("*")
    assert room.names(taken) == [":odd", "link.log"]
    assert room.repo.git("show", f"{taken.tree}:link.log") == "/etc/passwd"
    assert not evil.exists()


def test_what_is_too_large_is_left_and_named(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ignored, "MAX_FILE_BYTES", 10)
    monkeypatch.setattr(ignored, "MAX_ALL_BYTES", 15)
    room.write("a.log", "1234567890")
    room.write("b.log", "12345678901")
    room.write("c.log", "123456")
    room.write("d.log", "12345")
    taken = room.take("*.log")
    assert room.names(taken) == ["a.log", "d.log"]
    assert taken.left == ("b.log", "c.log")


def test_a_repository_among_ignored_files_is_not_entered(room: Room) -> None:
    room.write("build/dep/file")
    room.repo.git("init", "-q", str(room.path / "build/dep"))
    room.write("build/y")
    taken = room.take("build")
    assert room.names(taken) == ["build/y"]
    assert taken.left == ("build/dep/",)
