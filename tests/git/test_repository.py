"""Finding repositories of every kind, and refusing what cannot be used in one clear line."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitcto.errors import CtoError, ExitCode
from gitcto.git.refs import Refs
from gitcto.git.repository import discover

if TYPE_CHECKING:
    from tests.git.conftest import Repo

both_formats = pytest.mark.parametrize("repo", ["sha1", "sha256"], indirect=True)


def refusal(cwd: Path, env: dict[str, str]) -> CtoError:
    with pytest.raises(CtoError) as caught:
        discover(cwd, env)
    assert caught.value.exit_code is ExitCode.GIT
    assert "\n" not in caught.value.message + caught.value.hint
    return caught.value


def fake_git(directory: Path, body: str) -> str:
    """Return a PATH whose git is a shell script."""
    directory.mkdir()
    (directory / "git").write_text(f"#!/bin/sh\n{body}\n")
    (directory / "git").chmod(0o755)
    return str(directory)


@both_formats
def test_a_plain_repository(repo: Repo):
    (repo.path / "sub").mkdir()
    found = discover(repo.path / "sub", repo.env)
    assert (found.git_dir, found.common_dir) == (repo.path / ".git",) * 2
    assert found.work_tree == repo.path
    assert not found.bare
    assert found.object_format == repo.git("rev-parse", "--show-object-format")
    assert found.empty_tree == repo.git("hash-object", "-t", "tree", "/dev/null")


def test_a_linked_worktree(repo: Repo, tmp_path):
    repo.commit(a="x")
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    found = discover(tmp_path / "linked", repo.env)
    assert found.git_dir == repo.path / ".git/worktrees/linked"
    assert found.common_dir == repo.path / ".git"
    assert found.work_tree == tmp_path / "linked"
    assert Refs(found).head() == ("refs/heads/linked", repo.git("rev-parse", "HEAD"))


def test_a_bare_clone(repo: Repo, tmp_path):
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    found = discover(tmp_path / "bare.git", repo.env)
    assert found.bare
    assert found.work_tree is None
    assert found.objects == tmp_path / "bare.git/objects"


def test_inside_the_git_directory(repo: Repo):
    found = discover(repo.path / ".git", repo.env)
    assert found.work_tree is None
    assert not found.bare


def test_git_dir_in_the_environment_wins(repo: Repo, tmp_path):
    (tmp_path / "away").mkdir()
    env = repo.env | {"GIT_DIR": str(repo.path / ".git"), "GIT_INDEX_FILE": "/nowhere"}
    found = discover(tmp_path / "away", env)
    assert found.common_dir == repo.path / ".git"
    assert found.work_tree == tmp_path / "away"


def test_a_detached_head_and_an_unborn_branch(repo: Repo):
    assert Refs(repo.found).head() == ("refs/heads/main", None)
    head = repo.commit(a="x")
    repo.git("checkout", "-q", "--detach")
    assert Refs(repo.found).head() == (None, head)


def test_a_submodule_is_a_repository_of_its_own(repo: Repo, tmp_path):
    repo.commit(a="x")
    repo.git("clone", "-q", str(repo.path), str(tmp_path / "super"))
    allow = ("-c", "protocol.file.allow=always")
    repo.git(*allow, "submodule", "add", str(repo.path), "sub", cwd=tmp_path / "super")
    found = discover(tmp_path / "super/sub", repo.env)
    assert found.common_dir == tmp_path / "super/.git/modules/sub"
    assert found.work_tree == tmp_path / "super/sub"


def test_not_a_repository(tmp_path, repo: Repo):
    error = refusal(tmp_path, repo.env)
    assert error.message == f"not a git repository: {tmp_path}"
    assert "git init" in error.hint


def test_no_git(tmp_path, repo: Repo):
    error = refusal(repo.path, repo.env | {"PATH": str(tmp_path)})
    assert error.message == "git was not found on PATH"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every directory")
def test_a_directory_in_path_that_may_not_be_entered(tmp_path, repo: Repo):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    found = discover(repo.path, repo.env | {"PATH": f"{closed}:{repo.env['PATH']}"})
    assert found.program == repo.found.program


@pytest.mark.parametrize("version", ["2.37.9", "1.9.0", "2.30.1.windows.2"])
def test_an_old_git(tmp_path, repo: Repo, version):
    path = fake_git(tmp_path / "bin", f"echo git version {version}")
    error = refusal(repo.path, repo.env | {"PATH": path})
    assert f"git {version} at {path}/git is too old" in error.message


def test_a_git_that_is_none(tmp_path, repo: Repo):
    path = fake_git(tmp_path / "bin", "echo broken >&2; exit 1")
    assert "broken" in refusal(repo.path, repo.env | {"PATH": path}).message


def test_an_owner_that_git_does_not_trust(tmp_path, repo: Repo):
    real = shutil.which("git")
    body = f'GIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec {real} "$@"'
    env = repo.env | {"PATH": fake_git(tmp_path / "bin", body)}
    error = refusal(repo.path, env)
    assert "does not trust the owner" in error.message
    assert error.hint.endswith(f"safe.directory {repo.path}")
    (repo.home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {repo.path}\n")
    assert discover(repo.path, env).work_tree == repo.path


def test_reftable_is_refused_by_this_git_or_by_us(repo: Repo):
    (repo.path / ".git/reftable").mkdir()
    assert "reftable" in refusal(repo.path, repo.env).message
    (repo.path / ".git/reftable").rmdir()
    repo.git("config", "core.repositoryFormatVersion", "1")
    repo.git("config", "extensions.refStorage", "reftable")
    (repo.path / ".git/reftable").mkdir()
    assert "reftable" in refusal(repo.path, repo.env).message


def test_an_unknown_format_says_gits_words(repo: Repo):
    repo.git("config", "core.repositoryFormatVersion", "99")
    assert "99" in refusal(repo.path, repo.env).message


def test_a_newline_in_the_path_is_refused(repo: Repo, tmp_path):
    moved = repo.path.rename(tmp_path / "re\npo")
    assert "newline" in refusal(moved, repo.env).message


def test_a_non_ascii_path_with_spaces(repo: Repo, tmp_path):
    moved = repo.path.rename(tmp_path / "rép o")
    assert discover(moved, repo.env).work_tree == moved


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every directory")
def test_a_directory_on_path_that_may_not_be_looked_into_is_passed_by(repo, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    path = f"{closed}{os.pathsep}{repo.env['PATH']}"
    assert discover(repo.path, {**repo.env, "PATH": path}).program
