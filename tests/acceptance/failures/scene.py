"""Making a scenario happen, with real processes, and reading what followed."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tests.acceptance.failures.scenarios import Outcome, Scenario
from tests.acceptance.project import Job, Project

TASK = "T-1"
FILE_BYTES = 1 << 20
"""The largest file that git-cto may write in the scene of the file size limit."""

QUIET = frozenset({"context.checkpointed", "lease.renewed", "lease.taken"})
"""Events that say only that an attempt goes on, or what its worker is told."""


def prepare(scenario: Scenario, root: Path) -> Project:
    """Make the scenario's repository, with its one task planned."""
    project = Project(root, scenario.policy(), scenario.files)
    project.environ["GO"] = str(root / "go")
    project.plan(Job(id=TASK, attempts=(scenario.steps,), paths=scenario.paths))
    return project


def play(scenario: Scenario, project: Project) -> Outcome:
    """Run the team and return what followed."""
    code = _FAULTS[scenario.fault](project)
    return outcome(project, code)


def outcome(project: Project, code: int) -> Outcome:
    """Return what became of the task, as the command line tells it, after a run ended with code."""
    task = project.task(TASK)
    evidence = task["executions"][-1]["evidence"] if task["executions"] else ""
    return Outcome(
        reason=task["reason"],
        events=_events(project),
        report=_report(project, evidence),
        exit_code=code,
        state=task["state"],
        charged=_charged(project),
    )


def in_order(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return each kind of event once, where it was first, without those that say nothing new."""
    return tuple(dict.fromkeys(kind for kind in kinds if kind not in QUIET))


def _events(project: Project) -> tuple[str, ...]:
    about = (body for body in project.events(TASK) if "execution" in body or "reason" in body)
    return in_order(body["kind"] for body in about)


def _charged(project: Project) -> bool:
    ends = [body for body in project.events(TASK) if body["kind"] == "execution.failed"]
    return bool(ends and ends[-1]["charged"])


def _report(project: Project, evidence: str) -> str:
    if not evidence:
        return "none"
    return str(json.loads(project.git("cat-file", "blob", f"{evidence}:report.json"))["status"])


def _run(project: Project) -> int:
    return project.cto("run").returncode


def _run_and_deny(project: Project) -> int:
    """Run until nothing but an approval is missing, deny it, and run again."""
    _run(project)
    project.expect("deny", TASK, "--reason", "not this way")
    return _run(project)


def _run_with_small_files(project: Project) -> int:
    """Run, and once the worker has started let git-cto write small files only.

    The worker waits until then: it opens a named pipe, which takes a writer.
    """
    os.mkfifo(project.environ["GO"])
    with project.start("run", "--json") as running:
        assert running.stdout is not None
        for line in running.stdout:
            if json.loads(line).get("event", {}).get("body", {}).get("kind") == "execution.started":
                break
        limits = (FILE_BYTES, FILE_BYTES)
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, limits)
        Path(project.environ["GO"]).write_text("")
        _, said = running.communicate()
    assert "Traceback" not in said
    return running.returncode


_FAULTS: Mapping[str, Callable[[Project], int]] = {
    "": _run,
    "a person says no": _run_and_deny,
    "file size limit": _run_with_small_files,
}
