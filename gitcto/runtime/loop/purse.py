"""What agents use while they run, held against the budgets of policy.

What ended is in the ledger. Of what runs, the time is known, and what the agent has used is asked
of its provider now and then, by a job. An execution that uses up a budget is ended on the record:
``budget.reached`` first, and then its workers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import chain

from gitcto.model.agent_records import Usage
from gitcto.model.records import WORKING_STATES, Decision, Execution, Task
from gitcto.model.spending import Spent, of_run
from gitcto.model.spending_events import ReachBudget
from gitcto.model.step_records import Step
from gitcto.model.step_rules import running
from gitcto.policy.budget_rule import TAKEN, ahead, amount, used_up
from gitcto.policy.decisions import Attempt, decide_budget
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.jobs import Runner
from gitcto.runtime.core.messages import AgentPolled
from gitcto.runtime.core.seats import Turn, run_of

POLL_S = 3.0
"""How often running agents are asked what they have used, where a budget depends on it."""

_NOTHING = Usage()
Parts = tuple[Spent, ...]


class Purse:
    """Holds what agents use against the budgets. Used by the loop's thread only."""

    def __init__(self, book: Book, jobs: Runner) -> None:
        self._book = book
        self._jobs = jobs
        self._seen: dict[str, AgentPolled] = {}
        self._asked: set[str] = set()
        self._asked_s = book.world.effects.monotonic_s()

    def taken(self, task: Task) -> Mapping[str, str]:
        """Return how much of each budget is used or set aside, as facts for a dispatch."""
        policy = self._book.world.policy
        return {
            f"{TAKEN}{scope}.{unit}": str(
                amount(self._recorded(scope, task), unit)
                + (0 if scope == "task" else self._aside(unit))
            )
            for scope, unit, _ in ahead(policy)
        }

    def look(self, attempts: Collection[str]) -> None:
        """Ask running agents what they used, if it is time to, and end who is over a budget."""
        budgets = self._book.world.policy.budgets
        if not budgets.limits:
            return
        working = self._working()
        own = [x for x in working if x.id in attempts]
        if budgets.counted:
            self._ask(own)
        runs = {x.id: self._of_running(x) for x in working}
        everywhere = tuple(chain.from_iterable(runs.values()))
        for x in own:
            over = None if x.over else self._over(x, (), runs[x.id], everywhere)
            if over is not None:
                self._book.record(ReachBudget(execution=x.id, epoch=x.epoch, decision=over))

    def polled(self, message: AgentPolled) -> None:
        """Take note of what a running agent has used."""
        self._asked.discard(message.run)
        self._seen[message.run] = message

    def over(self, x: Execution) -> Decision | None:
        """Return the denial by the budget that an execution has used up, or None.

        ``x`` may be newer than what is recorded: a step of it may have ended just now.
        """
        known = self._book.state.executions.get(x.id, x)
        open_before = {step.number for step in running(known)}
        fresh = _ended(step for step in x.steps if step.number in open_before)
        own = self._of_running(x)
        others = (self._of_running(each) for each in self._working() if each.id != x.id)
        return self._over(x, fresh, own, tuple(chain(own, *others)))

    def _over(self, x: Execution, fresh: Parts, own: Parts, everywhere: Parts) -> Decision | None:
        """Do the same, knowing what ended just now, and what runs of it and ``everywhere``."""
        world, task = self._book.world, self._book.state.tasks[x.task]
        for scope, unit, most in world.policy.budgets.limits:
            if scope == "execution":
                parts = (*_ended(x.steps), *own)
            else:
                runs = own if scope == "task" else everywhere
                parts = (*self._recorded(scope, task), *fresh, *runs)
            used = amount(parts, unit)
            if used_up(most, used):
                attempt = self._attempt(task, x)
                return decide_budget(world.policy, attempt, scope=scope, unit=unit, used=used)
        return None

    def _attempt(self, task: Task, x: Execution) -> Attempt:
        world = self._book.world
        return Attempt(
            actor=world.holder, team=world.team, task=task.spec, execution=x.id, epoch=x.epoch
        )

    def _recorded(self, scope: str, task: Task) -> Parts:
        team = self._book.state.team
        if scope == "task" or team is None:
            return (task.spent,)
        if scope == "day":
            return (team.used.day.at(self._book.world.effects.now_ms()),)
        return tuple(team.used.providers.values())

    def _aside(self, unit: str) -> int:
        """Return what is set aside for the executions that work now, besides what is recorded."""
        least = self._book.world.policy.budgets.execution.of(unit)
        found = 0
        for x in self._working():
            ended = amount(_ended(x.steps), unit)
            found += max(least - ended, amount(self._of_running(x), unit), 0)
        return found

    def _of_running(self, x: Execution) -> Parts:
        now_ms = self._book.world.effects.now_ms()
        found = []
        for step in running(x):
            seen = self._seen.get(run_of(x.id, step))
            usage = seen.usage if seen else _NOTHING
            found.append(Spent(usage=usage, wall_ms=max(0, now_ms - step.started_ms)))
        return tuple(found)

    def _working(self) -> list[Execution]:
        return [x for x in self._book.state.live() if x.state in WORKING_STATES]

    def _ask(self, working: list[Execution]) -> None:
        """Begin to ask the agents that run here; one that does not answer is not asked again."""
        world, state = self._book.world, self._book.state
        now_s = world.effects.monotonic_s()
        if now_s - self._asked_s < POLL_S:
            return
        self._asked_s = now_s
        turns = [
            Turn(task=state.tasks[x.task], execution=x, step=step)
            for x in working
            for step in running(x)
            if world.rooms.observe(run_of(x.id, step)).alive
        ]
        for turn in turns:
            if turn.run not in self._asked:
                self._asked.add(turn.run)
                seen = self._seen.get(turn.run)
                self._jobs.start(f"poll {turn.run}", world.rooms.poll(turn, seen))
        current = {turn.run for turn in turns}
        self._seen = {run: seen for run, seen in self._seen.items() if run in current}


def _ended(steps: Iterable[Step]) -> Parts:
    ended = (step for step in steps if not step.runs)
    return tuple(of_run(each.usage, each.started_ms, each.ended_ms) for each in ended)
