"""``python -m gitcto.testing.crash_points``: kill every flow at every moment, and count."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from gitcto.testing.crash_points.campaign import ALL, Told, Wanted, campaign, carry_out
from gitcto.testing.crash_points.driver import Case
from gitcto.testing.crash_points.flow import Flow
from gitcto.testing.crash_points.flows import FLOWS
from gitcto.testing.crash_points.process import Along, Death

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - directories of our own are made there


def main() -> int:
    """Run what the arguments say; 1 when a promise was broken."""
    chosen = _arguments()
    place = chosen.place or (_SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None)
    wanted = Wanted(
        seed=chosen.seed,
        repeated=ALL if chosen.all else chosen.repeated,
        in_recovery=ALL if chosen.all else chosen.in_recovery,
        everywhere=chosen.all or chosen.everywhere,
        jobs=chosen.jobs,
    )
    flows = [flow for flow in FLOWS if not chosen.flow or flow.name in chosen.flow]
    with tempfile.TemporaryDirectory(prefix="crash-points-", dir=place) as scratch:
        if chosen.at is None:
            told = campaign(flows, Path(scratch), wanted, _say)
        else:
            told = carry_out(flows[0], Path(scratch), _case(chosen, flows[0]))
    _tell(told, as_json=chosen.json)
    return 1 if told.violations else 0


def _case(chosen: argparse.Namespace, flow: Flow) -> Case:
    return Case(
        flow=flow.name,
        step=chosen.step,
        death=chosen.at,
        again=chosen.again,
        along=chosen.along,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gitcto.testing.crash_points")
    parser.add_argument("--flow", action="append", help="only this one; may be repeated")
    parser.add_argument("--all", action="store_true", help="every moment of every flow, and more")
    parser.add_argument("--everywhere", action="store_true", help="each moment in every flow")
    parser.add_argument("--repeated", type=int, default=1, help="later passings, a flow")
    parser.add_argument("--in-recovery", type=int, default=2, help="kills of recovery, a flow")
    parser.add_argument("--seed", type=int, default=0, help="which are drawn")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--place", type=Path, help="where to make repositories")
    parser.add_argument("--at", type=Death.read, help="one kill: MOMENT or MOMENT #N")
    parser.add_argument("--step", type=int, default=0, help="one kill: of this step, from 0")
    parser.add_argument("--again", type=Death.read, default=Death(), help="one kill: then another")
    parser.add_argument("--along", type=Along, default=Along.NONE, help="one kill: who dies, too")
    parser.add_argument("--json", action="store_true", help="one JSON object of figures")
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _tell(told: Told, *, as_json: bool) -> None:
    figures = told.figures()
    for line in told.violations:
        sys.stderr.write(f"violation: {line}\n")
    if as_json:
        sys.stdout.write(f"{json.dumps(figures)}\n")
        return
    for name, value in figures.items():
        sys.stdout.write(f"{name}: {value}\n")


if __name__ == "__main__":
    sys.exit(main())
