"""Which locks of refs may be cleared by whom: ours when nobody holds them, others' never."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitcto.git.reflock import RefLock
from gitcto.git.stale_locks import clear_lock, clear_locks

if TYPE_CHECKING:
    from tests.git.conftest import Repo

OURS = ("refs/cto/teams/t/preserved/x", "refs/heads/cto/t/T1")


def locked(repo: Repo, name: str, *, old: bool) -> Path:
    lock = repo.path / ".git" / f"{name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("theirs")
    if old:
        os.utime(lock, (1, 1))
    return lock


@pytest.mark.parametrize("name", OURS)
def test_an_old_lock_in_our_namespace_is_put_aside(repo: Repo, name: str):
    lock = locked(repo, name, old=True)
    clear_locks(repo.found)
    assert not lock.exists()
    (kept,) = (repo.path / ".git/cto/quarantine").iterdir()
    assert kept.read_text() == "theirs"


@pytest.mark.parametrize("name", OURS)
def test_a_young_lock_may_be_somebody_s(repo: Repo, name: str):
    lock = locked(repo, name, old=False)
    clear_locks(repo.found)
    clear_lock(repo.found, name)
    assert lock.exists()


def test_a_lock_that_is_held_stays(repo: Repo):
    with RefLock(str(repo.path / ".git"), str(repo.found.cto_dir)).held(OURS[0], b"x") as lock:
        os.utime(lock, (1, 1))
        clear_locks(repo.found)
        assert Path(lock).exists()


@pytest.mark.parametrize(
    "name",
    ["refs/heads/main", "refs/tags/v1", "packed-refs", "index", "HEAD", "config", "shallow"],
)
def test_a_lock_of_the_user_s_is_never_touched_however_old(repo: Repo, name: str):
    lock = locked(repo, name, old=True)
    clear_locks(repo.found)
    clear_lock(repo.found, name)
    assert lock.read_text() == "theirs"
    assert not (repo.path / ".git/cto/quarantine").exists()
