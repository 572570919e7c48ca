"""Run `git cto` inside the test's process, with a host that the test describes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from click.testing import CliRunner

from gitcto.cli.boundary import run
from gitcto.cli.host import Host
from gitcto.effects import SystemEffects
from gitcto.git.repository import discover
from gitcto.model.commands import (
    FailExecution,
    ImportPlan,
    Lease,
    RecordPreserved,
    Refusal,
)
from gitcto.model.records import Decision, TaskSpec
from gitcto.store.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gitcto.model.commands import Command


MAIN = "import sys; from gitcto.cli.entry import main; sys.exit(main())"


@dataclass(frozen=True)
class Result:
    """What one invocation left: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The line of what happened; fails the test unless exactly one what and one hint follow."""
        lines = self.err.splitlines()
        assert "Traceback" not in self.err
        assert [line.partition(":")[0] for line in lines] == ["error", "hint"], self.err
        return lines[0].removeprefix("error: ")


@dataclass
class Room:
    """A directory to run `git cto` in, with a clean environment."""

    path: Path
    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    def host(self, **changes: object) -> Host:
        facts: dict[str, object] = {
            "directory": str(self.path),
            "environ": self.environ,
            "stdin_tty": False,
            "stdout_tty": False,
            "stderr_tty": False,
            "columns": 80,
            "search_path": tuple(sys.path),
            "executable": sys.executable,
            "home": str(self.home),
            "temporary": str(self.home),
            "user": "ada",
            "machine": "box",
        }
        return Host(**(facts | changes))  # type: ignore[arg-type]

    def cto(self, *arguments: str, expect: int = 0, **changes: object) -> Result:
        """Run a command; the exit code is part of the call."""
        with CliRunner(echo_stdin=False).isolation() as (out, err, _both):
            code = run(arguments, self.host(**changes))
            result = Result(int(code), out.getvalue().decode(), err.getvalue().decode())
        assert result.code == expect, result
        return result

    def git(self, *arguments: str) -> str:
        """Run plain git here and return what it prints."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file of this room, with its folders."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


def _environment(home: Path) -> Mapping[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "LC_ALL": "C.UTF-8",
    }


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """A directory that is no repository."""
    home, path = tmp_path / "home", tmp_path / "room"
    home.mkdir()
    path.mkdir()
    return Room(path, home, dict(_environment(home)))


@pytest.fixture
def repo(room: Room) -> Room:
    """A repository with one commit, and no team yet."""
    room.git("init", "-q", "-b", "main")
    room.write("a.py", "x = 1\n")
    room.git("add", ".")
    room.git("commit", "-q", "-m", "first")
    return room


class PluginMaker(Protocol):
    """Installs a plugin of one module for the duration of a test."""

    def __call__(self, name: str, source: str) -> None: ...


@pytest.fixture
def extra_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PluginMaker:
    """Third-party plugins as pip would install them: a module, and metadata beside it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def make(name: str, source: str) -> None:
        (site / f"{name}.py").write_text(source)
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[gitcto]\n{name} = {name}\n")
        monkeypatch.delitem(sys.modules, name, raising=False)

    return make


@pytest.fixture
def program(room: Room) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the installed program itself; for what only a real process can show."""

    def start(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", MAIN, *arguments],
            cwd=room.path,
            env={**room.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )

    return start


POLICY = """\
version = 1
[providers.fake]
plugin = "fake"
[roles.developer]
provider = "fake"
[gates.nonempty]
plugin = "nonempty"
[sandbox]
use = ["none"]
[tiers.P0]
gates = ["nonempty"]
[tiers.P1]
gates = ["nonempty"]
[tiers.P2]
gates = ["nonempty"]
"""


@dataclass
class Crew(Room):
    """A repository with team `main`, whose ledger a test can write without a run."""

    def record(self, *commands: Command, **attachments: str) -> None:
        """Record commands in the ledger, each of which must be allowed."""
        repository = discover(self.path, self.environ)
        with Ledger(repository, "main", SystemEffects(), "ada@box") as ledger:
            for command in commands:
                answer = ledger.transact(command, attachments)
                assert not isinstance(answer, Refusal), answer

    def plan(self, *tasks: TaskSpec) -> None:
        """Add tasks."""
        self.record(ImportPlan(source="plan.toml", digest="0" * 64, tasks=tasks))

    def lease(self, task: str, execution: str = "e1") -> None:
        """Begin an attempt at a task."""
        self.record(
            Lease(
                task=task,
                execution=execution,
                base=self.git("rev-parse", "HEAD"),
                provider="fake",
                role="developer",
                workspace="clone",
                holder="box",
                expires_ms=1 << 50,
                max_workers=6,
                decision=decision("dispatch", task),
            )
        )

    def fail(self, task: str, execution: str = "e1", *, detail: str = "tests: 2 failed") -> None:
        """Make an attempt at a task that failed for good, with its work kept."""
        self.lease(task, execution)
        self.end(self.git("rev-parse", "HEAD"), execution, detail=detail)

    def end(self, work: str, execution: str = "e1", *, detail: str = "tests: 2 failed") -> None:
        """End a leased attempt for good, with commit ``work`` kept."""
        self.record(
            RecordPreserved(
                execution=execution,
                ref=f"refs/cto/teams/main/preserved/{execution}",
                commit=work,
            ),
            FailExecution(
                execution=execution,
                epoch=1,
                reason="gate_failed",
                detail=detail,
                charged=True,
                max_attempts=1,
            ),
        )

    def work(self, task: str, *steps: dict[str, str], expect: int = 0, **fields: Any) -> Result:
        """Add a task whose worker does ``steps``, and run the team."""
        script = json.dumps([list(steps)])
        self.plan(TaskSpec(id=task, title=f"Do {task}", inputs={"script": script}, **fields))
        return self.cto("run", expect=expect)

    def land(self, task: str) -> str:
        """Let a worker add a file, land it, and return the commit."""
        self.work(task, {"do": "write", "path": f"{task}.py", "text": "y = 1\n"})
        return self.git("rev-parse", TARGET)


TARGET = "refs/heads/cto/main/integration"


def decision(action: str, task: str) -> Decision:
    """Return a decision that allows something."""
    return Decision(
        action=action,
        resource=task,
        subject="run",
        rule="tiers.P1.gates",
        policy="0" * 64,
        inputs={},
        verdict="allow",
        reason="allowed",
    )


@pytest.fixture
def crew(repo: Room) -> Crew:
    """A repository with a valid policy and a team without tasks."""
    repo.write("policy.toml", POLICY)
    made = Crew(repo.path, repo.home, repo.environ)
    made.cto("init")
    return made
