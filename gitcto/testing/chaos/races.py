"""Many clones claim the same task of one remote ledger at once: one wins, the others hear who.

``python -m gitcto.testing.chaos.races [--claimants N] [--races N] [--json]``. Every claimant is a
process with a clone of its own; a race begins when all of them know the ledger and are told the
task.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import IO, Any, cast

from gitcto.testing.chaos.scratch import TEAM, Clone, Scratch, plan_text
from gitcto.testing.invariants import check_repository
from gitcto.testing.machine import machine

Talk = subprocess.Popen[str]


def measure(root: Path, claimants: int, races: int) -> dict[str, Any]:
    """Return the figures as plain values. What is made stays below ``root``."""
    scratch = Scratch(root)
    tasks = [f"R{number}" for number in range(1, races + 1)]
    scratch.make({}, plan_text((task, "[[]]", ()) for task in tasks), claimants)
    with ExitStack() as stack:
        talks = [
            stack.enter_context(_started(clone, f"claimant-{number}"))
            for number, clone in enumerate(scratch.clones, 1)
        ]
        results = [
            _race(talks[number % claimants :] + talks[: number % claimants], task)
            for number, task in enumerate(tasks)
        ]
        for talk in talks:
            _input(talk).close()
    first = scratch.clones[0]
    first.git("fetch", "--quiet", "origin", f"+refs/cto/teams/{TEAM}/*:refs/cto/teams/{TEAM}/*")
    return {
        "machine": machine(),
        "claimants": claimants,
        "races": races,
        "one_winner": sum(each["winners"] == 1 for each in results),
        "losers": sum(each["losers"] for each in results),
        "losers_told_who": sum(each["told"] for each in results),
        "winners": len({each["winner"] for each in results}),
        "race_median_s": round(median(each["took_s"] for each in results), 3),
        "race_max_s": round(max(each["took_s"] for each in results), 3),
        "violations": [
            f"{each.invariant} at event {each.seq}: {each.detail}"
            for each in check_repository(first.path, TEAM)
        ],
    }


def _started(clone: Clone, name: str) -> Talk:
    argv = (sys.executable, "-m", "gitcto.testing.chaos.claimant", str(clone.path), name)
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, env=clone.environ, stdin=pipe, stdout=pipe, text=True)


def _race(talks: list[Talk], task: str) -> dict[str, Any]:
    for talk in talks:
        _say(talk, "look")
    for talk in talks:
        _hear(talk)
    began = time.monotonic()
    for talk in talks:
        _say(talk, f"claim {task}")
    answers = [_hear(talk) for talk in talks]
    took_s = time.monotonic() - began
    won = [number for number, each in enumerate(answers) if each["won"]]
    holder = answers[won[0]]["holder"] if won else ""
    for number in won:
        _say(talks[number], "release")
        refused = _hear(talks[number])["refused"]
        if refused:
            raise RuntimeError(f"{task} could not be released: {refused}")
    lost = [each for each in answers if not each["won"]]
    return {
        "winners": len(won),
        "winner": holder,
        "losers": len(lost),
        "told": sum(each["detail"].endswith(f", held by {holder}") for each in lost),
        "took_s": took_s,
    }


def _input(talk: Talk) -> IO[str]:
    return cast("IO[str]", talk.stdin)


def _say(talk: Talk, words: str) -> None:
    _input(talk).write(f"{words}\n")
    _input(talk).flush()


def _hear(talk: Talk) -> dict[str, str]:
    line = cast("IO[str]", talk.stdout).readline()
    if not line:
        raise RuntimeError("a claimant ended; what it said stands above")
    return dict(json.loads(line))


def main() -> int:
    """Measure and print; exit 1 when a race had not exactly one winner, or a loser was not told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claimants", type=int, default=10)
    parser.add_argument("--races", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="git-cto-", ignore_cleanup_errors=True) as root:
        found = measure(Path(root).resolve(), asked.claimants, asked.races)
    sys.stdout.write(f"{json.dumps(found, indent=None if asked.json else 2)}\n")
    fine = found["one_winner"] == found["races"] and found["losers_told_who"] == found["losers"]
    return 0 if fine and not found["violations"] else 1


if __name__ == "__main__":
    sys.exit(main())
