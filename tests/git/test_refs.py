"""Refs: reading as git does, compare-and-swap, and what stands in the way."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from gitcto.errors import CtoError
from gitcto.git.objects import MissingObject, Objects
from gitcto.git.refs import Refs

if TYPE_CHECKING:
    from tests.git.conftest import Repo

both_formats = pytest.mark.parametrize("repo", ["sha1", "sha256"], indirect=True)
NAME = "refs/cto/teams/t/ledger"


@pytest.fixture
def refs(repo: Repo) -> Refs:
    return Refs(repo.found)


@both_formats
def test_a_ref_is_read_loose_packed_and_after_both(repo: Repo, refs: Refs):
    one, two = repo.commit(a="1"), repo.commit(a="2")
    repo.git("update-ref", NAME, one)
    assert refs.read(NAME) == one
    repo.git("pack-refs", "--all", "--prune")
    assert not (repo.path / ".git" / NAME).exists()
    assert refs.read(NAME) == one
    repo.git("update-ref", NAME, two)
    assert refs.read(NAME) == two
    assert refs.read("refs/cto/teams/t") is None
    assert refs.read(f"{NAME}/below") is None
    assert refs.read("refs/cto/teams/t/ledge") is None


@both_formats
def test_compare_and_swap(repo: Repo, refs: Refs):
    one, two = repo.commit(a="1"), repo.commit(a="2")
    assert not refs.compare_and_swap(NAME, one, two)
    assert refs.compare_and_swap(NAME, None, one)
    assert not refs.compare_and_swap(NAME, None, two)
    assert not refs.compare_and_swap(NAME, two, two)
    assert refs.compare_and_swap(NAME, one, two)
    assert repo.git("rev-parse", NAME) == two
    repo.git("pack-refs", "--all", "--prune")
    assert not refs.compare_and_swap(NAME, None, one)
    assert refs.compare_and_swap(NAME, two, one)
    assert repo.git("rev-parse", NAME) == one
    assert repo.git("fsck", "--no-dangling") == ""
    assert not list((repo.path / ".git").rglob("*.lock"))
    assert not list((repo.path / ".git/cto/locks").iterdir())


def test_the_new_value_must_exist(repo: Repo, refs: Refs):
    repo.commit(a="1")
    with pytest.raises(MissingObject):
        refs.compare_and_swap(NAME, None, "1" * 40)
    assert refs.read(NAME) is None


def test_the_ref_is_shared_by_all_worktrees(repo: Repo, tmp_path):
    head = repo.commit(a="1")
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    assert Refs(repo.at(tmp_path / "linked").found).compare_and_swap(NAME, None, head)
    assert repo.git("rev-parse", NAME) == head


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(("there", "wanted"), [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a")])
def test_names_that_exclude_each_other(repo: Repo, refs: Refs, there, wanted, packed):
    head = repo.commit(a="1")
    repo.git("update-ref", f"refs/cto/{there}", head)
    if packed:
        repo.git("pack-refs", "--all", "--prune")
    with pytest.raises(CtoError, match="stands in its way"):
        refs.compare_and_swap(f"refs/cto/{wanted}", None, head)
    assert repo.git("for-each-ref", "--format=%(refname)", "refs/cto") == f"refs/cto/{there}"
    assert not list((repo.path / ".git").rglob("*.lock"))


def test_empty_directories_are_not_in_the_way(repo: Repo, refs: Refs):
    head = repo.commit(a="1")
    (repo.path / ".git/refs/cto/a/b").mkdir(parents=True)
    assert refs.compare_and_swap("refs/cto/a", None, head)


BAD = "HEAD|main|refs/|refs/a..b|refs/a.lock|refs/a.lock/b|refs/a b|refs//a|refs/.a|refs/a\n"
BAD += "|refs/a/|refs/a@{0}|refs/../config|refs/a."


@pytest.mark.parametrize("name", BAD.split("|"))
def test_bad_names(refs: Refs, name):
    with pytest.raises(CtoError, match="not a valid ref name"):
        refs.read(name)
    with pytest.raises(CtoError, match="not a valid ref name"):
        refs.compare_and_swap(name, None, "1" * 40)


def test_a_symbolic_ref_is_refused(repo: Repo, refs: Refs):
    head = repo.commit(a="1")
    repo.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    with pytest.raises(CtoError, match="symbolic ref, it stands for refs/heads/main"):
        refs.compare_and_swap("refs/heads/alias", head, head)
    assert refs.list("refs/heads/") == {"refs/heads/main": head}


@pytest.mark.parametrize("content", [b"", b"\0" * 41, b"1234\n"])
def test_a_broken_ref_is_said(repo: Repo, refs: Refs, content):
    head = repo.commit(a="1")
    assert refs.compare_and_swap(NAME, None, head)
    (repo.path / ".git" / NAME).write_bytes(content)
    with pytest.raises(CtoError, match="does not hold an object id"):
        refs.read(NAME)
    with pytest.raises(CtoError, match="does not hold an object id"):
        refs.compare_and_swap(NAME, head, head)


def test_list_is_what_git_lists(repo: Repo, refs: Refs):
    one, two = repo.commit(a="1"), repo.commit(a="2")
    for name in ("a", "b/c", "b/d", "ü"):
        repo.git("update-ref", f"refs/cto/{name}", one)
    repo.git("tag", "-a", "-m", "x", "v1")
    repo.git("pack-refs", "--all", "--prune")
    repo.git("update-ref", "refs/cto/b/c", two)
    repo.git("update-ref", "refs/cto/z", two)
    (repo.path / ".git/refs/cto/y.lock").write_text("")
    listed = repo.git("for-each-ref", "--format=%(objectname) %(refname)").split("\n")
    assert [f"{oid} {name}" for name, oid in refs.list("refs/").items()] == listed
    assert list(refs.list("refs/cto/b")) == ["refs/cto/b/c", "refs/cto/b/d"]
    assert refs.list("refs/none/") == {}


def test_delete(repo: Repo, refs: Refs):
    one, two = repo.commit(a="1"), repo.commit(a="2")
    assert refs.compare_and_swap(NAME, None, one)
    repo.git("pack-refs", "--all")
    assert not refs.delete(NAME, two)
    assert refs.delete(NAME, one)
    assert not refs.delete(NAME, one)
    assert refs.read(NAME) is None


def test_checked_out_branches(repo: Repo, tmp_path):
    repo.commit(a="1")
    base = repo.commit(a="2")
    for name in ("linked", "rebased", "bisected", "free"):
        repo.git("branch", name)
    for name in ("linked", "rebased", "bisected"):
        repo.git("worktree", "add", "-q", str(tmp_path / name), name)
    rebase = ("-c", "sequence.editor=sed -i s/pick/edit/", "rebase", "-q", "-i", "HEAD~1")
    repo.git(*rebase, cwd=tmp_path / "rebased")
    repo.git("bisect", "start", "-q", base, f"{base}~1", cwd=tmp_path / "bisected", check=False)
    assert Refs(repo.found).checked_out() == {
        "refs/heads/main": repo.path,
        "refs/heads/linked": tmp_path / "linked",
        "refs/heads/rebased": tmp_path / "rebased",
        "refs/heads/bisected": tmp_path / "bisected",
    }
    assert Refs(repo.at(tmp_path / "linked").found).checked_out() == Refs(repo.found).checked_out()


def test_a_bare_repository_has_nothing_checked_out(repo: Repo, tmp_path):
    repo.commit(a="1")
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    assert Refs(repo.at(tmp_path / "bare.git").found).checked_out() == {}


@pytest.mark.parametrize(
    ("call", "number", "hint"),
    [
        ("write", errno.ENOSPC, "free some disk space"),
        ("open", errno.EROFS, "writable"),
        ("rename", errno.EIO, "git fsck"),
        ("link", errno.EACCES, "writable"),
    ],
)
def test_trouble_of_the_file_system_is_two_lines(  # noqa: PLR0913, PLR0917
    repo: Repo, refs: Refs, monkeypatch, call, number, hint
):
    head = repo.commit(a="1")
    (repo.path / ".git/cto/locks").mkdir(parents=True)

    def broken(*_arguments: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(f"os.{call}", broken)
    with pytest.raises(CtoError) as caught:
        refs.compare_and_swap(NAME, None, head)
    monkeypatch.undo()
    assert os.strerror(number) in caught.value.message
    assert hint in caught.value.hint
    assert refs.read(NAME) is None
    assert not list((repo.path / ".git").rglob("*.lock"))
    assert refs.compare_and_swap(NAME, None, head)


def test_an_event_is_synced_with_every_directory_that_names_it(
    repo: Repo, refs: Refs, monkeypatch: pytest.MonkeyPatch
):
    """A power cut after ``True`` loses neither the object nor the ref."""
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    git_dir = repo.path / ".git"
    oid = Objects(repo.found).write_blob(b"event")
    assert refs.compare_and_swap(NAME, None, oid)
    fan_out = git_dir / "objects" / oid[:2]
    made = [fan_out / oid[2:], fan_out, git_dir / "objects", git_dir / NAME]
    made.append((git_dir / NAME).parent)
    assert {path.stat().st_ino for path in made} <= set(synced)


def test_a_deletion_takes_the_packed_value_the_log_and_empty_directories(repo: Repo, refs: Refs):
    one = repo.commit(a="1")
    repo.git("tag", "-a", "-m", "peeled in packed-refs", "v1")
    name = "refs/heads/cto/deep/er"
    repo.git("update-ref", "--create-reflog", name, one)
    repo.git("pack-refs", "--all")
    repo.git("update-ref", "refs/heads/cto/other", one)
    kept = [line for line in repo.git("for-each-ref").split("\n") if name not in line]
    assert refs.delete(name, one)
    assert repo.git("for-each-ref").split("\n") == kept
    assert repo.git("show-ref", "--dereference", "v1").count("\n") == 1
    assert not (repo.path / ".git/refs/heads/cto/deep").exists()
    assert not (repo.path / f".git/logs/{name}").exists()
    assert (repo.path / ".git/refs/heads/cto").is_dir()
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert refs.compare_and_swap("refs/heads/cto/deep", None, one)


def test_a_deletion_waits_for_nobody_s_lock_for_ever_and_never_takes_it(repo: Repo, refs: Refs):
    one = repo.commit(a="1")
    assert refs.compare_and_swap(NAME, None, one)
    lock = repo.path / ".git/packed-refs.lock"
    lock.write_text("theirs")
    os.utime(lock, (1, 1))
    with pytest.raises(CtoError, match=r"packed-refs is locked by another git process"):
        refs.delete(NAME, one)
    assert lock.read_text() == "theirs"
    assert refs.read(NAME) == one
    lock.unlink()
    assert refs.delete(NAME, one)
