"""Trees: merged, compared and checked out without a working tree of the user."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from gitcto.git.change import Change
from gitcto.git.process import GitError
from gitcto.git.trees import (
    Conflicted,
    Merged,
    changes,
    checkout,
    commit_count,
    find_trailer,
    is_ancestor,
    merge_tree,
    patch,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.git.conftest import Repo

both_formats = pytest.mark.parametrize("repo", ["sha1", "sha256"], indirect=True)


def side(repo: Repo, base: str, **files: str) -> str:
    """Return a commit on ``base`` that writes files."""
    repo.git("checkout", "-q", "--detach", base)
    return repo.commit("side", **files)


@both_formats
def test_two_sides_that_fit(repo: Repo):
    base = repo.commit(a="1\n2\n3\n4\n5\n", b="x\n")
    ours, theirs = side(repo, base, a="0\n2\n3\n4\n5\n"), side(repo, base, a="1\n2\n3\n4\n9\n")
    merged = merge_tree(repo.trusted, base, ours, theirs)
    assert isinstance(merged, Merged)
    assert repo.git("cat-file", "-p", f"{merged.tree}:a").split() == ["0", "2", "3", "4", "9"]


def test_two_sides_that_do_not(repo: Repo):
    base = repo.commit(a="1\n", ü="1\n", gone="1\n")
    ours = side(repo, base, a="2\n", ü="2\n")
    theirs = side(repo, base, a="3\n", ü="3\n")
    merged = merge_tree(repo.trusted, base, ours, theirs)
    assert isinstance(merged, Conflicted)
    assert merged.paths == ("a", "ü")
    assert merged.detail.split("\n")[0] == "CONFLICT (content): Merge conflict in a"


def test_work_on_the_tip_itself_needs_no_merge(repo: Repo):
    base = repo.commit(a="1")
    work = side(repo, base, a="2")
    assert merge_tree(repo.trusted, base, base, work) == Merged(
        repo.git("rev-parse", f"{work}^{{tree}}")
    )


def test_the_base_given_counts_not_the_one_git_would_find(repo: Repo):
    """The target was rewound below the base: what the base had must not come back with the work."""
    root = repo.commit(a="1\n", b="1\n")
    base = side(repo, root, b="2\n")
    work = side(repo, base, a="2\n")
    merged = merge_tree(repo.trusted, base, root, work)
    assert isinstance(merged, Merged)
    assert repo.git("cat-file", "-p", f"{merged.tree}:a") == "2"
    assert repo.git("cat-file", "-p", f"{merged.tree}:b") == "1"


def test_a_missing_commit_is_an_error_not_a_conflict(repo: Repo):
    base = repo.commit(a="1")
    with pytest.raises(GitError):
        merge_tree(repo.trusted, base, side(repo, base, a="2"), "1" * 40)


def test_changes_and_patch(repo: Repo, tmp_path: Path):
    odd = "new\nlïne"
    (repo.path / "x.sh").write_text("#!/bin/sh\n")
    (repo.path / "link").write_text("a file")
    old = repo.commit(gone="moved content\n" * 9, same="s")
    (repo.path / "gone").rename(repo.path / "renamed")
    (repo.path / "x.sh").chmod(0o755)
    (repo.path / "link").unlink()
    (repo.path / "link").symlink_to("same")
    (repo.path / odd).write_bytes(b"\0\xff")
    new = repo.commit()
    assert changes(repo.trusted, old, new) == (
        Change(status="D", path="gone", mode="100644"),
        Change(status="T", path="link", mode="120000"),
        Change(status="A", path=odd, mode="100644"),
        Change(status="A", path="renamed", mode="100644"),
        Change(status="M", path="x.sh", mode="100755"),
    )
    repo.git("checkout", "-q", old)
    diff = tmp_path / "diff"
    diff.write_bytes(patch(repo.trusted, old, new))
    repo.git("apply", "--index", str(diff))
    assert repo.git("write-tree") == repo.git("rev-parse", f"{new}^{{tree}}")
    assert changes(repo.trusted, old, old) == ()


@both_formats
def test_checkout_writes_every_kind_of_file(repo: Repo, tmp_path: Path):
    (repo.path / "d").mkdir()
    (repo.path / "d/x.sh").write_text("#!/bin/sh\n")
    (repo.path / "d/x.sh").chmod(0o755)
    (repo.path / "out").symlink_to("/etc/passwd")
    head = repo.commit(**{"new\nline": "1"})
    checkout(repo.trusted, head, tmp_path / "there", tmp_path / "index")
    found = {str(p.relative_to(tmp_path / "there")) for p in (tmp_path / "there").rglob("*")}
    assert found == {"d", "d/x.sh", "out", "new\nline"}
    assert (tmp_path / "there/d/x.sh").stat().st_mode & 0o111
    assert (tmp_path / "there/out").is_symlink()


def test_history_questions(repo: Repo):
    first = repo.commit("one\n\nCto-Execution: e1\n")
    second = repo.commit("two\n\nit says Cto-Execution: e3 here\n\nCto-Execution: e2\nCto-Task: e9")
    git = repo.trusted
    assert is_ancestor(git, first, second)
    assert is_ancestor(git, first, first)
    assert not is_ancestor(git, second, first)
    assert (commit_count(git, second, None), commit_count(git, second, first)) == (2, 1)
    assert find_trailer(git, second, None, "Cto-Execution", "e1") == first
    assert find_trailer(git, second, first, "Cto-Execution", "e2") == second
    assert find_trailer(git, second, first, "Cto-Execution", "e1") is None
    assert find_trailer(git, second, None, "Cto-Execution", "e3") is None
    assert find_trailer(git, second, None, "Cto-Execution", "e9") is None
    with pytest.raises(GitError):
        is_ancestor(git, first, "1" * 40)


def test_a_truncated_object_ends_in_two_lines(repo: Repo):
    head = repo.commit(a="x" * 999)
    blob = repo.git("rev-parse", "HEAD:a")
    path = repo.path / ".git/objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:10])
    with pytest.raises(GitError) as caught:
        patch(repo.trusted, repo.found.empty_tree, head)
    assert "\n" not in caught.value.message
    assert "git fsck" in caught.value.hint


def test_the_control_plain_git_agrees_with_merge_tree_about_a_conflict(repo: Repo):
    base = repo.commit(a="1\n")
    ours, theirs = side(repo, base, a="2\n"), side(repo, base, a="3\n")
    repo.git("checkout", "-q", ours)
    done = subprocess.run(
        ["git", "merge", theirs], cwd=repo.path, env=repo.env, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert isinstance(merge_tree(repo.trusted, base, ours, theirs), Conflicted)
