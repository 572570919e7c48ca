"""One attack at one level: everything put up, the attack, and what is found afterwards."""

from __future__ import annotations

import os
from dataclasses import dataclass

from gitcto.errors import CtoError, ExitCode
from gitcto.escape import judge, observe, program
from gitcto.escape.bystanders import bystanders
from gitcto.escape.catalogue import CONTROL, Attack
from gitcto.escape.stage import lacking, places
from gitcto.escape.way import UNREADABLE, Trail, Way
from gitcto.escape.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What an attack came to: ``found`` is empty when nothing came through.

    ``noticed`` tells whether a run sees it and stops or records it, ``skipped`` says why the attack
    means nothing on this machine.
    """

    found: tuple[str, ...] = ()
    noticed: bool = False
    skipped: str = ""


def attack(world: World, way: Way, which: Attack, nonce: str) -> Tried:
    """Carry out one attack and look at what came of it; ``nonce`` marks its processes.

    Raises ``CtoError`` for an attack that did not even begin, or that has a mistake in it.
    """
    with bystanders(world, nonce) as there:
        at = places(world, there, way.place, way.records)
        missing = lacking(at, world.home)
        reasons = [missing[need] for need in which.needs if need in missing]
        if reasons:
            return Tried(skipped=reasons[0])
        before, refs = observe.look(world, way.is_ours), judge.commits(world)
        try:
            trail = way.act(which.name, {**at, "nonce": nonce, "abstract": nonce})
            _insist(way, which.name, trail, nonce)
            if which.name == CONTROL:
                _insist_on_work(trail, nonce)
            found = list(judge.while_it_stands(world, way, there, trail, nonce))
        finally:
            observe.end(way.place, nonce, {os.getpid()})
        problem = way.finish()
        found += judge.afterwards(world, way, before, refs)
        found += way.misled()
        if problem.startswith("cannot remove"):
            found.append(problem)
    unreadable = any(each.startswith(UNREADABLE) for each in found)
    return Tried(found=tuple(found), noticed=bool(trail.noticed) or unreadable)


def _insist(way: Way, name: str, trail: Trail, nonce: str) -> None:
    """Refuse an attack that was not one: a sandbox that starts nothing would look like the best."""
    began = way.place / "scratch" / "tmp" / "began"
    if trail.code == program.BROKEN:
        problem = trail.error.strip().rpartition("\n")[2]
    elif not began.is_file() or began.read_text(encoding="ascii") != nonce:
        problem = trail.error.strip().rpartition("\n")[2] or "it did not begin"
    else:
        return
    raise CtoError(
        f"the attack {name} cannot be carried out here: {problem}",
        "this is a bug of git-cto or of the sandbox; please report it",
        ExitCode.INTERNAL,
    )


def _insist_on_work(trail: Trail, nonce: str) -> None:
    """Refuse a sandbox in which harmless work does not arrive, or a project's tests cannot run."""
    if trail.code == 0 and nonce.encode() in trail.taken and trail.passed:
        return
    problem = trail.error.strip().rpartition("\n")[2] or "its work did not arrive"
    raise CtoError(
        f"a harmless worker cannot work here: {problem}",
        "a sandbox that stops everything stops every attack; use another one",
        ExitCode.REFUSED,
    )
