"""The plan of a seed: tasks, what they depend on, and what their workers write."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

from gitcto.model.records import TaskSpec
from gitcto.policy.load import parse
from gitcto.testing.simulation.bench import CHANGE_GATE, TREE_GATE
from gitcto.testing.simulation.rooms import TOKENS
from gitcto.testing.strategies import DUAL, REVIEW, WRITE, WRITE_AGAIN, strategy_toml

if TYPE_CHECKING:
    from gitcto.policy.records import Policy
    from gitcto.runtime.core.seats import Turn
    from gitcto.testing.simulation.faults import Faults
    from gitcto.testing.simulation.options import Options

_POLICY = """\
version = 1
[concurrency]
max_workers = {max_workers}
lease_s = {lease_s}
[queue]
capacity = {capacity}
[roles.developer]
provider = "agent"
[providers.agent]
plugin = "command"
argv = ["agent"]
[providers.judge]
plugin = "command"
argv = ["agent"]
[gates.{change}]
plugin = "paths"
[gates.{tree}]
plugin = "command"
argv = ["run-tests"]
[tiers.P0]
gates = ["{change}", "{tree}"]
[tiers.P1]
gates = ["{change}", "{tree}"]
[tiers.P2]
gates = ["{change}"]
{approval}
{remote}
"""

_FAILURES = ({"default": ["degrade"]}, {"default": ["retry", "degrade"]}, {"default": ["retry"]})
_SINGLE = strategy_toml("single_worker", [WRITE])
_STRATEGIES = strategy_toml(
    "reviewed",
    [WRITE_AGAIN, REVIEW | {"failures": {"default": ["retry"], "no_verdict": ["retry"]}}],
    {"reviewer": "judge"},
    rounds=2,
) + strategy_toml(
    "dual",
    [step | {"failures": each} for step, each in zip(DUAL, _FAILURES, strict=True)],
    {"reviewer": "judge"},
)

_BUDGETS = "[budgets.execution]\ntokens = {execution}\n[budgets.team]\ntokens = {team}\n"
_DAY = "[budgets.day]\ntokens = {tokens}\n"
TEAM_TOKENS = 1_000 * TOKENS
"""What policy lets the team use in all: enough."""

_APPROVAL = "[tiers.P1.approval]\ncount = 1\nexpires_h = 8"
_REMOTE = '[remote]\nname = "origin"\nledger = {shared}'


@lru_cache(maxsize=256)
def _parsed(text: str) -> Policy:
    return parse(text.encode(), "policy.toml")


def policy_of(options: Options) -> Policy:
    """Return a seed's policy, read as the product reads one."""
    shared = str(options.clones > 1).lower()
    text = _POLICY.format(
        max_workers=options.max_workers,
        lease_s=options.lease_s,
        capacity=options.capacity,
        change=CHANGE_GATE,
        tree=TREE_GATE,
        approval=_APPROVAL if options.approvals else "",
        remote=_REMOTE.format(shared=shared) if options.remote else "",
    )
    text += _BUDGETS.format(execution=TOKENS, team=TEAM_TOKENS)
    text += _DAY.format(tokens=4 * TOKENS) if options.tight else ""
    return _parsed(text + _SINGLE + (_STRATEGIES if options.strategies else ""))


class Plan:
    """What there is to do."""

    def __init__(self, options: Options) -> None:
        rng = Random(f"plan {options.seed}")
        steps = Random(f"steps of {options.seed}")
        self._options = options
        self.files = {f"f{number}": "empty" for number in range(options.files)}
        self.tasks: list[TaskSpec] = []
        for number in range(options.tasks):
            earlier = [task.id for task in self.tasks]
            needed = rng.sample(earlier, min(len(earlier), rng.choice((0, 0, 0, 1, 2))))
            spec = TaskSpec(
                id=f"T{number}",
                title=f"task {number}",
                depends_on=tuple(sorted(needed)),
                tier=rng.choice(("P0", "P1", "P1", "P1", "P2")),
                priority=rng.choice(("urgent", "high", "normal", "normal", "low")),
                strategy=steps.choice(("", "reviewed", "dual")) if options.strategies else "",
            )
            self.tasks.append(spec)

    def writes(self, turn: Turn, faults: Faults) -> dict[str, str]:
        """Return what a worker would write: sometimes something bad, alone or beside another."""
        names = list(self.files)
        chosen = faults.rng.sample(names, min(len(names), faults.rng.randint(1, 3)))
        if self._options.storm:
            chosen = sorted({*chosen, names[0]})
        again = f" {turn.step.number}" if turn.step.number > 1 else ""
        text = f"{turn.task.spec.id} by {turn.execution.id}{again}"
        written = dict.fromkeys(chosen, text)
        if faults.strikes("red"):
            kind = faults.rng.choice(("bad", "with:1", "with:2"))
            written[chosen[0]] = f"{kind} {text}"
        return written
