"""Kill ``git cto run`` at random moments of the demo's plan: the next run finishes it, once.

The moment is the recording of the n-th event, n drawn from the seed; the process is killed while
it goes on, from outside, in the middle of whatever it does: `test_crash_points.py` kills at every
moment that can be named. What is checked afterwards is asked of git and the landed files alone.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EVENTS = 90
"""About how many events an undisturbed run records."""


@pytest.mark.parametrize("seed", range(6))
def test_a_run_killed_at_a_random_moment_is_finished_by_the_next(
    tmp_path: Path, shop: Any, seed: int
) -> None:
    before = {
        p: p.read_bytes()
        for p in sorted(shop.path.rglob("*"))
        if ".git" not in p.parts and p.is_file()
    }
    shop.run_until(random.Random(seed).randrange(1, EVENTS))
    shop.run()
    branch = "cto/main/integration"
    tasks = shop.git(
        "log", "--format=%(trailers:key=Cto-Task,valueonly)", f"main..{branch}"
    ).split()
    wanted = ["CART", "DATES", "EXPORT-CART", "EXPORT-TEXT", "MONEY", "RECEIPT", "TEXT"]
    assert sorted(tasks) == wanted
    assert shop.git("fsck", "--full", "--strict", "--no-dangling") == ""
    left = shop.git("for-each-ref", "--format=%(refname)", "refs/cto/teams/main/executions")
    assert left == ""
    assert [p for p in (tmp_path / "state").rglob("room") if p.is_dir()] == []
    assert {p: p.read_bytes() for p in before} == before
    landed = tmp_path / "landed"
    shop.git("worktree", "add", "-q", "--detach", str(landed), branch)
    tests = subprocess.run(
        (sys.executable, "run_tests.py"), cwd=landed, capture_output=True, check=False
    )
    assert tests.returncode == 0, tests.stderr
    assert [p.name for p in (landed / "known_failures").glob("test_*")] == []
    status = shop.cto("status", "--json")
    assert json.loads(status.stdout)["team"]["counts"] == {"done": 7}
