"""A trivial task, end to end: beside the bare git commands it needs and the worker's own time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import NamedTuple

from bench import bare
from bench.measure import Cost, Effort, Row, cost_of, cpu_s, interleaved, program, run, wall_s
from bench.programs import GIT_CTO
from bench.repositories import Place, scratch
from bench.teams import BenchTeam, policy_text


class Shape(NamedTuple):
    """A repository of so many files, so many tasks of one run, and how often that is measured."""

    files: int
    tasks: int
    rounds: int

    def __str__(self) -> str:
        """Say how large it is."""
        return "1 file" if self.files == 1 else f"{self.files} files"


SHAPES = (Shape(1, 5, 5), Shape(5_000, 2, 1))
"""Checking 5,000 files out takes seconds on either side, so it is not done often."""

WORKSPACES = ("clone", "worktree")
_RATIO = 1.3
_GIT = "bare git commands"
_DURABLE = "bare git commands, fsynced"


def measure(effort: Effort) -> list[Row]:
    """Return rows for a small and a large repository."""
    rows: list[Row] = []
    for shape in SHAPES[: effort.size(2)]:
        rows += _in_a_run(shape, effort)
        rows += _as_a_program(shape, effort)
    return rows


def _in_a_run(shape: Shape, effort: Effort) -> list[Row]:
    with scratch(shape.files) as place:
        bare.prepare(place)
        number = effort.size(shape.tasks, 2)
        cases: dict[str, Callable[[], Cost]] = {
            _GIT: partial(bare.tasks, place, number),
            _DURABLE: partial(bare.durable_tasks, place, number),
        }
        workspaces = WORKSPACES[: effort.size(2)]
        for workspace in workspaces:
            # a team each: what one workspace does never makes the ledger of the other longer
            team = BenchTeam(place, workspace, workers=1, name=workspace)
            cases[workspace] = partial(_run_team, team, number)
        costs = interleaved(cases, effort.turns(shape.rounds))
    label = "a task of a run, {workspace}, " + str(shape)
    rows: list[Row] = []
    for workspace in workspaces:
        rows += _rows(label.format(workspace=workspace), costs[workspace], costs)
    return rows


def _run_team(team: BenchTeam, number: int) -> Cost:
    team.plan(team.tasks(number))
    return cost_of(team.run, number)


def _as_a_program(shape: Shape, effort: Effort) -> list[Row]:
    with scratch(shape.files) as place:
        bare.prepare(place)
        (place.path / "policy.toml").write_text(policy_text(WORKSPACES[0], 1))
        run((GIT_CTO, "init"), place.path, place.env)
        numbers = count(1)
        cases = {
            _GIT: partial(bare.tasks, place, 1),
            _DURABLE: partial(bare.durable_tasks, place, 1),
            "run": partial(_run_program, place, numbers),
        }
        costs = interleaved(cases, effort.turns(shape.rounds))
    return _rows(f"git cto run of one task, {WORKSPACES[0]}, {shape}", costs["run"], costs)


def _run_program(place: Place, numbers: Iterator[int]) -> Cost:
    plan = place.beside("plan.toml")
    plan.write_text(f'[[task]]\nid = "T-{next(numbers)}"\ntitle = "Write a line"\n')
    run((GIT_CTO, "plan", "import", str(plan)), place.path, place.env)
    return program((GIT_CTO, "run"), place.path, place.env)


def _rows(what: str, ours: list[Cost], costs: dict[str, list[Cost]]) -> list[Row]:
    return [
        Row(
            what=what,
            value=wall_s(ours) * 1e3,
            unit="ms",
            baseline=wall_s(costs[_GIT]) * 1e3,
            versus=_GIT,
            ratio_limit=_RATIO,
        ),
        Row(
            what=f"{what}, CPU",
            value=cpu_s(ours) * 1e3,
            unit="ms CPU",
            baseline=cpu_s(costs[_GIT]) * 1e3,
            versus=_GIT,
        ),
        Row(
            what=f"{what}, beside durable git",
            value=wall_s(ours) * 1e3,
            unit="ms",
            baseline=wall_s(costs[_DURABLE]) * 1e3,
            versus=_DURABLE,
        ),
    ]
