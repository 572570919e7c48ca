"""A program that adds to a ledger which a remote has the last word on, and says how often it lost.

``shared_writer.py TEAM COUNT``: prints the id of each event once it is acknowledged.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gitcto.effects import SystemEffects
from gitcto.git.remotes import Remote
from gitcto.git.repository import discover
from gitcto.model import commands as cmd
from gitcto.model.records import TaskSpec
from gitcto.store.ledger import Ledger, Recorded
from gitcto.store.shared import Shared


def main() -> None:
    team, count = sys.argv[1:]
    repository, effects = discover(Path.cwd(), os.environ), SystemEffects()
    shared = Shared(Remote(repository, "origin", os.environ), team, effects)
    with Ledger(repository, team, effects, "writer", shared) as ledger:
        for number in range(int(count)):
            spec = TaskSpec(id=f"W{os.getpid()}.{number}", title="written")
            outcome = ledger.transact(cmd.ImportPlan(source="w", digest="d", tasks=(spec,)))
            assert isinstance(outcome, Recorded), outcome
            sys.stdout.write(" ".join(event.id for event in outcome.events) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
