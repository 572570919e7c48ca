"""One of several who claim the same task, each in a clone of its own.

``python -m gitcto.testing.chaos.claimant CLONE NAME`` reads lines (``look``, ``claim TASK``,
``release``), does that to the shared ledger through the product's own write path, and answers each
with a line of JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from gitcto.effects import SystemEffects
from gitcto.git.remotes import Remote
from gitcto.git.repository import discover
from gitcto.model import commands as cmd
from gitcto.model.events import ExecutionLeased
from gitcto.model.records import Decision
from gitcto.store.ledger import Ledger
from gitcto.store.shared import Shared
from gitcto.testing.chaos.scratch import TEAM

_MINUTE_MS = 60_000


class Claimant:
    """Claims tasks and gives them up."""

    def __init__(self, clone: Path, name: str) -> None:
        self._name = name
        self._effects = SystemEffects()
        repository = discover(clone, os.environ)
        self._shared = Shared(Remote(repository, "origin", os.environ), TEAM, self._effects)
        self._ledger = Ledger(repository, TEAM, self._effects, name, self._shared)
        self._execution = ""

    def look(self) -> dict[str, str]:
        """Learn what the others did, so that nobody starts a race behind them."""
        self._shared.look()
        self._ledger.catch_up()
        return {}

    def claim(self, task: str) -> dict[str, str]:
        """Claim a task; say whether it was won, or what the refusal says."""
        self._execution = self._effects.new_id()
        answer = self._ledger.transact(_lease(task, self._execution, self._name, self._effects))
        if isinstance(answer, cmd.Refusal):
            return {"won": "", "code": answer.code, "detail": answer.detail}
        (leased,) = (each.body for each in answer.events)
        assert isinstance(leased, ExecutionLeased)
        return {"won": leased.execution, "holder": leased.holder}

    def release(self) -> dict[str, str]:
        """End the attempt that was won last, so that its seat is free."""
        answer = self._ledger.transact(
            cmd.FailExecution(
                execution=self._execution,
                epoch=1,
                reason="released",
                detail="the race is over",
                charged=True,
                max_attempts=1,
            )
        )
        return {"refused": answer.detail if isinstance(answer, cmd.Refusal) else ""}


def _lease(task: str, execution: str, holder: str, effects: SystemEffects) -> cmd.Lease:
    return cmd.Lease(
        task=task,
        execution=execution,
        base="0" * 40,
        provider="scripted",
        role="developer",
        workspace="clone",
        holder=holder,
        expires_ms=effects.now_ms() + _MINUTE_MS,
        max_workers=6,
        decision=Decision(
            action="dispatch",
            resource=task,
            subject=holder,
            rule="roles.developer",
            policy="0" * 64,
            inputs={},
            verdict="allow",
            reason="everybody may try",
        ),
        nonce=effects.new_id(),
    )


_PLAIN = {"look": Claimant.look, "release": Claimant.release}


def main() -> int:
    """Answer until standard input ends."""
    claimant = Claimant(Path(sys.argv[1]), sys.argv[2])
    for line in sys.stdin:
        word, *task = line.split()
        answer = claimant.claim(*task) if task else _PLAIN[word](claimant)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
