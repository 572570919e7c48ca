"""Play one scenario: run the team, make the fault happen when it is due, look at what followed.

Nothing here sleeps: a fault comes after the n-th event of a kind, an outage ends with an event.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from gitcto.model.records import Task, TaskState
from gitcto.testing.chaos import verdict
from gitcto.testing.chaos.faults import FAULTS, Hit
from gitcto.testing.chaos.process import Overdue, Run, Seen
from gitcto.testing.chaos.scenario import Scenario, draw
from gitcto.testing.chaos.scratch import Scratch, plan_text
from gitcto.testing.chaos.stage import Stage
from gitcto.testing.chaos.strays import end_all

_WAITS = (TaskState.BLOCKED, TaskState.FAILED_TERMINAL)


@dataclass(slots=True)
class Play:
    """One play of a scenario, and what is noted on the way.

    ``outages_s`` are seconds from each fault (a lasting one: from its end) to the event that shows
    that the team goes on.
    """

    scenario: Scenario
    stage: Stage
    outages_s: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    drawn: list[int] = field(default_factory=list)


def play(scenario: Scenario, root: Path, seed: int) -> dict[str, Any]:
    """Play a scenario below ``root`` and return its result as plain values."""
    began = time.monotonic()
    scratch = Scratch(root)
    it = Play(scenario, Stage(scenario, scratch, seed))
    found = None
    try:
        _set_up(scenario, scratch)
        _act(it)
        found = verdict.look(scratch)
    except Exception as error:  # noqa: BLE001 - whatever it is, the scenario was not met
        name = "" if isinstance(error, Overdue) else f"{type(error).__name__}: "
        it.wrong.append(f"{name}{error}")
    end_all(scratch.place)
    return _result(it, found, time.monotonic() - began)


def _set_up(scenario: Scenario, scratch: Scratch) -> None:
    plan = plan_text(
        (job.id, scratch.script(job.id, job.attempts), job.depends_on) for job in scenario.jobs
    )
    scratch.make(scenario.policy, plan, scenario.clones)


def _act(it: Play) -> None:
    stage = it.stage
    stage.start()
    for stage.round in range(it.scenario.trouble.times):
        if not _happens(it):
            break
    stage.scratch.release()
    for run in stage.runs:
        code = run.wait()
        wanted = 1 if it.scenario.expected.waiting else 0
        if not run.killed and run not in stage.refused and code != wanted:
            it.wrong.append(f"a run ended with {code}, not {wanted}: {_last_lines(run)}")
    if not it.drawn:
        it.wrong.append("the fault never happened: the run had ended before")


def _happens(it: Play) -> bool:
    """Make the fault happen once; tell whether its moment came before the run ended."""
    stage, trouble = it.stage, it.scenario.trouble
    number = draw(stage.seed, f"{it.scenario.name} {stage.round}", *trouble.count)
    front, mark = stage.front, stage.mark
    due = front.nth(number, lambda seen: _counts(front, mark, seen, trouble.after))
    if due is None:
        return False
    it.drawn.append(number)
    fault = FAULTS[trouble.what]
    began = time.monotonic()
    hit = fault.inject(stage)
    _check_refusal(it, hit, ended=fault.ends_run)
    if fault.ends_run:
        fault.mend(stage)
        began = time.monotonic() if fault.lasting else began
        stage.start()
    _await_recovery(it, hit, began)
    if not fault.ends_run:
        fault.mend(stage)
    return True


def _counts(run: Run, mark: int, seen: Seen, kind: str) -> bool:
    return kind in ("", seen.kind) and any(seen is each for each in run.seen[mark:])


def _check_refusal(it: Play, hit: Hit, *, ended: bool) -> None:
    """Check how the process ended that could not go on."""
    expected, stage = it.scenario.expected, it.stage
    refused = hit.refused or (stage.front if ended else None)
    if refused is None or refused.killed:
        return
    code = refused.wait()
    stage.refused.append(refused)
    said = refused.said
    if code != expected.exit or expected.said not in said:
        wanted = f"{expected.exit} and {expected.said!r}"
        it.wrong.append(f"a run ended with {code}, not {wanted}: {_last_lines(refused)}")
    if "Traceback" in said:
        it.wrong.append(f"a traceback was shown: {_last_lines(refused)}")


def _await_recovery(it: Play, hit: Hit, began_s: float) -> None:
    kinds = it.scenario.expected.recovered
    if not kinds:
        return
    watched = hit.watched or it.stage.front
    found = watched.first(
        lambda seen: (
            seen.at_s >= began_s and seen.kind in kinds and hit.execution in ("", seen.execution)
        )
    )
    if found is None:
        it.wrong.append(f"no run went on after the fault: {_last_lines(watched)}")
        return
    it.outages_s.append(found.at_s - began_s)
    it.stage.mark = len(it.stage.front.seen)


def _last_lines(run: Run) -> str:
    return " / ".join(run.said.strip().splitlines()[-3:]) or "it said nothing"


def _task_problems(scenario: Scenario, tasks: tuple[Task, ...]) -> list[str]:
    waiting = scenario.expected.waiting
    problems = []
    for task in tasks:
        name, wanted = task.spec.id, waiting.get(task.spec.id)
        if wanted is None and task.state is not TaskState.DONE:
            problems.append(f"{name} is {task.state.value} ({task.reason}: {task.detail})")
        elif wanted is not None and (task.state not in _WAITS or task.reason != wanted):
            problems.append(f"{name} is {task.state.value} ({task.reason}), not waiting: {wanted}")
    return problems


def _result(it: Play, found: verdict.Findings | None, wall_s: float) -> dict[str, Any]:
    expected, wrong = it.scenario.expected, list(it.wrong)
    kinds: Counter[str] = Counter()
    counted: dict[str, int] = {}
    if found is not None:
        kinds = found.kinds
        wrong += _task_problems(it.scenario, found.tasks)
        wrong += [*found.lost, *found.doubled, *found.false, *found.wrong]
        counted = {
            "lost_work": len(found.lost),
            "double_landings": len(found.doubled),
            "false_done": len(found.false),
        }
        if kinds["execution.failed"] < expected.attempts_failed:
            wrong.append(f"only {kinds['execution.failed']} attempts failed: was anything wrong?")
    return {
        "scenario": it.scenario.name,
        "summary": it.scenario.summary,
        "verdict": "failed" if wrong else "met",
        "why": wrong,
        "seed": it.stage.seed,
        "drawn": it.drawn,
        "faults": len(it.drawn),
        "mttr": _outages(it.outages_s, expected.goal_s),
        "runs": _runs(it.stage),
        "attempts": {
            "started": kinds["execution.leased"],
            "failed": kinds["execution.failed"],
        },
        **counted,
        "wall_s": round(wall_s, 1),
    }


def _outages(outages_s: list[float], goal_s: float | None) -> dict[str, Any] | None:
    if not outages_s:
        return None
    return {
        "samples_s": [round(each, 3) for each in outages_s],
        "median_s": round(median(outages_s), 3),
        "max_s": round(max(outages_s), 3),
        "goal_s": goal_s,
        "within": None if goal_s is None else max(outages_s) <= goal_s,
    }


def _runs(stage: Stage) -> dict[str, Any]:
    wanted = 1 if stage.scenario.expected.waiting else 0
    ours = [run for run in stage.runs if not run.killed and run not in stage.refused]
    failed = sum(run.process.poll() != wanted for run in ours)
    return {
        "started": len(stage.runs),
        "killed": sum(run.killed for run in stage.runs),
        "refused": len(stage.refused),
        "failed": failed,
        "failed_rate": round(failed / max(1, len(ours)), 3),
    }
