"""The wrapper: what git is given, and what its failures become."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitcto.errors import CtoError, ExitCode
from gitcto.git.process import Git, GitError, plumbing, trusted

if TYPE_CHECKING:
    from tests.git.conftest import Repo

both_formats = pytest.mark.parametrize("repo", ["sha1", "sha256"], indirect=True)


def script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_git_gets_nothing_of_our_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("SECRET", "s3cret")
    git = Git(program=script(tmp_path / "git", "env"), git_dir=tmp_path)
    lines = dict(line.split("=", 1) for line in git.text("x").split("\n"))
    assert lines["GIT_DIR"] == str(tmp_path)
    assert lines["HOME"] == "/nonexistent"
    assert not {"GIT_CONFIG_COUNT", "SECRET", "XDG_CONFIG_HOME"} & set(lines)


def test_a_failure_shows_command_code_and_the_first_words(repo: Repo):
    with pytest.raises(GitError) as caught:
        plumbing(repo.found).run("rev-parse", "--verify", "refs/heads/none")
    assert caught.value.completed.code == 128
    assert caught.value.exit_code is ExitCode.GIT
    expected = "git rev-parse --verify failed with exit code 128: fatal: Needed a single revision"
    assert caught.value.message == expected


def test_a_failure_may_be_asked_for(repo: Repo):
    done = plumbing(repo.found).run("rev-parse", "--verify", "-q", "refs/heads/x", check=False)
    assert (done.code, done.out) == (1, b"")


def test_input_and_output_are_bytes(repo: Repo):
    raw = b"\0\xff\n"
    oid = repo.trusted.run("hash-object", "-w", "--stdin", stdin=raw).out.decode().strip()
    assert repo.trusted.run("cat-file", "blob", oid).out == raw


def test_a_hanging_git_is_ended(tmp_path):
    git = Git(program=script(tmp_path / "git", "exec sleep 60"), git_dir=tmp_path)
    with pytest.raises(CtoError, match=r"did not end within 0\.1 s"):
        git.run("status", timeout_s=0.1)


def test_a_git_that_went_away_is_named(tmp_path):
    with pytest.raises(CtoError, match="cannot run /none/git: No such file"):
        Git(program="/none/git", git_dir=tmp_path).run("status")


@pytest.mark.parametrize(
    ("stderr", "hint"),
    [
        ("fatal: write error: No space left on device", "disk space"),
        ("error: object file .git/objects/aa/bb is empty corrupt", "git fsck"),
        ("fatal: Unable to create 'x/index.lock': File exists.", "wait for the other git"),
        ("fatal: something new", "git cto doctor"),
    ],
)
def test_the_hint_fits_the_complaint(tmp_path, stderr, hint):
    body = f"echo 'hint: never mind' >&2; echo \"{stderr}\" >&2; exit 128"
    git = Git(program=script(tmp_path / "git", body), git_dir=tmp_path)
    with pytest.raises(GitError) as caught:
        git.run("gc")
    assert stderr in caught.value.message
    assert hint in caught.value.hint


@both_formats
def test_trusted_git_borrows_the_objects_and_nothing_else(repo: Repo):
    head = repo.commit(a="x")
    repo.git("config", "user.name", "Somebody")
    git = repo.trusted
    assert git.text("cat-file", "-t", head) == "commit"
    assert git.run("config", "user.name", check=False).code == 1
    assert git.text("for-each-ref") == ""


def test_trusted_git_can_be_made_by_many_at_once(repo: Repo):
    repository = repo.found
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: trusted(repository), range(16)))
    assert len(made) == 1
    assert [path.name for path in repository.cto_dir.iterdir()] == ["trusted.git"]
    assert made.pop().text("rev-parse", "--is-bare-repository") == "true"


def test_a_changed_trusted_configuration_is_put_back(repo: Repo):
    config = repo.trusted.git_dir / "config"
    good = config.read_text()
    config.write_text('[filter "x"]\n\tclean = evil\n')
    assert repo.trusted.run("config", "filter.x.clean", check=False).code == 1
    assert config.read_text() == good


def test_trusted_git_knows_where_a_shallow_history_ends(repo: Repo, tmp_path):
    for text in "abc":
        repo.commit(a=text)
    source = f"file://{repo.path}"
    repo.git("clone", "--quiet", "--depth=2", source, str(tmp_path / "shallow"))
    shallow = repo.at(tmp_path / "shallow")
    head = shallow.git("rev-parse", "HEAD")
    assert shallow.trusted.text("rev-list", "--count", head) == "2"
