"""Scheduling: choosing what starts next out of 10,000 tasks, and having them in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bench.measure import Cost, Effort, Row, cost_of, cpu_s, interleaved
from bench.repositories import Place, scratch
from gitcto.effects import SystemEffects
from gitcto.model.commands import CreateTeam, ImportPlan, Refusal
from gitcto.model.records import MAX_WORKERS, Priority, Task, TaskSpec
from gitcto.model.schedule import choose
from gitcto.model.state import State
from gitcto.store.ledger import Ledger

TASKS = 10_000
DECISION_MS = 10.0
ROLES = ("developer", "reviewer", "tester", "writer")
_PRIORITIES: tuple[Priority, ...] = ("normal", "high", "low", "urgent")
_GROUP = 10


def measure(effort: Effort) -> list[Row]:
    """Return a row per decision, for a wide and a deep plan, and one for loading the team."""
    rows = []
    for shape, depth in (("all are ready", 0), ("one in ten is ready", _GROUP)):
        with scratch() as place, _team(place, plan(effort.size(TASKS, 20), depth)) as ledger:
            rows += _decision(ledger.load(), shape, effort)
            if not depth:
                rows += _loading(ledger, effort)
    return rows


def plan(count: int, depth: int) -> tuple[TaskSpec, ...]:
    """Return tasks in chains of ``depth``; without depth nothing waits for anything."""
    return tuple(
        TaskSpec(
            id=f"T-{number}",
            title=f"Do the thing that is number {number}",
            depends_on=(f"T-{number - 1}",) if depth and number % depth else (),
            role=ROLES[number % len(ROLES)],
            priority=_PRIORITIES[number % 7 % len(_PRIORITIES)],
        )
        for number in range(count)
    )


def _team(place: Place, tasks: Sequence[TaskSpec]) -> Ledger:
    ledger = Ledger(place.repository(), "main", SystemEffects(), "ada@example.com")
    for command in (
        CreateTeam(team="main", target="refs/heads/cto/main/integration"),
        ImportPlan(source="plan.toml", digest="0" * 64, tasks=tuple(tasks)),
    ):
        answer = ledger.transact(command)
        if isinstance(answer, Refusal):
            raise TypeError(answer.detail)
    return ledger


def _decision(state: State, shape: str, effort: Effort) -> list[Row]:
    now_ms = SystemEffects().now_ms()

    def decide() -> Cost:
        return cost_of(lambda: choose(state.ready.values(), state.live(), now_ms, MAX_WORKERS))

    def oldest() -> Cost:
        return cost_of(lambda: min(state.ready.values(), key=_place))

    costs = interleaved({"decide": decide, "oldest": oldest}, effort.rounds)
    return [
        Row(
            what=f"decision among {len(state.tasks)} tasks, {shape}",
            value=cpu_s(costs["decide"]) * 1000,
            unit="ms CPU",
            baseline=cpu_s(costs["oldest"]) * 1000,
            versus="min() over the ready ones",
            limit=DECISION_MS,
        )
    ]


def _place(task: Task) -> int:
    return task.queued_seq


def _loading(ledger: Ledger, effort: Effort) -> list[Row]:
    bodies = ledger.sidecar().db.execute("SELECT body FROM task").fetchall()

    def load() -> Cost:
        return cost_of(ledger.load)

    def parse() -> Cost:
        return cost_of(lambda: [json.loads(body) for (body,) in bodies])

    costs = interleaved({"load": load, "parse": parse}, effort.rounds)
    return [
        Row(
            what=f"loading {len(bodies)} tasks into memory",
            value=cpu_s(costs["load"]) * 1000,
            unit="ms CPU",
            baseline=cpu_s(costs["parse"]) * 1000,
            versus="json.loads of each",
        )
    ]
