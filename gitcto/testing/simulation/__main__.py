"""Run seeds, print figures, repeat a failure: ``python -m gitcto.testing.simulation --help``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from gitcto.testing.simulation.options import draw
from gitcto.testing.simulation.simulation import Result, Simulation

_HOUR_MS = 3_600_000


def main() -> int:
    """Run; return 1 when an invariant did not hold."""
    wanted = _arguments()
    if wanted.seed is not None:
        return _one(wanted.seed, verbose=wanted.verbose)
    figures = Figures()
    for result in _results(wanted.seeds):
        figures.add(result)
        if result.violations:
            sys.stderr.write(_report(result))
            if wanted.stop_at_first:
                break
    sys.stdout.write(figures.json() if wanted.json else figures.line())
    return int(bool(figures.violations))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gitcto.testing.simulation")
    parser.add_argument("--seed", type=int, help="run this one, and say what it drew")
    parser.add_argument("--seeds", type=_range, default=range(100), metavar="A-B", help="inclusive")
    parser.add_argument("--json", action="store_true", help="print figures as one JSON object")
    parser.add_argument("--stop-at-first", action="store_true", help="end at the first violation")
    parser.add_argument("-v", "--verbose", action="store_true", help="print all that happened")
    return parser.parse_args()


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _results(seeds: range) -> Iterator[Result]:
    return (Simulation(draw(seed)).run() for seed in seeds)


def _one(seed: int, *, verbose: bool) -> int:
    result = Simulation(draw(seed), keep=verbose).run()
    sys.stdout.writelines(f"{line}\n" for line in result.lines)
    said = {
        "seed": seed,
        "violations": list(result.violations),
        "digest": result.digest,
        "simulated_h": round(result.ms / _HOUR_MS, 2),
        "faults": result.faults,
        "events": result.events,
        "options": draw(seed).told(),
    }
    sys.stdout.write(json.dumps(said, indent=1) + "\n")
    return int(bool(result.violations))


def _report(result: Result) -> str:
    found = "".join(f"  {violation}\n" for violation in result.violations[:10])
    options = json.dumps(draw(result.seed).told())
    return (
        f"seed {result.seed} at {_commit()}:\n{found}  drawn: {options}\n"
        f"  again: python -m gitcto.testing.simulation --seed {result.seed} -v\n"
    )


def _commit() -> str:
    here = str(Path(__file__).parent)
    asked = ["git", "-C", here, "rev-parse", "--short=12", "HEAD"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return said or "an unknown commit"


class Figures:
    """What many seeds came to."""

    def __init__(self) -> None:
        self.violations = 0
        self._seeds = self._ms = self._faulty_ms = self._steps = self._events = 0
        self._faults: Counter[str] = Counter()
        self._began_s = time.process_time()

    def add(self, result: Result) -> None:
        """Add one seed."""
        self._seeds += 1
        self._ms += result.ms
        self._faulty_ms += result.faulty_ms
        self._steps += result.steps
        self._events += result.events
        self._faults.update(result.faults)
        self.violations += len(result.violations)

    def told(self) -> dict[str, object]:
        """Return all figures: simulated hours of the team, faults an hour while there are any."""
        cpu_s = time.process_time() - self._began_s
        hours, faults = self._ms / _HOUR_MS, sum(self._faults.values())
        return {
            "seeds": self._seeds,
            "violations": self.violations,
            "simulated_h": round(hours, 1),
            "faults": faults,
            "durable_steps": self._steps,
            "events": self._events,
            "cpu_s": round(cpu_s, 1),
            "hours_per_cpu_minute": round(hours / max(cpu_s, 0.01) * 60),
            "faults_per_hour": round(faults / max(self._faulty_ms / _HOUR_MS, 0.01)),
            "by_kind": dict(sorted(self._faults.items())),
        }

    def json(self) -> str:
        """Return them as one JSON object."""
        return json.dumps(self.told()) + "\n"

    def line(self) -> str:
        """Return them in a line."""
        told = self.told()
        told.pop("by_kind")
        return ", ".join(f"{name} {value}" for name, value in told.items()) + "\n"


if __name__ == "__main__":
    sys.exit(main())
