"""Locks after kills, locks of others, and many writers at once: nothing acknowledged is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from gitcto.errors import CtoError
from gitcto.git.objects import Commit, Objects
from gitcto.git.reflock import RefLock
from gitcto.git.refs import Refs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.git.conftest import Repo

NAME = "refs/cto/teams/t/ledger"

WRITER = """
import os, sys
from pathlib import Path
from gitcto.git.objects import Commit, Objects, Signature
from gitcto.git.refs import Refs
from gitcto.git.repository import discover

repository = discover(Path(sys.argv[1]), os.environ)
refs, objects, who = Refs(repository), Objects(repository), Signature("w", "w", 1)
tree = objects.write_tree(())
for number in range(int(sys.argv[3])):
    message = f"{sys.argv[2]}-{number}"
    while True:
        tip = refs.read("refs/cto/teams/t/ledger")
        parents = (tip,) if tip else ()
        commit = Commit(tree=tree, parents=parents, author=who, committer=who,
                        message=message)
        new = objects.write("commit", commit.encode())
        if refs.compare_and_swap("refs/cto/teams/t/ledger", tip, new):
            break
    print(message, flush=True)
"""


def writer(repo: Repo, name: str, count: int) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-c", WRITER, str(repo.path), name, str(count)]
    return subprocess.Popen(argv, env=repo.env, stdout=subprocess.PIPE)


def chain(repo: Repo) -> list[str]:
    objects, oid = Objects(repo.found), Refs(repo.found).read(NAME)
    messages = []
    while oid:
        commit = Commit.decode(objects.read(oid)[1])
        messages.append(commit.message)
        oid = commit.parents[0] if commit.parents else None
    return messages


def lock_of(repo: Repo) -> Path:
    lock = repo.path / ".git" / f"{NAME}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    return lock


def test_many_writers_beside_pack_refs_lose_nothing(repo: Repo):
    with ExitStack() as stack:
        writers = [stack.enter_context(writer(repo, str(n), 40)) for n in range(4)]
        packs = 0
        while any(each.poll() is None for each in writers):
            repo.git("pack-refs", "--all", "--prune")
            packs += 1
        acknowledged = [line for each in writers for line in each.stdout.read().decode().split()]
    assert packs > 5
    assert len(acknowledged) == 160
    assert sorted(chain(repo)) == sorted(acknowledged)


def test_a_kill_anywhere_loses_nothing_and_blocks_nobody(repo: Repo):
    acknowledged: list[str] = []
    for attempt in range(5):
        with writer(repo, str(attempt), 10_000) as victim:
            assert victim.stdout
            acknowledged += [victim.stdout.readline().decode().strip() for _ in range(attempt + 2)]
            victim.kill()
            acknowledged += victim.stdout.read().decode().split("\n")[:-1]
        with writer(repo, f"next{attempt}", 1) as following:
            assert following.wait(timeout=5) == 0
    assert set(acknowledged) <= set(chain(repo))
    assert repo.git("fsck", "--no-dangling") == ""


def test_our_own_lock_of_a_dead_process_goes_at_once(repo: Repo):
    head = repo.commit(a="1")
    lock = lock_of(repo)
    locks = repo.path / ".git/cto/locks"
    locks.mkdir(parents=True)
    (locks / "99-0").write_text("half")
    os.link(locks / "99-0", lock)
    assert Refs(repo.found).compare_and_swap(NAME, None, head)
    assert not lock.exists()
    assert Refs(repo.found).compare_and_swap(NAME, head, head)
    assert list(locks.iterdir()) == []


def test_our_own_lock_of_a_living_process_is_respected(repo: Repo):
    head = repo.commit(a="1")
    cto = repo.found.cto_dir
    name = "refs/heads/mine"
    with RefLock(str(repo.path / ".git"), str(cto)).held(name, b"x"):
        with pytest.raises(CtoError, match="locked by another git process"):
            Refs(repo.found).compare_and_swap(name, None, head)
        assert (repo.path / ".git/refs/heads/mine.lock").exists()
    assert Refs(repo.found).compare_and_swap(name, None, head)


def test_an_old_lock_of_somebody_in_our_namespace_is_moved_away(repo: Repo):
    head = repo.commit(a="1")
    lock = lock_of(repo)
    lock.write_text("theirs")
    os.utime(lock, (1, 1))
    assert Refs(repo.found).compare_and_swap(NAME, None, head)
    (kept,) = (repo.path / ".git/cto/quarantine").iterdir()
    assert kept.read_text() == "theirs"


def test_a_lock_on_a_ref_of_the_user_is_never_taken(repo: Repo):
    head = repo.commit(a="1")
    lock = repo.path / ".git/refs/heads/main.lock"
    lock.write_text("theirs")
    os.utime(lock, (1, 1))
    with pytest.raises(CtoError, match=r"main\.lock") as caught:
        Refs(repo.found).compare_and_swap("refs/heads/main", head, head)
    assert "delete that file" in caught.value.hint
    assert lock.read_text() == "theirs"


def test_a_lock_that_goes_away_is_waited_for(repo: Repo):
    head = repo.commit(a="1")
    lock = lock_of(repo)
    lock.write_text("theirs")
    with subprocess.Popen(["rm", str(lock)]):
        assert Refs(repo.found).compare_and_swap(NAME, None, head)
    assert not (repo.path / ".git/cto/quarantine").exists()


def test_what_a_killed_writer_prepared_is_swept(repo: Repo):
    head = repo.commit(a="1")
    locks = repo.path / ".git/cto/locks"
    locks.mkdir(parents=True)
    (locks / "99-0").write_text("")
    assert Refs(repo.found).compare_and_swap(NAME, None, head)
    assert list(locks.iterdir()) == []


DELETER = """
import os, signal, sys
from pathlib import Path
from gitcto.git import refs as module
from gitcto.git.refs import Refs
from gitcto.git.repository import discover

class Killed(Refs):
    def _unpack(self, name):
        os.kill(os.getpid(), signal.SIGKILL)

Killed(discover(Path(sys.argv[1]), os.environ)).delete(sys.argv[2], sys.argv[3])
"""


def test_the_next_write_removes_every_lock_that_a_killed_deletion_left(repo: Repo):
    head = repo.commit(a="1")
    assert Refs(repo.found).compare_and_swap(NAME, None, head)
    argv = [sys.executable, "-c", DELETER, str(repo.path), NAME, head]
    assert subprocess.run(argv, env=repo.env, check=False).returncode == -9
    locks = [repo.path / ".git/packed-refs.lock", lock_of(repo)]
    assert all(lock.exists() for lock in locks)
    assert Refs(repo.found).compare_and_swap("refs/cto/other", None, head)
    assert not any(lock.exists() for lock in locks)
    assert list((repo.path / ".git/cto/locks").iterdir()) == []
    assert Refs(repo.found).delete(NAME, head)


def test_locks_of_a_living_deletion_are_left_alone(repo: Repo):
    head = repo.commit(a="1")
    with RefLock(str(repo.path / ".git"), str(repo.found.cto_dir)).held("packed-refs", b""):
        assert Refs(repo.found).compare_and_swap("refs/cto/other", None, head)
        assert (repo.path / ".git/packed-refs.lock").exists()
    assert not (repo.path / ".git/packed-refs.lock").exists()
