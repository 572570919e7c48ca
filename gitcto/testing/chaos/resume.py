"""Kill everything when one worker has finished, resume, and compare what is said with what is so.

``python -m gitcto.testing.chaos.resume [--rounds N] [--json]``: a project with four bugs, a worker
for each, and its own tests as the gate. When the first worker's process has ended, or when its work
is recorded, the run, the supervisors and the other workers are all killed with SIGKILL. Then
``git cto run`` once more. What is done is counted twice: as the team reports it, and by running the
checks on what its branch holds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from gitcto.model.records import Task, TaskState
from gitcto.runtime.worker import processes, workers
from gitcto.store.reader import LedgerReader
from gitcto.testing.chaos import verdict
from gitcto.testing.chaos.process import Run, until
from gitcto.testing.chaos.scratch import BRANCH, TEAM, Clone, Scratch, plan_text
from gitcto.testing.chaos.strays import end_all, strays
from gitcto.testing.machine import machine

MOMENTS = ("worker ended", "work recorded")
"""When everything is killed."""

_CHECK = """\
import importlib, pathlib, sys
wanted = {"total": ([1, 2], 3), "slug": ("A b", "a-b"), "leap": (1900, False), "cents": (5, "0.05")}
mended = {path.name for path in pathlib.Path("mended").glob("*")}
works = {name for name in mended if getattr(importlib.import_module(name), name)(wanted[name][0])
         == wanted[name][1]}
print(*sorted(works))
sys.exit(works != mended)
"""
_BUGS = {
    "total": ("sum(x)", "len(x)"),
    "slug": ('x.lower().replace(" ", "-")', "x.lower()"),
    "leap": ("x % 4 == 0 and (x % 100 != 0 or x % 400 == 0)", "x % 4 == 0"),
    "cents": ('f"{x // 100}.{x % 100:02d}"', "str(x)"),
}
_FILES = {
    "check.py": _CHECK,
    ".gitignore": "__pycache__/\n",
    **{f"{name}.py": f"def {name}(x):\n    return {bug}\n" for name, (_, bug) in _BUGS.items()},
}
_POLICY = {
    "concurrency": {"max_workers": len(_BUGS)},
    "gates": {"tests": {"argv": [sys.executable, "check.py"]}},
}


def measure(root: Path, rounds: int) -> dict[str, Any]:
    """Return the figures of every moment as plain values. What is made stays below ``root``."""
    found = {}
    for moment in MOMENTS:
        played = [_play(root / f"{moment} {number}", moment) for number in range(rounds)]
        found[moment] = {
            "rounds": rounds,
            "resume_median_s": round(median(each["resume_s"] for each in played), 2),
            "resume_max_s": round(max(each["resume_s"] for each in played), 2),
            **{
                key: sum(each[key] for each in played)
                for key in ("tasks", "reported", "on_branch", "finished_landed", "wrong")
            },
        }
    return {"machine": machine(), "moments": found}


def _play(root: Path, moment: str) -> dict[str, Any]:
    scratch = Scratch(root)
    scratch.make(_POLICY, plan_text(_tasks(scratch)), files=_FILES)
    (clone,) = scratch.clones
    try:
        run = scratch.start(clone)
        run.nth(len(_BUGS), lambda seen: seen.kind == "execution.started")
        scratch.release()
        finished = _finished(run, clone, moment)
        run.kill()
        until(lambda: not _kill(scratch), "the end of all processes")
        began = time.monotonic()
        resumed = scratch.start(clone)
        resumed.wait()
        resume_s = time.monotonic() - began
        found = verdict.look(scratch)
    finally:
        end_all(scratch.place)
    return {
        "resume_s": resume_s,
        "tasks": len(found.tasks),
        "reported": sum(task.state is TaskState.DONE for task in found.tasks),
        "on_branch": len(_working(clone, root)),
        "finished_landed": _landed(clone, finished),
        "wrong": len([*found.lost, *found.doubled, *found.false, *found.wrong]),
    }


def _tasks(scratch: Scratch) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return a task for each bug; at first, only one worker ever finishes."""
    tasks: list[tuple[str, str, tuple[str, ...]]] = []
    for number, (name, (right, wrong)) in enumerate(_BUGS.items()):
        steps = [
            {"do": "replace", "path": f"{name}.py", "old": wrong, "new": right},
            {"do": "write", "path": f"mended/{name}"},
            {"do": "work"},
        ]
        then = [{"do": "hang"}] if number else [{"do": "wait_for", "path": "@go"}, *steps[1:]]
        tasks.append((name, scratch.script(name, [[steps[0], *then], steps]), ()))
    return tasks


def _finished(run: Run, clone: Clone, moment: str) -> str:
    """Wait for the moment; return the execution whose worker has finished."""
    if moment == "work recorded":
        seen = run.first(lambda seen: seen.kind == "work.harvested")
        return seen.execution if seen else ""
    records = clone.cto / "teams" / TEAM / "executions"
    ended: list[str] = []

    def look() -> bool:
        ended.extend(path.name for path in records.glob("*") if workers.observe(path).exit)
        return bool(ended) or any(seen.kind == "work.harvested" for seen in run.seen)

    until(look, "the end of a worker")
    return ended[0] if ended else next(x.execution for x in run.seen if x.kind == "work.harvested")


def _kill(scratch: Scratch) -> int:
    return sum(processes.send(process, 9) for process in strays(scratch.place).values())


def _working(clone: Clone, root: Path) -> list[str]:
    """Return the functions that work on the team's branch, by running them."""
    place = root / "landed"
    clone.git("worktree", "add", "--quiet", "--detach", str(place), BRANCH)
    argv = (sys.executable, "check.py")
    done = subprocess.run(argv, cwd=place, capture_output=True, text=True, check=False)
    return done.stdout.split()


def _landed(clone: Clone, execution: str) -> bool:
    with LedgerReader(clone.repository, TEAM) as reader:
        tasks: list[Task] = list(reader.tasks())
    return any(task.execution == execution and task.state is TaskState.DONE for task in tasks)


def main() -> int:
    """Measure and print; exit 1 when what is reported is not so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="git-cto-", ignore_cleanup_errors=True) as root:
        found = measure(Path(root).resolve(), asked.rounds)
    sys.stdout.write(f"{json.dumps(found, indent=None if asked.json else 2)}\n")
    moments = found["moments"].values()
    fine = all(
        each["tasks"] == each["reported"] == each["on_branch"]
        and each["finished_landed"] == each["rounds"]
        and not each["wrong"]
        for each in moments
    )
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
