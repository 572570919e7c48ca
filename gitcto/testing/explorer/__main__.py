"""Explore the protocol and print figures: ``python -m gitcto.testing.explorer --json``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict

from gitcto.testing.explorer import FULL, SMALL, Search


def main() -> int:
    """Explore; return 1 when something is wrong, with the shortest way to it."""
    parser = argparse.ArgumentParser(prog="python -m gitcto.testing.explorer")
    parser.add_argument("--json", action="store_true", help="print figures as one JSON object")
    parser.add_argument("--full", action="store_true", help="all of the protocol, not a part")
    parser.add_argument(
        "--states", type=int, default=100_000, help="how many to visit of each setting at most"
    )
    wanted = parser.parse_args()
    settings, results = FULL if wanted.full else SMALL, []
    for setting in settings:
        results.append(Search(setting).run(wanted.states))
        found = results[-1].found
        if found is not None:
            sys.stderr.write(f"{setting.name}: {found}\n")
            break
    figures = {
        "states": sum(each.states for each in results),
        "transitions": sum(each.transitions for each in results),
        "depth": max(each.depth for each in results),
        "complete": all(each.complete for each in results),
        "violations": sum(each.found is not None for each in results),
        "cpu_s": round(time.process_time(), 1),
        "settings": [asdict(each) for each in results],
    }
    line = "{states} states, {transitions} steps, {violations} wrong".format_map(figures)
    sys.stdout.write((json.dumps(figures) if wanted.json else line) + "\n")
    return int(bool(figures["violations"]))


if __name__ == "__main__":
    sys.exit(main())
