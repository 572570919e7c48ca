"""What counts against which budget, of agents that run in the simulation's world."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitcto.model.agent_records import Usage
from gitcto.model.records import Execution
from gitcto.model.step_commands import EndStep
from gitcto.model.step_rules import ended, running
from gitcto.policy.budget_settings import Budget, Budgets
from gitcto.runtime.core.seats import run_of
from gitcto.runtime.loop.orchestrator import Orchestrator
from gitcto.testing.simulation.node import Node
from gitcto.testing.simulation.options import draw
from gitcto.testing.simulation.simulation import SAFETY_MS, Simulation

Busy = tuple[Node, Orchestrator, list[Execution]]


@pytest.fixture
def busy() -> Busy:
    """Return a run in which two agents work and were asked what they have used."""
    sim = Simulation(replace(draw(0), max_workers=3, tasks=8, clones=1, work_min=30.0))
    [node] = sim.nodes
    sim._begin()
    while sim.clock.ms < SAFETY_MS:
        sim.clock.step()
        run = node.run
        xs = [x for x in run.book.state.live() if used(node, x)] if run else []
        if run and len(xs) > 1 and all(of(x) in run.purse._seen for x in xs):
            return node, run, xs
    raise AssertionError("no two agents ever worked at once")


def of(x: Execution) -> str:
    return run_of(x.id, running(x)[0])


def used(node: Node, x: Execution) -> int:
    """Return what an execution's running agent has used, as its provider would say."""
    return node.runs[of(x)].usage.tokens if running(x) and of(x) in node.runs else 0


def denied(run: Orchestrator, x: Execution, **limits: int) -> str:
    """Return the rule that ends an execution where scopes have these limits of tokens."""
    world = run.book.world
    budgets = Budgets(**{scope: Budget(tokens=most) for scope, most in limits.items()})
    world.policy = replace(world.policy, budgets=budgets)
    decision = run.purse.over(x)
    return decision.rule if decision else ""


@pytest.mark.timeout(60)
def test_the_team_and_its_day_count_what_all_use_and_a_task_its_own(busy: Busy) -> None:
    node, run, [x, *others] = busy
    own, everywhere = used(node, x), sum(used(node, each) for each in (x, *others))
    assert denied(run, x, execution=own) == "budgets.execution.tokens"
    assert denied(run, x, execution=own + 1, task=own) == "budgets.task.tokens"
    recorded = run.book.state.team.used.all.usage.tokens if run.book.state.team else 0
    for scope in ("team", "day"):
        assert denied(run, x, task=own + 1, **{scope: recorded + everywhere}) == (
            f"budgets.{scope}.tokens"
        )
        assert denied(run, x, **{scope: recorded + everywhere + 1}) == ""


@pytest.mark.timeout(60)
def test_a_step_that_has_just_ended_counts_before_it_is_recorded(busy: Busy) -> None:
    _, run, [x, *_] = busy
    end = EndStep(
        execution=x.id, epoch=x.epoch, number=running(x)[0].number, usage=Usage(output_tokens=70)
    )
    now = ended(x, end, run.book.world.effects.now_ms())
    for scope in ("execution", "task"):
        assert denied(run, now, **{scope: 70}) == f"budgets.{scope}.tokens"
        assert denied(run, now, **{scope: 71}) == ""
