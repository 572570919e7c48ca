"""Plant every bug and look for it: ``python -m gitcto.testing.planted --json``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from gitcto.testing.planted import BUGS, DETECTORS, Trial, try_bug


def main() -> int:
    """Plant, look, report; return 1 when an unsafe bug was not found."""
    parser = argparse.ArgumentParser(prog="python -m gitcto.testing.planted")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    parser.add_argument("--only", default="", metavar="WORDS", help="bugs whose name has these")
    parser.add_argument(
        "--with", dest="detectors", action="append", choices=DETECTORS, help="look with these only"
    )
    wanted = parser.parse_args()
    chosen = [bug for bug in BUGS if wanted.only in bug.name]
    trials = []
    for bug in chosen:
        with tempfile.TemporaryDirectory() as scratch:
            trials.append(try_bug(bug, Path(scratch), tuple(wanted.detectors or ())))
        sys.stderr.write(_line(trials[-1]))
    unsafe = [trial for trial in trials if trial.unsafe]
    missed = [trial.bug for trial in unsafe if not trial.found_by]
    figures = {
        "planted": len(trials),
        "unsafe": len(unsafe),
        "found": len(unsafe) - len(missed),
        "missed": missed,
        "cpu_s": round(sum(trial.cpu_s for trial in trials), 1),
        "trials": [asdict(trial) for trial in trials],
    }
    line = "{found} of {unsafe} unsafe bugs found, {planted} planted".format_map(figures)
    sys.stdout.write((json.dumps(figures) if wanted.json else line) + "\n")
    return int(bool(missed))


def _line(trial: Trial) -> str:
    found = trial.found_by or ("NOT FOUND" if trial.unsafe else "harmless")
    return f"{found:10} {trial.cpu_s:6.1f} s  {trial.bug}: {trial.said}\n"


if __name__ == "__main__":
    sys.exit(main())
