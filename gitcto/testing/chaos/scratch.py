"""A scratch repository, its clones and its team, on which a scenario is played."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gitcto.git.repository import Repository, discover
from gitcto.model.records import MAX_WORKERS
from gitcto.testing.chaos.process import Run
from gitcto.testing.environment import hermetic

TEAM = "main"
BRANCH = "cto/main/integration"
LEDGER = "refs/cto/teams/main/ledger"
PROGRAM = (sys.executable, "-c", "import sys; from gitcto.cli.entry import main; sys.exit(main())")
"""What runs ``git cto``, also where its script is not installed."""

ATTEMPTS = 8
"""So many attempts of a task write different work; all later ones the same."""

_TIMEOUT_S = 60.0
_SHARED = {"remote": {"name": "origin", "ledger": True}}
POLICY: Mapping[str, Any] = {
    "concurrency": {"max_workers": 3},
    "workspace": {"free_mib": 1},
    "sandbox": {"use": ["none"]},
    "retries": {"max_attempts": 3, "conflict": 3},
    "roles": {"developer": {"provider": "scripted"}},
    "providers": {"scripted": {"plugin": "fake"}},
    "gates": {
        "nonempty": {},
        "paths": {},
        "tests": {"argv": ["test", "-f", "base.txt"], "deadline_s": 60},
    },
    "tiers": {"P1": {"gates": ["nonempty", "paths", "tests"]}},
}
"""What scenarios that say nothing else run by."""


@dataclass(frozen=True, slots=True)
class Clone:
    """One clone with a home directory, rooms and environment of its own."""

    path: Path
    environ: Mapping[str, str]

    @property
    def cto(self) -> Path:
        """git-cto's own directory in the common git directory."""
        return self.path / ".git" / "cto"

    @property
    def repository(self) -> Repository:
        """The repository, as the product sees it."""
        return discover(self.path, self.environ)

    def call(self, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program in the clone."""
        return subprocess.run(
            argv,
            cwd=self.path,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )

    def git(self, *arguments: str, stdin: str = "") -> str:
        """Run git, which must succeed, and return what it prints."""
        done = self.call("git", *arguments, stdin=stdin)
        assert done.returncode == 0, f"git {arguments}: {done.stderr}"
        return done.stdout.strip()

    def expect(self, *words: str) -> str:
        """Run ``git cto``, which must succeed, and return what it prints."""
        done = self.call(*PROGRAM, *words)
        assert done.returncode == 0, f"git cto {words}: {done.stdout}{done.stderr}"
        return done.stdout


class Scratch:
    """Everything of one scenario below ``root``; ``place`` may be a file system of its own."""

    def __init__(self, root: Path) -> None:
        self.place = root / "place"
        self.logs = root / "logs"
        self.clock = root / "clock"
        self.witness = self.place / "witness"
        self.clones: list[Clone] = []
        self._runs = 0
        for directory in (self.place, self.logs, self.witness):
            directory.mkdir(parents=True, exist_ok=True)
        self.clock.write_text("0", encoding="ascii")

    @classmethod
    def of(cls, root: Path) -> Scratch:
        """Return what was made below ``root`` before, to look at it."""
        self = cls(root)
        homes = sorted(path.parent for path in self.place.glob("?/repository"))
        self.clones = [Clone(home / "repository", hermetic(home)) for home in homes]
        return self

    @property
    def hub(self) -> Path:
        """The bare repository that clones share."""
        return self.place / "hub.git"

    def make(
        self,
        policy: Mapping[str, Any],
        plan: str,
        clones: int = 1,
        files: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Make the repository with ``files`` and its clones, and give the team its plan."""
        shared = clones > 1 or "remote" in policy
        text = policy_text(POLICY, _SHARED if shared else {}, policy)
        first = self._clone("a")
        first.path.mkdir()
        first.git("init", "--quiet")
        for name, content in {"base.txt": "base\n", "policy.toml": text, **files}.items():
            (first.path / name).write_text(content, encoding="utf-8")
        first.git("add", "--all")
        first.git("commit", "--quiet", "--no-verify", "-m", "start")
        if shared:
            first.git("init", "--quiet", "--bare", str(self.hub))
            first.git("remote", "add", "origin", str(self.hub))
            first.git("push", "--quiet", "origin", "main")
        first.expect("init")
        first.expect("plan", "import", self._written("plan.toml", plan))
        for number in range(1, clones):
            other = self._clone(chr(ord("a") + number))
            first.git("clone", "--quiet", str(self.hub), str(other.path))
            other.expect("init")

    def _clone(self, name: str) -> Clone:
        home = self.place / name
        (home / "tmp").mkdir(parents=True)
        made = Clone(home / "repository", hermetic(home))
        self.clones.append(made)
        return made

    def copy(self, clone: Clone) -> Clone:
        """Copy a clone, git directory and all, to where another machine would have it."""
        made = self._clone(chr(ord("a") + len(self.clones)))
        shutil.copytree(clone.path, made.path, symlinks=True)
        return made

    def _written(self, name: str, text: str) -> str:
        path = self.place / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def start(self, clone: Clone, clock: Path | None = None, workers: int = MAX_WORKERS) -> Run:
        """Start ``git cto run`` in a clone, by another clock if one is given."""
        self._runs += 1
        program: Sequence[str] = PROGRAM
        if clock is not None:
            program = (sys.executable, "-m", "gitcto.testing.chaos.clocked", str(clock))
        said = self.logs / f"run-{self._runs}.stderr"
        argv = (*program, "run", "--json", "--workers", str(workers))
        return Run(argv, clone.path, clone.environ, said)

    def release(self) -> None:
        """Let the workers go on that wait for ``@go``."""
        (self.place / "go").touch()

    def script(self, task: str, attempts: Sequence[Sequence[Mapping[str, Any]]]) -> str:
        """Return what the fake agent follows.

        The step ``work`` writes a file that no other attempt writes so, and says elsewhere that it
        did: what is said there must be found again. A leading ``@`` is the scratch place.
        """
        numbers = range(1, max(ATTEMPTS, len(attempts)) + 1)
        steps = [attempts[min(number, len(attempts)) - 1] for number in numbers]
        expanded = [
            [each for step in some for each in self._steps(task, number, step)]
            for number, some in zip(numbers, steps, strict=True)
        ]
        return json.dumps(expanded)

    def _steps(self, task: str, number: int, step: Mapping[str, Any]) -> list[dict[str, Any]]:
        if step["do"] != "work":
            placed = {
                key: f"{self.place}/{value[1:]}" if str(value).startswith("@") else value
                for key, value in step.items()
            }
            return [placed]
        path, text = str(step.get("path", f"work/{task}.txt")), work(task, number)
        said = json.dumps({"task": task, "attempt": number, "path": path})
        return [
            {"do": "write", "path": path, "text": text},
            {"do": "append", "path": str(self.witness / task), "text": f"{said}\n"},
        ]


def work(task: str, attempt: int) -> str:
    """Return what an attempt at a task writes, and no other one."""
    return f"{task}, attempt {attempt}\n"


def plan_text(tasks: Iterable[tuple[str, str, tuple[str, ...]]]) -> str:
    """Return a plan file with tasks: id, script and dependencies."""
    return "\n".join(
        "[[task]]\n"
        f"id = {json.dumps(name)}\n"
        f"title = {json.dumps(f'do {name}')}\n"
        f"depends_on = {json.dumps(needs)}\n"
        f"inputs = {{ script = {json.dumps(script)} }}\n"
        for name, script, needs in tasks
    )


def policy_text(*parts: Mapping[str, Any]) -> str:
    """Return a policy file; what a later part says of a section replaces single keys of it."""
    whole: dict[str, Any] = {}
    for part in parts:
        _merge(whole, part)
    return "version = 1\n" + "".join(_sections((), whole))


def _merge(into: dict[str, Any], part: Mapping[str, Any]) -> None:
    for key, value in part.items():
        if isinstance(value, Mapping):
            _merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


def _sections(path: tuple[str, ...], table: Mapping[str, Any]) -> Iterable[str]:
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    if path and (plain or not table):
        yield f"[{'.'.join(path)}]\n"
        yield from (f"{key} = {json.dumps(value)}\n" for key, value in plain.items())
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _sections((*path, key), value)
