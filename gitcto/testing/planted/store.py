"""Kill a writer of a real ledger at each of its durable steps: ``python -m …planted.store``.

What it was told is recorded must be there, and the sidecar must be the ledger's fold.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from gitcto.effects import SystemEffects
from gitcto.git.repository import Repository, discover
from gitcto.model.commands import CreateTeam, Refusal, SetMode
from gitcto.model.records import TeamMode
from gitcto.store.ledger import Ledger
from gitcto.testing.invariants import Observed, check, check_repository

POINTS = ("", "ledger.object", "ledger.ref", "ledger.sidecar")
"""Where the writer is killed; at the first, nowhere."""

MODES = (TeamMode.PAUSED, TeamMode.RUNNING) * 4


class _Deadly(SystemEffects):
    def __init__(self, point: str, passings: int) -> None:
        self._point, self._left = point, passings

    def crash_point(self, name: str) -> None:
        """Die at the chosen step, when it was passed often enough."""
        self._left -= name == self._point
        if name == self._point and self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> int:
    """Kill, look and go on at each point; return 1 when something is wrong."""
    for point in POINTS:
        with tempfile.TemporaryDirectory() as root:
            repository = _made(Path(root))
            acknowledged: list[str] = []
            for passings in (2, 3):
                acknowledged += _written(repository, point, passings)
                problem = _problem(repository, tuple(acknowledged))
                if problem:
                    sys.stderr.write(f"killed at {point or 'no point'}: {problem}\n")
                    return 1
    return 0


def _made(root: Path) -> Repository:
    environ = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(root)}
    argv = ["git", "init", "-q", str(root)]
    subprocess.run(argv, env={**os.environ, **environ}, check=True)
    repository = discover(root, environ)
    with Ledger(repository, "main", SystemEffects(), "u") as ledger:
        ledger.transact(CreateTeam(team="main", target="refs/heads/cto/main/integration"))
    return repository


def _written(repository: Repository, point: str, passings: int) -> list[str]:
    """Write in a process of its own, which may be killed; return what it was told is recorded."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _write(repository, _Deadly(point, passings), writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read().split()
    os.waitpid(pid, 0)
    return told


def _write(repository: Repository, effects: SystemEffects, told: int) -> None:
    try:
        with Ledger(repository, "main", effects, "u") as ledger:
            for mode in MODES:
                answer = ledger.transact(SetMode(mode=mode))
                if not isinstance(answer, Refusal):
                    os.write(told, b"".join(f"{each.id}\n".encode() for each in answer.events))
    finally:
        os._exit(0)


def _problem(repository: Repository, acknowledged: tuple[str, ...]) -> str:
    with Ledger(repository, "main", SystemEffects(), "u") as ledger:
        seen = [stored.event for stored in ledger.events()]
        ledger.transact(SetMode(mode=TeamMode.DRAINING))
    found = [
        *check_repository(repository.common_dir.parent),
        *check(seen, Observed(acknowledged=acknowledged)),
    ]
    return str(found[0]) if found else ""


if __name__ == "__main__":
    sys.exit(main())
