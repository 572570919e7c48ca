"""Taking work over: everything a worker left, nothing it prepared against us."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitcto.errors import CtoError
from gitcto.git.harvest import Harvested, HarvestRefused, harvest, means_git
from gitcto.git.trees import checkout

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.git.conftest import Repo

both_formats = pytest.mark.parametrize("repo", ["sha1", "sha256"], indirect=True)


class Room:
    """A workspace made from a commit, and its harvest."""

    def __init__(self, repo: Repo, base: str, root: Path) -> None:
        self.repo, self.base, self.path, self.scratch = repo, base, root / "room", root / "scratch"
        checkout(repo.trusted, base, self.path, root / "room.index")

    def harvest(self) -> Harvested:
        return harvest(self.repo.found, self.path, self.base, self.scratch)

    def refused(self) -> HarvestRefused:
        with pytest.raises(HarvestRefused) as caught:
            self.harvest()
        assert "\n" not in caught.value.message + caught.value.hint
        return caught.value

    def write(self, name: str, content: str = "x") -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path


@pytest.fixture
def room(repo: Repo, tmp_path: Path) -> Room:
    (repo.path / "src").mkdir()
    (repo.path / "src/run.sh").write_text("#!/bin/sh\n")
    (repo.path / "src/run.sh").chmod(0o755)
    base = repo.commit(a="1\n", gone="1\n", **{".gitignore": "build/\n*.log\n"})
    return Room(repo, base, tmp_path)


@both_formats
def test_an_untouched_room_is_its_base(room: Room):
    taken = room.harvest()
    assert taken.tree == room.repo.git("rev-parse", f"{room.base}^{{tree}}")
    assert (taken.changes, taken.dropped) == ((), ())


def test_everything_is_taken_as_it_stands(room: Room):
    odd = "new\nlïne \udcff"
    room.write("a", "2\n")
    room.write(odd)
    room.write("deep/er/tool").chmod(0o755)
    (room.path / "gone").unlink()
    (room.path / "link").symlink_to("/etc/passwd")
    (room.path / "src/run.sh").chmod(0o644)
    taken = room.harvest()
    assert {(c.status, c.path, c.mode) for c in taken.changes} == {
        ("M", "a", "100644"),
        ("A", odd, "100644"),
        ("A", "deep/er/tool", "100755"),
        ("D", "gone", "100644"),
        ("A", "link", "120000"),
        ("M", "src/run.sh", "100644"),
    }
    assert room.repo.git("cat-file", "-p", f"{taken.tree}:link") == "/etc/passwd"


def test_a_link_is_never_followed(room: Room, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "run.sh").write_text("secret")
    (room.path / "src/run.sh").unlink()
    (room.path / "src").rmdir()
    (room.path / "src").symlink_to(outside)
    taken = room.harvest()
    listed = {(c.status, c.path) for c in taken.changes}
    assert listed == {("A", "src"), ("D", "src/run.sh")}


def test_ignored_files_stay_but_tracked_ones_are_taken(room: Room):
    room.write("build/out")
    room.write("x.log")
    room.write(".git/info/exclude", "*\n")
    room.write("new")
    assert [c.path for c in room.harvest().changes] == ["new"]


def test_the_rooms_own_git_directory_is_never_read(room: Room):
    git_dir = room.path / ".git"
    git_dir.mkdir()
    (git_dir / "HEAD").write_text("garbage")
    (git_dir / "config").write_text("[core\n broken")
    (git_dir / "index").write_bytes(b"garbage")
    room.write("a", "2\n")
    assert [c.path for c in room.harvest().changes] == ["a"]


def test_a_git_file_at_the_top_is_tolerated(room: Room):
    room.write(".git", "gitdir: /nowhere\n")
    assert room.harvest().changes == ()


SPELLINGS = ".git|.GIT|.Git|git~1|GIT~1|.git.|.git |.g\u200cit|\ufeff.git|.git::$INDEX_ALLOCATION"


@pytest.mark.parametrize("spelling", SPELLINGS.split("|"))
@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_a_repository_in_the_tree_is_refused(
    room: Room, spelling: str, make: Callable[[Path], None]
):
    (room.path / "vendor").mkdir()
    make(room.path / "vendor" / spelling)
    error = room.refused()
    assert (error.reason, error.paths) == ("nested_repository", ("vendor",))


def test_a_second_git_at_the_top_is_refused(room: Room):
    (room.path / ".GIT").mkdir()
    assert room.refused().reason == "nested_repository"


def test_a_repository_with_a_commit_is_refused_and_its_code_not_run(room: Room):
    inner = room.path / "inner"
    inner.mkdir()
    room.repo.git("init", "-q", cwd=inner)
    marker = room.scratch / "ran"
    room.repo.git("config", "core.fsmonitor", f"touch {marker}; false", cwd=inner)
    room.repo.git("commit", "-q", "--allow-empty", "-m", "x", cwd=inner)
    marker.unlink(missing_ok=True)
    assert room.refused().reason == "nested_repository"
    assert not marker.exists()


@pytest.mark.parametrize("name", ["git", ".gitkeep", ".github/x", "git~2", "a.git", ".gitx"])
def test_names_that_only_look_like_it(room: Room, name: str):
    room.write(name)
    assert len(room.harvest().changes) == 1
    assert not means_git(name)


def test_an_ignored_repository_is_left_behind_and_named(room: Room):
    room.write("build/dep/.git/HEAD", "ref: refs/heads/main\n")
    taken = room.harvest()
    assert (taken.changes, taken.dropped) == ((), ("build/dep",))


def test_an_ignored_repository_around_tracked_files_is_refused(room: Room):
    room.write(".gitignore", "src/\n")
    room.write("src/.git/HEAD", "ref: refs/heads/main\n")
    assert room.refused().reason == "nested_repository"


@pytest.mark.parametrize("where", ["thing", "build/thing"])
def test_special_files(room: Room, where: str, monkeypatch: pytest.MonkeyPatch):
    (room.path / "build").mkdir()
    monkeypatch.chdir(room.path)
    os.mkfifo(f"{where}.pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{where}.sock")
    if where.startswith("build"):
        assert sorted(room.harvest().dropped) == ["build/thing.pipe", "build/thing.sock"]
    else:
        error = room.refused()
        assert error.reason == "special_file"
        assert sorted(error.paths) == ["thing.pipe", "thing.sock"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", [".gitignore", "sub/.gitignore", ".GITIGNORE", "build/.gitignore"])
def test_a_pipe_that_git_would_wait_for(room: Room, name: str):
    (room.path / name).parent.mkdir(exist_ok=True)
    (room.path / name).unlink(missing_ok=True)
    os.mkfifo(room.path / name)
    error = room.refused()
    assert (error.reason, error.paths) == ("special_file", (name,))


@pytest.mark.parametrize("name", [".gitmodules", ".GitModules"])
def test_a_linked_gitmodules_is_refused(room: Room, name: str):
    (room.path / name).symlink_to("a")
    assert room.refused().reason == "unsafe_name"


@pytest.mark.parametrize("kind", ["absent", "file", "link"])
def test_a_room_that_is_none_is_refused(room: Room, kind: str):
    room.path.rename(room.path.with_name("moved"))
    if kind == "file":
        room.path.write_text("")
    elif kind == "link":
        room.path.symlink_to("moved")
    assert room.refused().reason == "no_workspace"


def test_what_cannot_be_encoded_is_refused_with_gits_words(room: Room):
    room.write(".gitattributes", "*.u working-tree-encoding=UTF-16\n")
    (room.path / "bad.u").write_bytes(b"x")
    error = room.refused()
    assert error.reason == "unreadable"
    assert "bad.u" in error.message


def test_a_missing_base_is_an_error_of_the_repository(room: Room):
    room.base = "1" * 40
    with pytest.raises(CtoError) as caught:
        room.harvest()
    assert not isinstance(caught.value, HarvestRefused)


def test_nothing_is_left_in_scratch(room: Room):
    room.write("a", "2\n")
    room.harvest()
    assert list(room.scratch.iterdir()) == []


class TestSubmodules:
    @pytest.fixture
    def room(self, repo: Repo, tmp_path: Path) -> Room:
        linked = repo.commit(a="1\n")
        for name in ("sub", "lib/sub"):
            repo.git("update-index", "--add", "--cacheinfo", f"160000,{linked},{name}")
        repo.git("commit", "-q", "-m", "submodules")
        return Room(repo, repo.git("rev-parse", "HEAD"), tmp_path)

    def test_they_stay_as_they_are(self, room: Room):
        room.write("new")
        taken = room.harvest()
        assert [c.path for c in taken.changes] == ["new"]
        assert taken.dropped == ()

    def test_removed_ones_stay(self, room: Room):
        (room.path / "sub").rmdir()
        assert room.harvest().changes == ()

    def test_filled_ones_stay_and_are_named(self, room: Room):
        room.write("sub/.git/HEAD", "ref: refs/heads/main\n")
        room.write("sub/file")
        os.mkfifo(room.path / "sub/pipe")
        taken = room.harvest()
        assert (taken.changes, taken.dropped) == ((), ("sub",))

    def test_a_file_in_its_place_is_not_taken(self, room: Room):
        (room.path / "sub").rmdir()
        room.write("sub", "file")
        taken = room.harvest()
        assert (taken.changes, taken.dropped) == ((), ("sub",))

    def test_a_file_above_it_is_refused(self, room: Room):
        (room.path / "lib/sub").rmdir()
        (room.path / "lib").rmdir()
        room.write("lib", "file")
        assert room.refused().reason == "submodule_changed"
