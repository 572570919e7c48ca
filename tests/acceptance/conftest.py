"""The demo's repository, driven through the command line as a person would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitcto.cli.demo_project import FILES, plan, policy
from tests.sound import _teams_are_sound  # noqa: F401 - a fixture that every test gets

PROGRAM = (sys.executable, "-c", "import sys; from gitcto.cli.entry import main; sys.exit(main())")


class Shop:
    """The demo's repository, driven through the command line; ``under`` runs git-cto itself."""

    under: tuple[str, ...] = ()

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
            assert self.cto(*words).returncode == 0

    def call(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, cwd=self.path, env=self.environ, capture_output=True, text=True, check=False
        )

    def cto(self, *words: str, directory: Path | None = None) -> subprocess.CompletedProcess[str]:
        where = ("-C", str(directory)) if directory else ()
        return self.call(*self.under, *PROGRAM, *where, *words)

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
        done = self.cto("run")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)
