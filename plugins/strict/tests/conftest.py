"""A worker under ``strict``, in surroundings with something to hide."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from gitcto_strict.sandbox import Strict

from gitcto.api import ConfineRequest

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Home:
    """A home directory, hidden, with a room in it."""

    path: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin"})

    @property
    def room(self) -> Path:
        return self.path / "rooms" / "room"

    def request(self, *argv: str, **changes: Any) -> ConfineRequest:
        asked: dict[str, Any] = {
            "argv": argv,
            "env": self.env,
            "cwd": self.room,
            "writes": (self.room,),
            "hides": (self.path, self.path / "rooms"),
            "run_dir": self.path / "rooms" / "private",
        }
        return ConfineRequest(**asked | changes)

    def run(self, *argv: str, **changes: Any) -> subprocess.CompletedProcess[str]:
        """Run a worker in the sandbox."""
        confined = Strict().confine(self.request(*argv, **changes))
        return subprocess.run(
            confined.argv,
            env=dict(confined.env),
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    def sh(self, script: str, *words: object, **changes: Any) -> str:
        """Return what a shell in the sandbox prints, which must end well."""
        done = self.run("sh", "-ec", script, "sh", *map(str, words), **changes)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.strip()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home" / "ada")
    made.room.mkdir(parents=True)
    (made.path / "rooms" / "private").mkdir()
    (made.path / "rooms" / "private" / "ours").write_text("ours")
    (made.path / "rooms" / "other").mkdir()
    (made.path / "secret").write_text("secret")
    return made
