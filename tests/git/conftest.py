"""A repository to talk to, made by plain git in an environment of its own."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gitcto.git.process import Git, trusted
from gitcto.git.repository import Repository, discover


@dataclass
class Repo:
    """A repository on disk and plain git in it, as a user would run it."""

    path: Path
    home: Path
    complaints: list[str] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        who = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (
                ("NAME", "A"),
                ("EMAIL", "a@b.invalid"),
                ("DATE", "1700000000 +0000"),
            )
        }
        base = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C"}
        return base | who | {"GIT_CONFIG_NOSYSTEM": "1"}

    def git(self, *arguments: str, cwd: Path | None = None, check: bool = True, **env: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.path,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr.decode()
        if done.returncode:
            self.complaints.append(f"{arguments}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def commit(self, message: str = "change", **files: str) -> str:
        for name, content in files.items():
            (self.path / name).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def at(self, path: Path) -> Repo:
        return Repo(path, self.home)

    @property
    def found(self) -> Repository:
        return discover(self.path, self.env)

    @property
    def trusted(self) -> Git:
        return trusted(self.found)


@pytest.fixture(params=["sha1"])
def repo(tmp_path: Path, request: pytest.FixtureRequest) -> Repo:
    home = tmp_path / "home"
    made = Repo(tmp_path / "repo", home)
    made.path.mkdir()
    home.mkdir()
    made.git("init", "--quiet", "--initial-branch=main", f"--object-format={request.param}")
    return made
