"""A team whose changes wait to land, written into the ledger without a run."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.model.commands import (
    FailExecution,
    RecordExit,
    RecordHarvest,
    RecordPreserved,
    RecordStart,
    RecordVerdicts,
)
from gitcto.model.queue_commands import EndRun, Enqueue, LeaveQueue, OpenQueue, StartRun
from gitcto.model.records import TaskSpec, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cli.conftest import Crew


@dataclass(frozen=True)
class Line:
    """The merge queue of a crew: changes ask to land, runs judge them, changes leave."""

    crew: Crew

    def commit(self, files: Mapping[str, str], base: str = "HEAD") -> tuple[str, str]:
        """Return a commit with these files on top of another, and its tree; nothing moves."""
        index = {"GIT_INDEX_FILE": str(self.crew.home / "index"), **self.crew.environ}

        def git(*arguments: str, stdin: str = "") -> str:
            done = subprocess.run(
                ["git", *arguments],
                cwd=self.crew.path,
                env=index,
                input=stdin,
                check=True,
                capture_output=True,
                text=True,
            )
            return done.stdout.strip()

        git("read-tree", base)
        for path, text in files.items():
            blob = git("hash-object", "-w", "--stdin", stdin=text)
            git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        tree = git("write-tree")
        parent = git("rev-parse", base)
        return git("commit-tree", tree, "-p", parent, "-m", "work"), tree

    def harvested(self, task: str, files: Mapping[str, str] | None = None, **spec: object) -> str:
        """Plan a task and let an attempt at it leave these files; return the commit."""
        crew, execution = self.crew, f"e-{task}"
        crew.plan(TaskSpec(id=task, title=f"Do {task}", **spec))
        crew.lease(task, execution)
        commit, tree = self.commit(files or {f"{task}.py": "y = 1\n"})
        at = {"execution": execution, "epoch": 1}
        crew.record(
            RecordStart(**at, pid=os.getpid(), process_start="1", isolation="none"),
            RecordExit(**at, code=0, cause="exited"),
            RecordHarvest(**at, commit=commit, tree=tree, changed=1),
        )
        return commit

    def enqueued(self, task: str, *, overtaken: int = 0, **spec: object) -> None:
        """Let a new task's change wait in the queue."""
        self.harvested(task, **spec)
        self.crew.record(
            Enqueue(
                execution=f"e-{task}",
                epoch=1,
                change="",
                enqueued_ms=1,
                paths=(f"{task}.py",),
                overtaken=overtaken,
            )
        )

    def opened(self) -> None:
        self.crew.record(OpenQueue())

    def started(self, number: int, *tasks: str, run: str = "judge", **fields: object) -> None:
        """Start a run about tasks on the tip."""
        unit = tuple(f"e-{task}" for task in tasks)
        onto = self.crew.git("rev-parse", "HEAD")
        command = StartRun(number=number, run=run, tip=0, onto=onto, unit=unit, **fields)
        self.crew.record(command)

    def ended(self, number: int, verdict: str, **fields: object) -> None:
        executed = 0 if verdict == "not_run" else 9
        self.crew.record(EndRun(number=number, verdict=verdict, executed=executed, **fields))

    def rejected(self, task: str, verdict: Verdict, *runs: int) -> None:
        """Send a change back, with its work kept, as a run does."""
        execution = f"e-{task}"
        at = {"execution": execution, "epoch": 1}
        work = self.crew.git("rev-parse", "HEAD")
        reason = f"{verdict.gate}:{verdict.reason}"
        self.crew.record(
            RecordVerdicts(**at, verdicts=(verdict,)),
            LeaveQueue(execution=execution, how="rejected", reason=reason, runs=runs),
            RecordPreserved(
                execution=execution,
                ref=f"refs/cto/teams/main/preserved/{execution}",
                commit=work,
            ),
            FailExecution(**at, reason="gate_failed", detail=reason, charged=True, max_attempts=1),
        )


def red(tree: str, *failed: str, gate: str = "tests") -> Verdict:
    return Verdict(
        gate=gate,
        status="fail",
        reason="tests_failed",
        detail="exit code 3",
        tree=tree,
        definition="d",
        failed=failed,
    )
