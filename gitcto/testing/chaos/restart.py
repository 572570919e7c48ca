"""How soon a killed run schedules again on a long ledger.

``python -m gitcto.testing.chaos.restart [--events N] [--rounds N] [--json]``: a ledger of that many
events, three workers at work, and a run that is killed with SIGKILL as soon as it has scheduled
something. Measured is the time from the kill to the first lease that the next run records.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gitcto.effects import SystemEffects
from gitcto.model import commands as cmd
from gitcto.model.records import Decision, TaskSpec
from gitcto.store.ledger import Ledger
from gitcto.testing.chaos.process import Run, Seen
from gitcto.testing.chaos.scratch import TEAM, Clone, Scratch, plan_text
from gitcto.testing.chaos.strays import end_all
from gitcto.testing.machine import machine

GOAL_S = 2.0
_AT_ONCE = 50
_WORKERS = ("A", "B", "C")
_SCHEDULED = ("lease.taken", "execution.leased")


def measure(root: Path, events: int, rounds: int) -> dict[str, Any]:
    """Return the figures as plain values. What is made stays below ``root``."""
    scratch = Scratch(root)
    attempts = [[{"do": "work"}, {"do": "hang"}]]
    scratch.make({}, plan_text((x, scratch.script(x, attempts), ()) for x in _WORKERS), 1)
    (clone,) = scratch.clones
    try:
        length = lengthen(clone, events)
        samples = _samples(scratch, rounds)
    finally:
        end_all(scratch.place)
    ordered = sorted(samples)
    return {
        "machine": machine(),
        "events": length,
        "kills": len(samples),
        "median_s": round(ordered[len(ordered) // 2], 3),
        "p95_s": round(ordered[max(0, -(-len(ordered) * 95 // 100) - 1)], 3),
        "max_s": round(ordered[-1], 3),
        "goal_s": GOAL_S,
    }


def _samples(scratch: Scratch, rounds: int) -> list[float]:
    run = scratch.start(scratch.clones[0])
    run.nth(len(_WORKERS), lambda seen: seen.kind == "execution.started")
    samples = []
    for _ in range(rounds):
        began = time.monotonic()
        run.kill()
        run = scratch.start(scratch.clones[0])
        samples.append(_first_lease(run).at_s - began)
    run.kill()
    return samples


def _first_lease(run: Run) -> Seen:
    found = run.first(lambda seen: seen.kind in _SCHEDULED)
    if found is None:
        raise RuntimeError(f"a run scheduled nothing: {run.said}")
    return found


def lengthen(clone: Clone, events: int) -> int:
    """Record lives of tasks that failed until a ledger has so many events; return how many."""
    with Ledger(clone.repository, TEAM, SystemEffects(), "chaos@here") as ledger:
        number = length = 0
        while length < events:
            lives = range(number, number + _AT_ONCE)
            answer = ledger.transact(cmd.Together(tuple(c for n in lives for c in _life(n))))
            assert not isinstance(answer, cmd.Refusal), answer
            number, length = number + _AT_ONCE, answer.seq
        return length


def _life(number: int) -> tuple[cmd.SingleCommand, ...]:
    execution, task = f"{number:026d}", f"past-{number}"
    spec = TaskSpec(id=task, title=f"something of the past, number {number}")
    return (
        cmd.ImportPlan(source="past", digest="0" * 64, tasks=(spec,)),
        cmd.Lease(
            task=task,
            execution=execution,
            base="0" * 40,
            provider="scripted",
            role="developer",
            workspace="clone",
            holder="past",
            expires_ms=SystemEffects().now_ms() + 600_000,
            max_workers=6,
            decision=Decision(
                action="dispatch",
                resource=task,
                subject="past",
                rule="roles.developer",
                policy="0" * 64,
                inputs={},
                verdict="allow",
                reason="it was so",
            ),
        ),
        cmd.RecordStart(
            execution=execution, epoch=1, pid=1, process_start="past", isolation="none"
        ),
        cmd.RecordExit(execution=execution, epoch=1, code=1, cause="exited"),
        cmd.FailExecution(
            execution=execution,
            epoch=1,
            reason="worker_exit",
            detail="the worker ended with code 1",
            charged=True,
            max_attempts=1,
        ),
    )


def main() -> int:
    """Measure and print; exit 0 whatever the figures are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="git-cto-", ignore_cleanup_errors=True) as root:
        found = measure(Path(root).resolve(), asked.events, asked.rounds)
    sys.stdout.write(f"{json.dumps(found, indent=None if asked.json else 2)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
