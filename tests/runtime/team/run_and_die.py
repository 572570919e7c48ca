"""Run a team and kill this process with SIGKILL at the n-th passing of a named durable step.

Usage: ``run_and_die.py ROOT POINT N``. Without the point being passed that often it ends normally.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from dataclasses import replace
from pathlib import Path

from gitcto.effects import SystemEffects
from gitcto.runtime.team.run import run_team


class DyingEffects(SystemEffects):
    """The real world, which ends at one step."""

    def __init__(self, point: str, passings: int) -> None:
        self._point = point
        self._left = passings

    def crash_point(self, name: str) -> None:
        if name == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    root, point, passings = sys.argv[1:]
    fixtures = runpy.run_path(str(Path(__file__).with_name("conftest.py")))
    team = fixtures["TeamRepo"].existing(Path(root))
    request = replace(team.request(), effects=DyingEffects(point, int(passings)))
    run_team(request, fixtures["Told"](), lambda: False)


if __name__ == "__main__":
    main()
