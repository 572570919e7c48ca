"""The user's world that an attack goes for: a home, a checkout, other worktrees, another worker."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitcto.effects import SystemEffects
from gitcto.errors import CtoError, ExitCode
from gitcto.git.process import execute
from gitcto.git.repository import Repository, discover
from gitcto.plugins import Plugins
from gitcto.policy.records import Policy
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.team.run import RunRequest

TEAM = "team"
TASK = "ATTACK"
ATTACKER = "attacker"
"""The provider that starts attacks."""

SIBLING = "sibling"
"""The execution of another worker, which is at work."""

IDLE = "idle"
"""The execution of a worker that has ended; its room is kept."""

GATE = "tests"
CANARY = "hunter2-do-not-leak"
"""What every secret of the user's contains."""

_MIB = 1 << 20
_GIT_S = 60.0

OUTPUT_BYTES = _MIB
"""How much output of a worker is kept."""


@dataclass(frozen=True, slots=True)
class World:
    """Where things are below ``root``; ``path`` is the user's search path for programs."""

    root: Path
    path: str

    @property
    def home(self) -> Path:
        """The user's home directory; everything of the user's is below it."""
        return self.root / "home"

    @property
    def project(self) -> Path:
        """The user's checkout."""
        return self.home / "project"

    @property
    def git_dir(self) -> Path:
        """The user's repository."""
        return self.project / ".git"

    @property
    def second(self) -> Path:
        """Another worktree of the user's."""
        return self.home / "second"

    @property
    def rooms(self) -> Path:
        """Where workers' rooms are, outside the home."""
        return self.root / "rooms"

    @property
    def fired(self) -> Path:
        """Where programs of the worker's leave a mark when somebody runs them."""
        return self.home / "fired"

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that git-cto is started in, with a secret of the user's."""
        return {
            "PATH": self.path,
            "HOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C.UTF-8",
            "API_TOKEN": f"{CANARY}-token",
        }

    def repository(self) -> Repository:
        """Return the user's repository, which every copy of this world has in the same place."""
        return _repository(self)

    def git(self, *arguments: str, where: Path | None = None, check: bool = True) -> str:
        """Run git as the user would; with ``check``, ``CtoError`` when it fails."""
        argv = [self.program, "-C", str(where or self.project), *arguments]
        done = execute(argv, self.environ, b"", _GIT_S)
        if check and done.code != 0:
            raise CtoError(
                f"git {arguments[0]} failed: {done.complaint}",
                "see whether git works at all in a temporary directory",
                ExitCode.GIT,
            )
        return done.out.decode("utf-8", "surrogateescape").strip()

    @property
    def program(self) -> str:
        """The git that is found on the search path."""
        return shutil.which("git", path=self.path) or "git"

    def request(self, plugins: Plugins, policy: Policy) -> RunRequest:
        """Return what a run of the team would be given."""
        return RunRequest(
            repository=self.repository(),
            team=TEAM,
            policy=policy,
            plugins=plugins,
            effects=SystemEffects(),
            rooms_root=self.rooms,
            environ=self.environ,
            actor="suite@localhost",
        )

    def layout(self) -> Layout:
        """Return the team's places."""
        return Layout(self.repository(), TEAM, self.rooms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goals:
    """What a worker may use here, and how far an attack goes beyond that if nobody stops it."""

    processes: int = 1500
    memory: int = 1536 * _MIB
    file: int = 64 * _MIB
    disk: int = 128 * _MIB
    lines: int = 10_000_000


GOALS = Goals()


@functools.cache
def _repository(world: World) -> Repository:
    return discover(world.project, world.environ)
