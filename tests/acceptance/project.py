"""A repository with a team, driven through the command line: every step is a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, "-c", "import sys; from gitcto.cli.entry import main; sys.exit(main())")
TARGET = "cto/main/integration"

Step = Mapping[str, object]


def write(path: str, text: str = "x\n") -> Step:
    """Return the worker's step that writes a file."""
    return {"do": "write", "path": path, "text": text}


def append(path: str, text: str) -> Step:
    """Return the worker's step that appends to a file."""
    return {"do": "append", "path": path, "text": text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A task whose worker follows a script, attempt by attempt; the last attempt repeats."""

    id: str
    attempts: Sequence[Sequence[Step]]
    paths: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    tier: str = "P1"
    priority: str = "normal"

    def toml(self) -> str:
        """Return it as a plan file has it."""
        script = json.dumps([list(steps) for steps in self.attempts])
        return (
            "[[task]]\n"
            f"id = {json.dumps(self.id)}\n"
            f"title = {json.dumps(f'do {self.id}')}\n"
            f"tier = {json.dumps(self.tier)}\n"
            f"priority = {json.dumps(self.priority)}\n"
            f"paths = {json.dumps(self.paths)}\n"
            f"depends_on = {json.dumps(self.depends_on)}\n"
            f"inputs = {{ script = {json.dumps(script)} }}\n"
        )


def job(name: str, *steps: Step, **fields: Any) -> Job:
    """Return a task whose worker does the same at every attempt."""
    return Job(id=name, attempts=(steps,), **fields)


@dataclass
class Project:
    """A repository in ``root`` whose first commit has ``files``, and a team in it."""

    root: Path
    policy: str
    files: Mapping[str, str] = field(default_factory=lambda: {"base.txt": "base\n"})

    def __post_init__(self) -> None:
        """Make it."""
        self.path = self.root / "repository"
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "XDG_STATE_HOME": str(self.root / "state"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
        }
        for name, text in {**self.files, "policy.toml": self.policy}.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.commit("start")
        self.expect("init")

    def commit(self, subject: str) -> None:
        """Commit what is staged in the user's checkout."""
        self.git("-c", "user.name=u", "-c", "user.email=u@x", "commit", "-qm", subject)

    def call(self, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program in the repository."""
        return subprocess.run(
            argv,
            cwd=self.path,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def git(self, *arguments: str, stdin: str = "") -> str:
        """Run git, which must succeed, and return what it prints."""
        done = self.call("git", *arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def cto(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `git cto`."""
        done = self.call(*PROGRAM, *words)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `git cto`, to be looked at while it runs."""
        return subprocess.Popen(
            (*PROGRAM, *words),
            cwd=self.path,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def expect(self, *words: str, code: int = 0) -> str:
        """Run `git cto`, which must end with ``code``, and return what it prints."""
        done = self.cto(*words)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def plan(self, *jobs: Job) -> None:
        """Give the team tasks."""
        file = self.root / "plan.toml"
        file.write_text("\n".join(each.toml() for each in jobs))
        self.expect("plan", "import", str(file))

    def adopt(self, policy: str) -> None:
        """Put another policy in the place of the one there is."""
        (self.path / "policy.toml").write_text(policy)

    def task(self, name: str) -> dict[str, Any]:
        """Return a task with its ``executions``, the oldest attempt first."""
        shown = json.loads(self.expect("show", name, "--json"))
        return {**shown["task"], "executions": shown["executions"]}

    def state(self, name: str) -> tuple[str, str]:
        """Return a task's state and the reason for it."""
        task = self.task(name)
        return task["state"], task["reason"]

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Return the bodies of the events of a task, or of the team, the oldest first."""
        only = ("--task", name) if name else ()
        shown = json.loads(self.expect("log", "--json", "-n", "100000", *only))
        return [each["event"]["body"] for each in reversed(shown["events"])]

    def kinds(self, name: str = "") -> list[str]:
        """Return the kinds of the events, the oldest first."""
        return [body["kind"] for body in self.events(name)]

    def landed(self) -> list[str]:
        """Return the task of each commit on the team's branch, the oldest first."""
        form = "--format=%(trailers:key=Cto-Task,valueonly,separator=%x2C)"
        shown = self.git("log", "--reverse", form, f"main..{TARGET}", "--")
        return [line for line in shown.splitlines() if line]

    def tip(self) -> str:
        """Return the commit at the team's branch."""
        return self.git("rev-parse", TARGET)

    def show(self, path: str, revision: str = TARGET) -> str:
        """Return a file as a revision has it."""
        return self.git("show", f"{revision}:{path}")

    def refs(self, below: str) -> list[str]:
        """Return the refs of the team below a name, such as ``preserved``."""
        prefix = f"refs/cto/teams/main/{below}"
        return self.git("for-each-ref", "--format=%(refname)", prefix).split()

    def move_target(self, files: Mapping[str, str | None], subject: str = "by hand") -> str:
        """Put a commit with other contents of ``files`` on the team's branch, as a person would.

        None deletes a file.
        """
        tip = self.tip()
        rows = [line for line in self.git("ls-tree", tip).splitlines() if line]
        kept = [row for row in rows if row.split("\t")[1] not in files]
        for name, text in files.items():
            if text is None:
                continue
            blob = self.git("hash-object", "-w", "--stdin", stdin=text)
            kept.append(f"100644 blob {blob}\t{name}")
        tree = self.git("mktree", stdin="".join(f"{row}\n" for row in kept))
        identity = ("-c", "user.name=u", "-c", "user.email=u@x")
        moved = self.git(*identity, "commit-tree", tree, "-p", tip, "-m", subject)
        self.git("update-ref", f"refs/heads/{TARGET}", moved, tip)
        return moved


def unchanged(project: Project, names: Iterable[str] = ("main", "HEAD")) -> list[str]:
    """Return what the user sees of their own repository: revisions, and what git calls changed."""
    return [project.git("rev-parse", *names), project.git("status", "--porcelain")]
