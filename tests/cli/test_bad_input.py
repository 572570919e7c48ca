from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gitcto.model.records import TaskSpec

if TYPE_CHECKING:
    from tests.cli.conftest import Crew, Room

READING = [("status",), ("log",), ("show", "A"), ("evidence", "show", "A"), ("pause",)]


@pytest.mark.parametrize("command", [*READING, ("init",), ("policy", "show")], ids=" ".join)
def test_outside_a_repository(room: Room, command: tuple[str, ...]) -> None:
    assert room.cto(*command, expect=128).error.startswith("not a git repository")


def test_an_argument_that_is_no_text(crew: Crew) -> None:
    told = crew.cto("usage", "--task", "a\udcff", expect=2)
    assert told.error == r"'a\udcff' is not UTF-8 text"


def test_without_git_on_path(repo: Room) -> None:
    repo.environ["PATH"] = str(repo.home)
    assert repo.cto("status", expect=128).error == "git was not found on PATH"


def test_with_an_old_git(repo: Room) -> None:
    program = repo.write("bin/git", "#!/bin/sh\necho git version 2.30.1\n")
    program.chmod(0o755)
    repo.environ["PATH"] = f"{program.parent}:{repo.environ['PATH']}"
    assert repo.cto("status", expect=128).error.startswith("git 2.30")


def test_a_bare_clone_can_be_looked_at(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a"))
    crew.git("clone", "-q", "--mirror", ".", "../bare.git")
    assert crew.cto("-C", "../bare.git", "status", "--json") == crew.cto("status", "--json")
    crew.cto("-C", "../bare.git", "log")
    assert (
        "there is no policy file" in crew.cto("-C", "../bare.git", "policy", "show", expect=4).err
    )


def test_a_linked_worktree_is_the_same_repository(crew: Crew) -> None:
    crew.git("worktree", "add", "-q", "--detach", "../linked")
    assert crew.cto("-C", "../linked", "status") == crew.cto("status")


def test_git_dir_of_the_environment_is_honoured(crew: Crew) -> None:
    here = crew.cto("status")
    crew.environ["GIT_DIR"] = str(crew.path / ".git")
    assert crew.cto("status", directory=str(crew.home)) == here


@pytest.mark.parametrize("content", [b"not a database", b"SQLite format 3\0" + b"\xff" * 4096, b""])
def test_a_corrupt_sidecar_is_put_aside_and_built_again(crew: Crew, content: bytes) -> None:
    crew.plan(TaskSpec(id="A", title="a"))
    here = crew.cto("status", "--json")
    for file in (crew.path / ".git" / "cto").glob("sidecar.db*"):
        file.unlink()
    crew.write(".git/cto/sidecar.db", content)
    assert crew.cto("status", "--json") == here


@pytest.mark.parametrize(
    "name", ["refs/cto/teams/odd/ledger", "refs/cto/teams/A B/ledger", "refs/cto/other"]
)
def test_a_ref_that_is_not_ours(crew: Crew, name: str) -> None:
    path = crew.path / ".git" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(crew.git("rev-parse", "HEAD") + "\n")
    assert crew.cto("status", "--team", "main").out.startswith("Team main is running")
    if "odd" in name:
        done = crew.cto("status", "--team", "odd", expect=128)
        assert done.error


def test_a_ledger_whose_objects_are_gone(crew: Crew) -> None:
    crew.git("clone", "-q", "--mirror", ".", "../bare.git")
    crew.git("-C", "../bare.git", "repack", "-adq")
    tip = crew.git("rev-parse", "refs/cto/teams/main/ledger")
    shutil.rmtree(crew.path.parent / "bare.git" / "objects" / "pack")
    done = crew.cto("-C", "../bare.git", "status", expect=128)
    assert tip[:12] in done.err or "missing" in done.err
    assert done.error


def test_a_directory_that_is_gone(room: Room) -> None:
    code = (
        "import os, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone');"
        "sys.argv = ['git-cto', 'status']; from gitcto.cli.entry import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=room.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 128
    assert done.stderr.startswith("error: the current directory does not exist any more\nhint: ")
