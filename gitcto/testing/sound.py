"""Is everything that git-cto keeps in a scene as it must be? Asked after every fault."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from gitcto.effects import SystemEffects
from gitcto.errors import CtoError
from gitcto.git.repository import discover
from gitcto.store.ledger import Ledger, teams
from gitcto.testing.scene import stale_locks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gitcto.testing.scene import Operation, Scene


def recovered(
    scene: Scene, operation: Operation, acknowledged: Sequence[str]
) -> list[tuple[str, str]]:
    """Do what comes next, then the operation again, and return what is wrong as pairs.

    The kinds are those of :func:`problems`, ``retry`` for a command that did not succeed, and
    ``check`` for what the operation itself finds.
    """
    try:
        for action in (operation.recover or operation.act, operation.act):
            action(scene)
    except CtoError as error:
        return [("retry", f"{error.message} ({error.hint})")]
    found = problems(scene, acknowledged)
    return found + [("check", text) for text in operation.check(scene)]


def problems(scene: Scene, acknowledged: Sequence[str]) -> list[tuple[str, str]]:
    """Return what is wrong, each with its kind: ``fsck``, ``lock``, ``chain`` or ``lost``.

    The ledger of every team is verified, the sidecar compared with what a replay makes of it, and
    every acknowledged event looked for.
    """
    found: list[tuple[str, str]] = []
    events: set[str] = set()
    for git_dir in scene.repositories():
        found += [("fsck", line) for line in _fsck(scene, git_dir)]
        found += [("lock", str(lock)) for lock in stale_locks(git_dir)]
        repository = discover(git_dir, scene.environ)
        for team in teams(repository):
            with Ledger(repository, team, SystemEffects(), "checker") as ledger:
                found += [("chain", line) for line in _chain(ledger)]
                events |= {stored.event.id for stored in ledger.events()}
    return found + [("lost", f"event {each}") for each in acknowledged if each not in events]


def _fsck(scene: Scene, git_dir: Path) -> Iterator[str]:
    done = subprocess.run(
        ["git", "--git-dir", str(git_dir), "fsck", "--strict", "--no-dangling", "--no-progress"],
        env=dict(scene.environ),
        capture_output=True,
        check=False,
        text=True,
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if "notice: " not in line]
    yield from said
    if done.returncode and not said:
        yield f"git fsck ended with code {done.returncode}"


def _chain(ledger: Ledger) -> Iterator[str]:
    yield from ledger.verify_chain()
    ledger.summary()
    followed = ledger.sidecar().dump()
    ledger.rebuild()
    if ledger.sidecar().dump() != followed:
        yield "the sidecar is not what a replay of the ledger makes"
