"""A repository and a workspace that try to run programs in whoever touches them with git."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from gitcto_clone.room import CloneRoom
from gitcto_git_merge.merger import GitMerger
from gitcto_worktree.room import WorktreeRoom

from gitcto.contracts import MergeRequest
from gitcto.errors import CtoError
from gitcto.git.differences import differences
from gitcto.git.fingerprint import Look, take
from gitcto.git.harvest import harvest
from gitcto.git.objects import Commit, Objects, Signature
from gitcto.git.own_moves import without_own_moves
from gitcto.git.process import plumbing, trusted
from gitcto.git.refs import Refs
from gitcto.git.repository import discover
from gitcto.git.trees import changes, checkout, find_trailer, is_ancestor, patch
from gitcto.room_contracts import RoomMaker, RoomRequest

HOOKS = """
    applypatch-msg commit-msg fsmonitor-watchman post-applypatch post-checkout post-commit
    post-index-change post-merge post-receive post-rewrite post-update pre-applypatch
    pre-auto-gc pre-commit pre-merge-commit pre-push pre-rebase pre-receive
    prepare-commit-msg proc-receive push-to-checkout reference-transaction
    sendemail-validate update
"""
ATTRIBUTES = "* filter=evil diff=evil merge=evil\n*.p filter=evilp\n*.t diff=evilt\n"
SETTINGS = """
[core]
    hooksPath = <hooks>
    fsmonitor = <fsmonitor>
    editor = <editor>
    pager = <pager>
    sshCommand = <ssh>
    askPass = <askpass>
    alternateRefsCommand = <alternate>
[credential]
    helper = <credential>
[diff]
    external = <diff.external>
[diff "evil"]
    command = <diff.command>
[diff "evilt"]
    textconv = <textconv>
[merge "evil"]
    driver = <merge.driver> %A
[filter "evil"]
    clean = <clean>
    smudge = <smudge>
    required = true
[filter "evilp"]
    process = <process>
[gpg]
    program = <gpg>
[commit]
    gpgSign = true
[log]
    showSignature = true
[pager]
    log = <pager.log>
[alias]
    lol = !<alias>
    merge-tree = !<alias.builtin>
[uploadpack]
    packObjectsHook = <packobjects>
[remote "origin"]
    url = host:path
    promisor = true
    uploadpack = <uploadpack>
    partialCloneFilter = blob:none
[protocol "ssh"]
    allow = always
"""
"""Every setting that names a program; ``<name>`` stands for the trap of that name."""

ENDS = {
    "clean": "exec cat",
    "smudge": "exec cat",
    "process": r"printf '0009nope\n'; exec cat >/dev/null",
}
"""How a trap goes on that git talks to. A process filter that leaves at once ends git itself, or
not, by who is faster (pkt-line.c dies of an early end, convert.c survives a wrong answer)."""


class Trap:
    """Programs that write their name into a file; ``fired`` tells which ran."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._log = root / "fired"
        root.mkdir()

    def program(self, name: str) -> str:
        path = self._root / name
        end = ENDS.get(name, "exit 0")
        path.write_text(f"#!/bin/sh\necho {name} >>{self._log}\n{end}\n")
        path.chmod(0o755)
        return str(path)

    @property
    def fired(self) -> set[str]:
        return set(self._log.read_text().split()) if self._log.exists() else set()

    def set(self, git_dir: Path) -> None:
        """Put every setting that names a program, and every hook, into a git directory."""
        hooks = git_dir / "evil-hooks"
        for directory in (hooks, git_dir / "hooks"):
            directory.mkdir(exist_ok=True)
            for hook in HOOKS.split():
                (directory / hook).unlink(missing_ok=True)
                (directory / hook).symlink_to(self.program(f"hook.{hook}"))
        settings = SETTINGS.replace("<hooks>", str(hooks))
        settings = re.sub(r"<([a-z.]+)>", lambda name: self.program(name[1]), settings)
        with (git_dir / "config").open("a") as config:
            config.write(settings)
        (git_dir / "info").mkdir(exist_ok=True)
        (git_dir / "info/attributes").write_text(ATTRIBUTES)


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path / "trap")


@pytest.fixture
def hostile(repo, trap: Trap):
    """A repository with work on two sides, and only then every trap set in it."""
    (repo.path / ".gitattributes").write_text(ATTRIBUTES)
    repo.commit("base", **{"a.txt": "1\n2\n3\n4\n5\n", "b.t": "text\n", "c.p": "process\n"})
    trap.set(repo.path / ".git")
    return repo


def test_the_traps_do_fire_under_plain_git(hostile, trap):
    (hostile.path / "a.txt").write_text("0\n")
    (hostile.path / "b.t").write_text("0\n")
    (hostile.path / "c.p").write_text("0\n")
    for command in (
        ("status",),
        ("diff", "--no-ext-diff", "--", "b.t"),
        ("diff", "--", "b.t"),
        ("add", "--all"),
        ("-c", "commit.gpgSign=false", "commit", "-m", "x"),
        ("-c", "commit.gpgSign=true", "commit", "--allow-empty", "-m", "x"),
        ("lol",),
        ("update-ref", "refs/heads/x", "HEAD"),
        ("checkout", "-f", "HEAD~1", "--", "."),
        ("cat-file", "-p", "1" * 40),
    ):
        hostile.git(*command, check=False)
    hostile.git("-c", "diff.evil.command=", "diff", "HEAD", check=False)
    expected = {"fsmonitor", "textconv", "clean", "smudge", "process", "alias", "gpg", "ssh"}
    expected |= {"hook.pre-commit", "hook.reference-transaction", "hook.post-index-change"}
    assert expected <= trap.fired, hostile.complaints
    assert trap.fired & {"diff.external", "diff.command"}


@pytest.mark.parametrize("maker", [CloneRoom, WorktreeRoom])
def test_nothing_runs_in_the_orchestrator(
    hostile, trap: Trap, tmp_path: Path, maker: Callable[[], RoomMaker]
):
    """Every operation of this package, from discovery to the removal of the room."""
    repository = discover(hostile.path, hostile.env)
    git, refs, objects = trusted(repository), Refs(repository), Objects(repository)
    _, base = refs.head()
    assert base
    room = tmp_path / "room"
    index = tmp_path / "room.index"
    checkout(git, base, room, index)
    request = RoomRequest(
        repository=repository, git=git, path=room, base=base, branch="work", index=index
    )
    maker().create(request)
    _work_against_us(room, trap)

    taken = harvest(repository, room, base, tmp_path / "scratch")

    assert {change.path for change in taken.changes} >= {"a.txt", "b.t", "c.p"}
    who = Signature("a", "b", 1)
    work = _commit(objects, taken.tree, base, who, "work\n\nCto-Execution: e1\n")
    entries = [(e.mode, e.name, e.oid) for e in objects.tree(taken.tree) if e.name != "a.txt"]
    other_tree = objects.write_tree([*entries, ("100644", "a.txt", objects.write_blob(b"9\n"))])
    other = _commit(objects, other_tree, base, who, "other\n")
    for theirs in (work, other):
        GitMerger().merge(MergeRequest(git=git, base=base, ours=other, theirs=theirs))
    checkout(git, taken.tree, tmp_path / "candidate", tmp_path / "candidate.index")
    assert changes(git, base, work)
    assert b"GIT binary patch" in patch(git, base, work)
    assert is_ancestor(git, base, work)
    assert find_trailer(git, work, base, "Cto-Execution", "e1") == work
    _move_refs(refs, base, work)
    with pytest.raises(CtoError):
        plumbing(repository).run("cat-file", "-p", "1" * 40)
    with pytest.raises(CtoError):
        git.run("cat-file", "-p", "1" * 40)
    maker().release(repository, git, room)

    assert trap.fired == set()


def test_looking_at_a_hostile_repository_twice_runs_nothing(
    hostile, trap: Trap, tmp_path: Path
) -> None:
    """Traps set while a worker ran: in the index, in attributes, in a split index, in a module."""
    repository = discover(hostile.path, hostile.env)
    places = (tmp_path / "before", tmp_path / "after")
    for place in places:
        place.mkdir()
    look = Look(
        repository=repository,
        git=trusted(repository),
        ours=tmp_path / "rooms",
        target="refs/heads/cto/t/integration",
        indexes=places[0],
    )
    before = take(look)
    for name in ("a.txt", "b.t", "c.p"):
        (hostile.path / name).write_text("changed\n")
    (hostile.path / ".gitattributes").write_text(ATTRIBUTES + "* ident\n")
    module = hostile.path / ".git/modules/m"
    shutil.copytree(hostile.path / ".git", tmp_path / "copy", symlinks=True)
    shutil.copytree(tmp_path / "copy", module, symlinks=True)
    trap.set(module)
    (hostile.path / ".git/sharedindex.1").touch()
    after = take(replace(look.after(before, places[0]), indexes=places[1]))
    found = differences(look.git, before, after, places)
    assert {each.surface for each in found} >= {"file", "hook", "config"}
    assert without_own_moves(look.git, found, before, {"1" * 40}) == found
    assert trap.fired == set()


def _work_against_us(room: Path, trap: Trap) -> None:
    git_dir = room / ".git"
    if git_dir.is_dir():
        trap.set(git_dir)
    else:
        (room / ".git").write_text(f"gitdir: {room / 'elsewhere'}\n")
    (room / "a.txt").write_text("0\n2\n3\n4\n5\n")
    (room / "b.t").write_text("changed\n")
    (room / "c.p").write_bytes(b"\0changed\n")
    (room / ".gitattributes").write_text(ATTRIBUTES + "* ident\n")


def _commit(objects: Objects, tree: str, base: str, who: Signature, message: str) -> str:
    commit = Commit(tree=tree, parents=(base,), author=who, committer=who, message=message)
    return objects.write("commit", commit.encode())


def _move_refs(refs: Refs, base: str, work: str) -> None:
    assert refs.compare_and_swap("refs/heads/cto/t/integration", None, base)
    assert refs.compare_and_swap("refs/heads/cto/t/integration", base, work)
    assert refs.list("refs/heads/cto/")
    assert refs.checked_out()
    assert refs.delete("refs/heads/cto/t/integration", work)
