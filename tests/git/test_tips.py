"""Commits are taken out of a room that is set against us: nothing runs, all is checked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitcto.git import tips
from gitcto.git.tips import TipsRefused, ref_ids, take_tips, written_ids
from tests.git.conftest import Repo
from tests.git.test_hostile import Trap


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path / "trap")


@pytest.fixture
def base(repo: Repo) -> str:
    return repo.commit("base", **{"a.txt": "1\n"})


@pytest.fixture
def room(repo: Repo, base: str, tmp_path: Path) -> Repo:
    """A worker's clone with a commit on a side branch."""
    assert base
    made = repo.at(tmp_path / "room")
    repo.git("clone", "--quiet", "--shared", str(repo.path), str(made.path))
    made.git("checkout", "--quiet", "-b", "side")
    made.commit("side", **{"side.txt": "side\n"})
    return made


def take(repo: Repo, room: Repo, base: str) -> tuple[str, ...]:
    git_dir = room.path / ".git"
    scratch = repo.path.parent / "scratch"
    return take_tips(repo.found, written_ids(git_dir), base, git_dir / "objects", scratch)


def test_a_commit_arrives_whole_and_its_history_with_it(repo: Repo, room: Repo, base: str) -> None:
    first = room.git("rev-parse", "HEAD")
    tip = room.commit("more", more="deep\n")
    assert take(repo, room, base) == (tip,)
    assert repo.git("rev-list", f"{base}..{tip}").split() == [tip, first]
    assert repo.git("show", f"{tip}:side.txt") == "side"
    repo.git("fsck", "--full", "--strict")
    assert list((repo.path.parent / "scratch").iterdir()) == []


@pytest.mark.parametrize("repo", ["sha256"], indirect=True)
def test_other_object_ids_are_taken_too(repo: Repo, room: Repo, base: str) -> None:
    assert take(repo, room, base) == (room.git("rev-parse", "HEAD"),)


def test_packed_objects_and_packed_refs_are_taken(repo: Repo, room: Repo, base: str) -> None:
    tip = room.git("rev-parse", "HEAD")
    room.git("gc", "--quiet", "--prune=now")
    room.git("reflog", "expire", "--expire=now", "--all")
    assert take(repo, room, base) == (tip,)
    assert repo.git("cat-file", "-t", tip) == "commit"


def test_what_the_base_contains_is_left_out(repo: Repo, room: Repo, base: str) -> None:
    newer = repo.commit("newer", **{"a.txt": "2\n"})
    room.git("branch", "-D", "-f", "main", check=False)
    (room.path / ".git/refs/heads/old").write_text(f"{base}\n")
    assert room.git("rev-parse", "HEAD") in take(repo, room, newer)
    assert base not in take(repo, room, newer)


def test_an_id_without_an_object_is_left_out(repo: Repo, room: Repo, base: str) -> None:
    (room.path / ".git/refs/heads/gone").write_text("1" * 40 + "\n")
    assert take(repo, room, base) == (room.git("rev-parse", "HEAD"),)


def test_a_shallow_repository_stays_shallow(repo: Repo, base: str, tmp_path: Path) -> None:
    assert base
    tip = repo.commit("second", **{"a.txt": "2\n"})
    shallow = repo.path / ".git/shallow"
    shallow.write_text(f"{tip}\n")
    room = repo.at(tmp_path / "room")
    repo.git("clone", "--quiet", "--shared", str(repo.path), str(room.path))
    made = room.commit("side", **{"side.txt": "side\n"})
    assert take(repo, room, tip) == (made,)
    assert shallow.read_text() == f"{tip}\n"
    assert repo.git("show", f"{made}:side.txt") == "side"


def test_nothing_that_the_worker_configured_runs(
    repo: Repo, room: Repo, base: str, trap: Trap
) -> None:
    git_dir = room.path / ".git"
    lost = room.git("rev-parse", "HEAD^{tree}")
    tip = room.commit("more", **{"more.txt": "more\n"})
    trap.set(git_dir)
    with (git_dir / "config").open("a") as config:
        config.write(f'[remote "origin"]\n\turl = {repo.path}\n[extensions]\n')
        config.write("\tpartialClone = origin\n[core]\n\trepositoryFormatVersion = 1\n")
    assert take(repo, room, base) == (tip,)
    assert trap.fired == set()
    # With an object missing, git in the worker's repository would ask its promisor remote for it.
    (git_dir / "objects" / lost[:2] / lost[2:]).unlink()
    other = room.path.parent / "other"
    take_from = (git_dir / "objects", other)
    with pytest.raises(TipsRefused):
        take_tips(repo.at(_fresh(repo, base)).found, {tip}, base, *take_from)
    assert trap.fired == set()


def _fresh(repo: Repo, base: str) -> Path:
    """Return a repository with the base alone."""
    path = repo.path.parent / "fresh"
    repo.git("clone", "--quiet", "--no-local", str(repo.path), str(path))
    assert repo.at(path).git("rev-parse", "HEAD") == base
    return path


def test_the_trap_works(room: Repo, trap: Trap) -> None:
    trap.set(room.path / ".git")
    (room.path / "a.txt").write_text("changed\n")
    room.git("status", check=False)
    assert trap.fired


def test_the_room_s_alternates_are_not_followed(
    repo: Repo, room: Repo, base: str, tmp_path: Path
) -> None:
    private = repo.at(tmp_path / "private")
    private.path.mkdir()
    private.git("init", "--quiet")
    secret = private.commit("secret", key="secret\n")
    with (room.path / ".git/objects/info/alternates").open("a") as alternates:
        alternates.write(f"{private.path}/.git/objects\n")
    (room.path / ".git/refs/heads/steal").write_text(f"{secret}\n")
    assert secret not in take(repo, room, base)


@pytest.mark.parametrize("name", [".git", ".GIT", "git~1", ".."])
def test_a_name_that_git_must_not_write_is_refused(
    repo: Repo, room: Repo, base: str, name: str
) -> None:
    blob = room.git("hash-object", "-w", "side.txt")
    entry = f"100644 {name}".encode() + b"\0" + bytes.fromhex(blob)
    (room.path.parent / "tree").write_bytes(entry)
    literal = ("--literally", "-t", "tree", "-w", str(room.path.parent / "tree"))
    tree = room.git("hash-object", *literal)
    evil = room.git("commit-tree", "-m", "evil", tree)
    room.git("update-ref", "refs/heads/evil", evil)
    with pytest.raises(TipsRefused):
        take(repo, room, base)
    assert repo.git("cat-file", "-e", evil, check=False) == ""
    assert evil not in repo.git("cat-file", "--batch-all-objects", "--batch-check")


def test_too_much_is_refused(
    repo: Repo, room: Repo, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tips, "MAX_TAKEN_BYTES", 10)
    with pytest.raises(TipsRefused, match="weigh"):
        take(repo, room, base)


def test_files_that_are_none_are_refused_and_never_opened(tmp_path: Path) -> None:
    for number, name in enumerate(("HEAD", "refs", "logs", "packed-refs", "refs/heads/x")):
        for kind in ("pipe", "link"):
            git_dir = tmp_path / f"{kind}{number}"
            path = git_dir / name
            path.parent.mkdir(parents=True)
            if kind == "pipe":
                os.mkfifo(path)
            else:
                path.symlink_to("/etc/passwd")
            with pytest.raises(TipsRefused):
                written_ids(git_dir)


def test_a_git_directory_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".git").symlink_to("elsewhere")
    with pytest.raises(TipsRefused):
        written_ids(tmp_path / ".git")


def test_refs_in_another_format_are_refused(tmp_path: Path) -> None:
    (tmp_path / ".git/reftable").mkdir(parents=True)
    with pytest.raises(TipsRefused, match="another format"):
        written_ids(tmp_path / ".git")


def test_too_many_refs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tips, "MAX_READ_BYTES", 100)
    (tmp_path / "packed-refs").write_text("x" * 101)
    with pytest.raises(TipsRefused, match="too many"):
        written_ids(tmp_path)


def test_nothing_is_nothing(tmp_path: Path) -> None:
    assert written_ids(tmp_path / "absent") == frozenset()


def test_a_worktree_made_in_the_room_is_looked_at(room: Repo) -> None:
    room.git("worktree", "add", "--quiet", "--detach", "../beside")
    made = room.at(room.path.parent / "beside").commit("beside", x="x\n")
    assert made in written_ids(room.path / ".git")


def test_one_ref_s_ids_are_found_loose_packed_and_in_its_log(room: Repo) -> None:
    git_dir, first = room.path / ".git", room.git("rev-parse", "HEAD")
    second = room.commit("more", x="x\n")
    assert {first, second} <= ref_ids(git_dir, "refs/heads/side")
    room.git("pack-refs", "--all")
    room.git("reflog", "expire", "--expire=now", "--all")
    assert ref_ids(git_dir, "refs/heads/side") == {second}
