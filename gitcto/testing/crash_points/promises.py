"""The five promises, asked of git and the disk after everything was done; not of the product.

What the ledger says is judged by :mod:`gitcto.testing.invariants`. One question only goes to the
product, and the driver asks it: whether evidence and decisions prove themselves again.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.testing.crash_points.world import TARGET
from gitcto.testing.invariants import check_repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitcto.testing.crash_points.flow import Flow
    from gitcto.testing.crash_points.world import World

_PREPARED = 2
"""How many files of locks may wait for their sweep: one for each kill of a run."""

_TRAILER = "%(trailers:key=Cto-{},valueonly)"
_TEAM = "refs/cto/teams/main"


def broken(world: World, flow: Flow) -> list[str]:
    """Return what is not as promised, in words; nothing when all is well."""
    asked: list[Iterator[str]] = [_landed_once(world, flow), _fsck(world, flow)]
    for name in flow.clones:
        asked += [_untouched(world, name), _left(world, name), _ledger(world, flow, name)]
        asked.append(_paid(world, name))
    if not flow.dropped:
        asked.append(_lost(world, flow))
    found = [f"{path} is not there" for path in flow.ends if not (world.root / path).exists()]
    for answers in asked:
        try:
            found += answers
        except (RuntimeError, CtoError) as error:  # what cannot be asked does not hold
            found.append(str(error))
    return found


def _landed_once(world: World, flow: Flow) -> Iterator[str]:
    """Each task that is done is one commit on the target, with its files; no other is."""
    for where in (*flow.clones, *(["hub"] if flow.hub else [])):
        landed = world.git("log", f"--format={_TRAILER.format('Task')}", *_since(flow), where=where)
        counted = Counter(landed.split())
        if counted != Counter(flow.done):
            yield f"{where}: {dict(counted)} landed, not {flow.done} once each"
    if not flow.done:
        return
    executions = world.git("log", f"--format={_TRAILER.format('Execution')}", TARGET).split()
    if len(set(executions)) != len(executions):
        yield "an execution landed twice"
    for path, text in flow.landed.items():
        held = world.git("show", f"{TARGET}:{path}")
        if held != text.rstrip("\n"):
            yield f"{path} on the target holds {held!r}"


def _since(flow: Flow) -> tuple[str, ...]:
    return (TARGET,) if flow.done else ("--all", "--not", "--glob=refs/cto", "main")


def _fsck(world: World, flow: Flow) -> Iterator[str]:
    for where in (*flow.clones, *(["hub"] if flow.hub else [])):
        try:
            said = world.git("fsck", "--full", "--strict", "--no-dangling", where=where)
        except RuntimeError as error:
            yield str(error)
        else:
            if said:
                yield f"{where}: git fsck: {said}"


def _untouched(world: World, name: str) -> Iterator[str]:
    """Tell of a checkout that is not as it was; it may only follow what landed, where asked."""
    dirty = world.git("status", "--porcelain", where=name)
    if dirty:
        yield f"the checkout is dirty: {dirty!r}"
    branch = world.git("symbolic-ref", "HEAD", where=name)
    if branch != "refs/heads/main":
        yield f"{branch} is checked out"
    stashes = world.git("stash", "list", where=name)
    if stashes:
        yield f"stashes were made: {stashes}"


def _left(world: World, name: str) -> Iterator[str]:
    """No room, record, lock, worktree or ref of an attempt is left."""
    refs = world.git("for-each-ref", "--format=%(refname)", f"{_TEAM}/executions", where=name)
    yield from (f"{ref} is left" for ref in refs.split())
    git_dir = world.clone(name) / ".git"
    for root, _, files in os.walk(git_dir):
        if not root.startswith(f"{git_dir}/cto"):  # there, they are files to be locked
            yield from (f"{root}/{file} is left" for file in files if file.endswith(".lock"))
    team = git_dir / "cto/teams/main"
    for place in (team / "executions", team / "outside", git_dir / "worktrees"):
        yield from (f"{path} is left" for path in _inside(place))
    # What a lock was prepared in is swept once the ref that it became has moved on.
    yield from (f"{path} is left" for path in _inside(git_dir / "cto/locks")[_PREPARED:])
    for rooms in (world.state(name) / "git-cto/rooms").glob("*"):
        for place in (rooms / "main", rooms / ".gates/main"):
            yield from (f"{path} is left" for path in _inside(place))


def _inside(place: Path) -> list[Path]:
    return sorted(place.iterdir()) if place.is_dir() else []


def _lost(world: World, flow: Flow) -> Iterator[str]:
    """Whatever a worker said that it wrote is in some commit that a ref reaches."""
    if not world.witness.exists():
        return
    said = dict.fromkeys(world.witness.read_text(encoding="utf-8").splitlines())
    there: set[str] = set()
    for name in flow.clones:
        there |= set(world.git("rev-list", "--objects", "--all", where=name).split())
    for line in said:
        path, _, text = line.partition("\t")
        blob = _blob(f"{text}\n")
        if blob not in there:
            yield f"{path} with {text!r} was written, and no ref reaches it"


def _paid(world: World, name: str) -> Iterator[str]:
    """No agent was asked for a plan of which nothing is recorded."""
    paid = world.root / "paid"
    count = len(paid.read_text(encoding="utf-8").splitlines()) if paid.exists() else 0
    said = world.git("log", "--format=%B", f"{_TEAM}/ledger", where=name)
    drafts = said.count('"kind":"plan.drafted"')
    if count > drafts:
        yield f"agents were paid for {count} plans, {drafts} are recorded"


def _blob(text: str) -> str:
    raw = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def _ledger(world: World, flow: Flow, name: str) -> Iterator[str]:
    """All invariants of a team hold, as its ledger and what there is in the world tell."""
    path = world.clone(name)
    rooms = next((world.state(name) / "git-cto/rooms").glob("*"), None)
    for violation in check_repository(path, "main", rooms_root=rooms, quiescent=flow.ends_quiet):
        yield f"{name}: {violation}"
