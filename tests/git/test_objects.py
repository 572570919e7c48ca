"""Objects: what git reads of ours, what we read of git's, and damage."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitcto.errors import CtoError
from gitcto.git.loose import CorruptObject
from gitcto.git.objects import Commit, MissingObject, Objects, Signature

if TYPE_CHECKING:
    from tests.git.conftest import Repo

both_formats = pytest.mark.parametrize("repo", ["sha1", "sha256"], indirect=True)


@pytest.fixture
def objects(repo: Repo) -> Objects:
    return Objects(repo.found)


def loose(repo: Repo, oid: str) -> Path:
    return repo.path / ".git/objects" / oid[:2] / oid[2:]


@both_formats
def test_git_reads_what_we_write(repo: Repo, objects: Objects):
    blob = objects.write_blob(b"\0\xff\n")
    below = objects.write_tree([("100644", "x", blob)])
    # git sorts a directory as if its name ended in a slash: "a.txt" < "a/" < "a0"
    entries = [("40000", "a", below), ("100755", "a0", blob), ("100644", "a.txt", blob)]
    tree = objects.write_tree(entries)
    who = Signature("Å <x>\n", "a@b\n", 1700000000)
    commit = Commit(tree=tree, parents=(), author=who, committer=who, message="s\n\nb\n")
    oid = objects.write("commit", commit.encode())
    assert repo.git("cat-file", "-p", oid).startswith(f"tree {tree}\nauthor Å x <a@b> 1700000000")
    assert repo.git("ls-tree", "--name-only", tree).split() == ["a.txt", "a", "a0"]
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert [entry.name for entry in objects.tree(tree)] == ["a.txt", "a", "a0"]
    assert objects.tree(tree)[1].mode == "40000"


@both_formats
def test_we_read_what_git_wrote_loose_packed_and_borrowed(repo: Repo, objects: Objects, tmp_path):
    head = repo.commit("hello", a="x")
    assert objects.read(head)[0] == "commit"
    assert Commit.decode(objects.read(head)[1]).message == "hello\n"
    repo.git("gc", "--quiet")
    assert not loose(repo, head).exists()
    assert objects.has(head)
    assert objects.read(head)[0] == "commit"
    repo.git("clone", "-q", "--shared", str(repo.path), str(tmp_path / "borrower"))
    borrower = Objects(repo.at(tmp_path / "borrower").found)
    assert borrower.has(head)
    assert Commit.decode(borrower.read(head)[1]).message == "hello\n"


@both_formats
def test_the_empty_tree_needs_no_file(repo: Repo, objects: Objects):
    assert objects.has(repo.found.empty_tree)
    assert objects.tree(repo.found.empty_tree) == ()
    assert objects.write_tree([]) == repo.found.empty_tree


@pytest.mark.parametrize("oid", ["1" * 40, "12", "", "../../../config", "HEAD"])
def test_a_missing_object_is_named(objects: Objects, oid):
    assert not objects.has(oid)
    with pytest.raises(MissingObject, match=r"is missing from the repository"):
        objects.read(oid)


def test_a_repack_between_two_looks_is_not_a_miss(repo: Repo, objects: Objects):
    first = repo.commit(a="1")
    repo.git("repack", "-adq")
    assert objects.has(first)  # the pack is open now
    second = repo.commit(a="2")
    repo.git("repack", "-adq")
    repo.git("prune-packed")
    assert objects.read(first)[0] == objects.read(second)[0] == "commit"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda raw: raw[: len(raw) // 2], "cannot be unpacked"),
        (lambda raw: raw[:0], "cannot be unpacked"),
        (lambda raw: b"\0" * len(raw), "cannot be unpacked"),
    ],
)
def test_a_damaged_loose_object_is_said_and_healed_by_writing_it_again(
    repo: Repo, objects: Objects, damage, words
):
    oid = objects.write_blob(b"precious " * 9)
    path = loose(repo, oid)
    path.chmod(0o644)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CorruptObject, match=words) as caught:
        objects.read(oid)
    assert "git fsck" in caught.value.hint
    assert objects.write_blob(b"precious " * 9) == oid
    assert objects.read(oid) == ("blob", b"precious " * 9)


def test_an_object_under_a_wrong_name_is_refused(repo: Repo, objects: Objects):
    one, two = objects.write_blob(b"1"), objects.write_blob(b"2")
    loose(repo, two).unlink()
    loose(repo, two).write_bytes(loose(repo, one).read_bytes())
    with pytest.raises(CorruptObject, match="holds another object"):
        objects.read(two)


def test_a_truncated_pack_is_a_damaged_object(repo: Repo):
    head = repo.commit(a="x" * 9999)
    repo.git("gc", "--quiet")
    (pack,) = (repo.path / ".git/objects/pack").glob("*.pack")
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:40])
    with pytest.raises(CtoError) as caught:
        Objects(repo.found).read(head)
    assert "\n" not in caught.value.message


def test_a_directory_removed_by_gc_is_made_again(repo: Repo, objects: Objects):
    oid = objects.write_blob(b"x")
    loose(repo, oid).unlink()
    loose(repo, oid).parent.rmdir()
    assert objects.write_blob(b"x") == oid
    assert loose(repo, oid).stat().st_mode & 0o777 == 0o444


def test_nothing_half_written_stays(repo: Repo, objects: Objects):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: objects.write_blob(b"same"), range(64)))) == 1
    assert list((repo.path / ".git/objects").rglob("tmp_obj*")) == []


def test_a_full_disk_is_said_in_one_line(repo: Repo, objects: Objects, monkeypatch):
    import errno
    import os

    def full(_descriptor: int, _data: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.write", full)
    with pytest.raises(CtoError, match="No space left on device") as caught:
        objects.write_blob(b"x")
    monkeypatch.undo()
    assert "disk space" in caught.value.hint
    assert list((repo.path / ".git/objects").rglob("tmp_obj*")) == []


@pytest.mark.parametrize("name", ["", ".", "..", ".git", ".GIT", "a/b", "a\0b"])
def test_names_no_tree_may_hold(objects: Objects, name):
    with pytest.raises(ValueError, match="cannot hold"):
        objects.write_tree([("100644", name, "1" * 40)])


def test_a_name_twice(objects: Objects):
    with pytest.raises(ValueError, match="twice"):
        objects.write_tree([("100644", "a", "1" * 40), ("40000", "a", "1" * 40)])


@pytest.mark.parametrize("cut", [1, 5, 12, 27])
def test_a_cut_tree_is_damaged(objects: Objects, cut):
    whole = b"100644 name\0" + b"\1" * 20
    with pytest.raises(CorruptObject, match="cut off"):
        objects.tree(objects.write("tree", whole[:cut]))


def test_a_commit_of_others_is_read():
    raw = (
        b"tree " + b"1" * 40 + b"\nparent " + b"2" * 40 + b"\nauthor \xc5 <a> 5 +0530\n"
        b"committer  <> -5 -0100\nencoding latin1\ngpgsig -----BEGIN\n  x\n\nsubj\xe9ct"
    )
    commit = Commit.decode(raw)
    assert commit.parents == ("2" * 40,)
    assert (commit.author.seconds, commit.committer) == (5, Signature("", "", -5))
    assert commit.message.encode("utf-8", "surrogateescape") == b"subj\xe9ct"


@pytest.mark.parametrize("raw", [b"", b"tree x\n\nno author", b"tree 1\nauthor x\ncommitter y\n\n"])
def test_what_is_no_commit_is_a_value_error(raw):
    with pytest.raises(ValueError, match=r"commit without|not a name"):
        Commit.decode(raw)


def test_trailers():
    def of(message: str) -> dict[str, list[str]]:
        who = Signature("a", "b", 0)
        commit = Commit(tree="1" * 40, parents=(), author=who, committer=who, message=message)
        return commit.trailers()

    assert of("A: subject is none") == {}
    assert of("s\n\ntext: x\nno trailer") == {}
    assert of("s\n\nb\n\nCto-Task: T-1\nX:y\n  z\nX: 2\n") == {
        "Cto-Task": ["T-1"],
        "X": ["y z", "2"],
    }


@given(
    name=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20),
    message=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=80),
    seconds=st.integers(0, 2**40),
)
def test_a_commit_of_ours_comes_back_as_it_was(name, message, seconds):
    who = Signature(name, "a@b", seconds)
    commit = Commit(tree="1" * 40, parents=("2" * 40,), author=who, committer=who, message=message)
    raw = commit.encode()
    assert raw.count(b"\n\n") >= 1
    assert Commit.decode(raw).message == message
    assert Commit.decode(raw).encode() == raw
    assert raw.split(b"\n\n")[0].count(b"\n") == 3
