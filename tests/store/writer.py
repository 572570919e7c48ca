"""A program that appends to a ledger until it is told to stop, or kills itself at a crash point.

``writer.py TEAM COUNT [POINT PASSES]``: prints the id of each event once it is acknowledged.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from gitcto.effects import SystemEffects
from gitcto.git.repository import discover
from gitcto.model import commands as cmd
from gitcto.model.records import TaskSpec
from gitcto.store.ledger import Ledger, Recorded


class Deadly(SystemEffects):
    """Kills its own process, as ``kill -9`` does, when it passes a point for the nth time."""

    def __init__(self, point: str, passes: int) -> None:
        self.point = point
        self.passes = passes

    def crash_point(self, name: str) -> None:
        """Count, and die when it is time."""
        if name == self.point:
            self.passes -= 1
            if self.passes == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    team, count, point, passes = [*sys.argv[1:], "", "0"][:4]
    repository = discover(Path.cwd(), os.environ)
    with Ledger(repository, team, Deadly(point, int(passes)), "writer") as ledger:
        for number in range(int(count)):
            spec = TaskSpec(id=f"W{os.getpid()}.{number}", title="written")
            outcome = ledger.transact(cmd.ImportPlan(source="w", digest="d", tasks=(spec,)))
            assert isinstance(outcome, Recorded), outcome
            sys.stdout.write(" ".join(event.id for event in outcome.events) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
