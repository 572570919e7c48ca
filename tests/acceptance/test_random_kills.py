"""Kill ``git cto run`` at random moments of the demo's plan: the next run finishes it, once.

The moment is the recording of the n-th event, n drawn from the seed; the process is killed while
it goes on. What is checked afterwards is asked of git and the landed files alone.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from gitcto.cli.demo_project import FILES, plan, policy

EVENTS = 90
"""About how many events an undisturbed run records."""

PROGRAM = (sys.executable, "-c", "import sys; from gitcto.cli.entry import main; sys.exit(main())")


class Shop:
    """The demo's repository, driven through the command line."""

    def __init__(self, root: Path) -> None:
        self.path = root / "shop"
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "XDG_STATE_HOME": str(root / "state"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        files = {**FILES, "plan.toml": plan(), "policy.toml": policy(sys.executable)}
        for name, text in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("-c", "user.name=u", "-c", "user.email=u@x", "commit", "-qm", "start")
        for words in (("init",), ("plan", "import", "plan.toml")):
            assert self.call(*PROGRAM, *words).returncode == 0

    def call(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, cwd=self.path, env=self.environ, capture_output=True, text=True, check=False
        )

    def git(self, *arguments: str) -> str:
        done = self.call("git", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run_until(self, events: int) -> None:
        """Run until so many events are told, then kill."""
        with subprocess.Popen(
            (*PROGRAM, "run", "--json"), cwd=self.path, env=self.environ, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            for _ in range(events):
                if not process.stdout.readline():
                    break
            process.kill()

    def run(self) -> None:
        done = self.call(*PROGRAM, "run")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("seed", range(30))
def test_a_run_killed_at_a_random_moment_is_finished_by_the_next(tmp_path: Path, seed: int) -> None:
    shop = Shop(tmp_path)
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
    status = shop.call(*PROGRAM, "status", "--json")
    assert json.loads(status.stdout)["team"]["counts"] == {"done": 7}
