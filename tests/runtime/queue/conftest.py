"""Teams whose gate is a small program: it counts its runs, and waits where a test says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from gitcto.model.codec import Event
from gitcto.model.commands import Refusal, SingleCommand
from gitcto.model.queue_commands import Approve, PauseQueue, ResumeQueue
from gitcto.model.queue_events import ApprovalRequested
from gitcto.model.records import Decision
from tests.runtime.team.conftest import POLICY, TeamRepo

GATE = """\
import os, sys
root = {root!r}
here = sorted(name for name in os.listdir(".") if name != ".git")
with open(root + "/runs", "a") as runs:
    runs.write(" ".join(here) + "\\n")
if os.path.exists(root + "/gate-waits"):
    os.read(os.open(root + "/gate-waits", os.O_RDWR), 1)
{rule}
"""

GREEN = "sys.exit(0)"
BAD_IS_RED = "sys.exit(any(name.startswith('bad') for name in here))"


def write(path: str, text: str = "1\n") -> dict[str, object]:
    """Return the worker's step that writes a file."""
    return {"do": "write", "path": path, "text": text}


class QueueTeam(TeamRepo):
    """A team of six with one slot to judge in, unless a test wants more."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.policy_text = POLICY.replace("max_workers = 3", "max_workers = 6")
        self.policy_text += "[queue]\ncapacity = 1\n"

    def gate(self, rule: str = GREEN) -> None:
        """Make the tests gate a program that ends by ``rule``; ``here`` names the files."""
        program = self.root / "gate.py"
        program.write_text(GATE.format(root=str(self.root), rule=rule))
        argv = json.dumps([sys.executable, str(program)])
        self.policy_text = self.policy_text.replace('["test", "-f", "base.txt"]', argv)
        self.policy_text = self.policy_text.replace("deadline_s = 20", "deadline_s = 60")

    def gate_waits_for(self, enqueued: int) -> None:
        """Let the runs of the gate wait until so many changes are in the queue."""
        fifo = self.root / "gate-waits"
        os.mkfifo(fifo)
        waits = os.open(fifo, os.O_RDWR)
        seen: list[str] = []

        def count(event: Event) -> None:
            seen.append(event.body.execution)
            if len(seen) == enqueued:
                os.write(waits, b"." * 100)

        self.told.on["queue.enqueued"] = count

    def gate_runs(self) -> list[list[str]]:
        """Return what files each run of the gate saw."""
        runs = self.root / "runs"
        return [line.split() for line in runs.read_text().splitlines()] if runs.exists() else []

    def bodies(self, kind: str) -> list[Any]:
        """Return the events of one kind in the whole ledger."""
        with self.ledger() as ledger:
            return [each.event.body for each in ledger.events() if each.event.kind == kind]

    def prompt(self, event: Event) -> str:
        """Return what a worker that has started was told to do."""
        place = self.rooms / "main" / event.body.execution
        return "".join(path.read_text() for path in place.rglob("prompt*"))

    def harvest_all(self) -> None:
        """Run until every worker's work waits in a queue that is paused; then let it go on."""
        self.told.on["queue.opened"] = lambda event: self.tell(PauseQueue())
        self.run()
        self.told.on.clear()
        self.tell(ResumeQueue())

    def tell(self, command: SingleCommand) -> None:
        """Record a command as another process would."""
        with self.ledger() as ledger:
            assert not isinstance(ledger.transact(command), Refusal)

    def approve(self, asked: ApprovalRequested) -> None:
        """Let a person approve exactly the change that was asked about."""
        said = Decision(
            action="approval",
            resource=asked.execution,
            subject="kim",
            rule="tiers.P1.approval",
            policy="p",
            inputs={},
            verdict="allow",
            reason="",
        )
        self.tell(Approve(execution=asked.execution, change=asked.change, by="kim", decision=said))

    def shell(self, command: str) -> subprocess.CompletedProcess[bytes]:
        """Run a command as a person would, in the repository."""
        argv = ["sh", "-c", command]
        return subprocess.run(argv, cwd=self.path, env=self.environ, check=False)

    def commit(self, branch: str, path: str, text: str = "1\n") -> str:
        """Commit a file to a branch that nobody has checked out, as a person would."""
        blob = self.git("hash-object", "-w", "--stdin", stdin=text)
        index = {"GIT_INDEX_FILE": str(self.root / "index")}
        self.environ |= index
        self.git("read-tree", branch)
        self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        tree = self.git("write-tree")
        del self.environ["GIT_INDEX_FILE"]
        person = ("-c", "user.name=u", "-c", "user.email=u@x")
        made = self.git(*person, "commit-tree", tree, "-p", branch, "-m", f"{path} by hand")
        self.git("update-ref", f"refs/heads/{branch}", made)
        return made

    def of(self, executions: Iterable[str]) -> list[str]:
        """Return the tasks of executions."""
        with self.ledger() as ledger:
            view = ledger.view()
            return [view.execution(each).task for each in executions]


@pytest.fixture
def team(tmp_path: Path) -> QueueTeam:
    return QueueTeam.make(tmp_path)
