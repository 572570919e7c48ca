"""Open a pull request and kill this process with SIGKILL at a named durable step.

Usage: ``open_and_die.py ROOT POINT``. Without the point being passed it ends normally.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from gitcto.effects import SystemEffects
from gitcto.runtime.delivery.pull_requests import open_pull_request
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.team.run import make_context

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.runtime.pushing.conftest import Hub


class DyingEffects(SystemEffects):
    """The real world, which ends at one step."""

    def __init__(self, point: str) -> None:
        self._point = point

    def crash_point(self, name: str) -> None:
        if name == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    root, point = sys.argv[1:]
    hub = Hub.existing(Path(root))
    request = replace(hub.request(), effects=DyingEffects(point))
    context = make_context(request, Layout(request.repository, "main", request.rooms_root))
    with context.ledger as ledger:
        task = ledger.view().task("A")
        assert task is not None
        text = f"as process {os.getpid()} says it\n"  # another one each time it is asked
        sys.stdout.write(f"{open_pull_request(context, task, text)}\n")


if __name__ == "__main__":
    main()
