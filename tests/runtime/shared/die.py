"""Run a clone's team and kill this process at the n-th passing of a durable step.

Usage: ``die.py ROOT POINT N``, as ``tests/runtime/team/run_and_die.py``.
"""

from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from pathlib import Path

TESTS = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TESTS))


def main() -> None:
    from gitcto.runtime.team.run import run_team
    from tests.runtime.shared.conftest import Clone
    from tests.runtime.team.conftest import Told

    root, point, passings = sys.argv[1:]
    clone = Clone(Path(root))
    clone.policy_text = (clone.path / "policy.toml").read_text()
    dying = runpy.run_path(str(TESTS / "tests/runtime/team/run_and_die.py"))["DyingEffects"]
    effects = dying(point, int(passings))
    run_team(replace(clone.request(), effects=effects), Told(), lambda: False)


if __name__ == "__main__":
    main()
