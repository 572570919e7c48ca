"""A remote is asked to move exactly one ref from one old value; nobody's settings take part."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitcto.errors import ExitCode
from gitcto.git.refs import Refs
from gitcto.git.remotes import (
    RefMove,
    Remote,
    RemoteDeclined,
    RemoteUnreachable,
    tracked_by,
    tracking,
)
from gitcto.git.repository import discover
from tests.git.conftest import Repo

REF = "refs/cto/teams/main/ledger"
OTHER = "refs/heads/cto/main/integration"


@pytest.fixture
def bare(repo: Repo, tmp_path: Path) -> Path:
    path = tmp_path / "hub.git"
    repo.git("init", "-q", "--bare", str(path))
    repo.git("remote", "add", "origin", "../hub.git")
    return path


@pytest.fixture
def remote(repo: Repo, bare: Path) -> Remote:
    return Remote(discover(repo.path, repo.env), "origin", repo.env)


def there(repo: Repo, bare: Path) -> dict[str, str]:
    lines = repo.git("ls-remote", str(bare)).splitlines()
    return {name: oid for oid, name in (line.split("\t") for line in lines)}


def commits(repo: Repo, count: int) -> list[str]:
    """Return commits on top of each other, which no ref names."""
    made: list[str] = []
    tree = repo.git("write-tree").strip()
    for number in range(count):
        parent = ("-p", made[-1]) if made else ()
        made.append(repo.git("commit-tree", tree, *parent, "-m", str(number)).strip())
    return made


def test_a_fetch_is_not_stopped_by_the_lock_of_a_dead_process_of_ours(
    repo: Repo, bare: Path, remote: Remote
) -> None:
    """Killed while it remembered what the remote has: git itself would refuse for ever."""
    [one] = commits(repo, 1)
    repo.git("push", "-q", "origin", f"{one}:{REF}")
    lock = repo.path / ".git" / f"{tracking('origin', REF)}.lock"
    locks = repo.path / ".git/cto/locks"
    for place in (lock.parent, locks):
        place.mkdir(parents=True)
    (locks / "99-0").write_text(one)
    lock.hardlink_to(locks / "99-0")
    remote.fetch([REF])
    assert remote.seen(REF) == one
    assert not lock.exists()


def test_a_ref_moves_from_its_old_value_and_from_no_other(
    repo: Repo, bare: Path, remote: Remote
) -> None:
    one, two, three = commits(repo, 3)
    assert remote.push(RefMove(name=REF, old=None, new=one))
    assert not remote.push(RefMove(name=REF, old=None, new=two))
    assert not remote.push(RefMove(name=REF, old=three, new=two))
    assert there(repo, bare) == {REF: one}
    assert remote.push(RefMove(name=REF, old=one, new=two))
    assert there(repo, bare) == {REF: two}
    assert remote.seen(REF) == two


def test_two_refs_move_together_or_not_at_all(repo: Repo, bare: Path, remote: Remote) -> None:
    one, two, three = commits(repo, 3)
    both = (RefMove(name=REF, old=None, new=one), RefMove(name=OTHER, old=None, new=one))
    assert remote.push(*both)
    moved = RefMove(name=OTHER, old=two, new=three)
    assert not remote.push(RefMove(name=REF, old=one, new=two), moved)
    assert there(repo, bare) == {REF: one, OTHER: one}
    moved = RefMove(name=OTHER, old=one, new=three)
    assert not remote.push(RefMove(name=REF, old=two, new=three), moved)
    assert there(repo, bare) == {REF: one, OTHER: one}


def test_what_is_fetched_is_remembered_apart(repo: Repo, bare: Path, remote: Remote) -> None:
    [one] = commits(repo, 1)
    assert remote.push(RefMove(name=REF, old=None, new=one))
    refs = Refs(remote.repository)
    refs.delete(tracking("origin", REF), one)
    assert remote.seen(REF) is None
    assert remote.look(REF, OTHER) == {REF: one}
    remote.fetch([REF])
    assert remote.seen(REF) == one
    assert refs.read(REF) is None
    assert tracked_by(refs, REF) == ["origin"]
    assert tracked_by(refs, OTHER) == []


def test_neither_hooks_nor_settings_of_the_repository_take_part(
    repo: Repo, bare: Path, remote: Remote
) -> None:
    [one] = commits(repo, 1)
    witness = repo.path.parent / "ran"
    for name in ("pre-push", "reference-transaction"):
        hook = repo.path / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {witness}\nexit 1\n")
        hook.chmod(0o755)
    for key, value in (
        ("remote.origin.mirror", "true"),
        ("remote.origin.push", "refs/*:refs/*"),
        ("push.followTags", "true"),
        ("push.gpgSign", "true"),
        ("push.pushOption", "ci.skip"),
        ("fetch.prune", "true"),
    ):
        repo.git("config", key, value)
    assert remote.push(RefMove(name=REF, old=None, new=one))
    remote.fetch([REF])
    assert there(repo, bare) == {REF: one}
    assert not witness.exists()


def test_the_environment_says_how_to_reach_it_and_not_which_repository(
    repo: Repo, bare: Path, tmp_path: Path
) -> None:
    [one] = commits(repo, 1)
    repository = discover(repo.path, repo.env)
    misled = {"GIT_DIR": str(tmp_path), "GIT_WORK_TREE": "/", "GIT_OBJECT_DIRECTORY": "/"}
    remote = Remote(repository, "origin", repo.env | misled)
    assert remote.push(RefMove(name=REF, old=None, new=one))
    elsewhere = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{tmp_path}/nowhere/.insteadOf",
        "GIT_CONFIG_VALUE_0": "../",
    }
    with pytest.raises(RemoteUnreachable):
        Remote(repository, "origin", repo.env | elsewhere).look(REF)


def test_who_does_not_answer_is_named(repo: Repo, remote: Remote, bare: Path) -> None:
    bare.rename(bare.with_name("away"))
    [one] = commits(repo, 1)
    for action in (
        lambda: remote.look(REF),
        lambda: remote.fetch([REF]),
        lambda: remote.push(RefMove(name=REF, old=None, new=one)),
    ):
        with pytest.raises(RemoteUnreachable, match="the remote origin cannot be reached: ") as it:
            action()
        assert it.value.exit_code is ExitCode.GIT
    nobody = Remote(remote.repository, "nobody", repo.env)
    with pytest.raises(RemoteUnreachable, match="the remote nobody cannot be reached: "):
        nobody.look(REF)


def test_who_declines_is_quoted(repo: Repo, remote: Remote, bare: Path) -> None:
    [one] = commits(repo, 1)
    hook = bare / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(RemoteDeclined, match=f"does not take {REF}: .*pre-receive hook declined"):
        remote.push(RefMove(name=REF, old=None, new=one))
    assert remote.seen(REF) is None


@pytest.mark.parametrize("whose", ["ours", "git's"])
def test_a_lock_that_a_dead_process_left_stops_no_fetch(
    repo: Repo, bare: Path, remote: Remote, whose: str
) -> None:
    (first,) = commits(repo, 1)
    assert remote.push(RefMove(name=REF, old=None, new=first))
    name = tracking("origin", REF)
    assert Refs(repo.found).delete(name, first)
    lock = repo.path / ".git" / f"{name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    if whose == "ours":
        prepared = repo.found.cto_dir / "locks" / f"99-0@{name.replace('/', '%')}"
        prepared.write_text("half")
        os.link(prepared, lock)
    else:
        lock.write_text("half")
        os.utime(lock, (1, 1))
    remote.fetch([REF])
    assert remote.seen(REF) == first
    assert not lock.exists()
