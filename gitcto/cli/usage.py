"""``git cto usage``: what agents used, by provider, role and task, and what is left of budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitcto.cli import wording
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.cli.resting import budget_lines, left_of, of_team

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitcto.cli.app import App
    from gitcto.model.records import Task, Team
    from gitcto.model.spending import Spent

_HEAD = ("RUNS", "TOKENS", "IN", "CACHED", "OUT", "COST", "TIME")


@click.command()
@click.option("--task", "task_id", metavar="TASK", help="Of one task, by the runs of its agents.")
@click.option("--provider", metavar="NAME", help="Of one provider of policy.")
@team_option
@json_option
@pass_app
def usage(
    app: App, *, task_id: str | None, provider: str | None, team: str | None, as_json: bool
) -> None:
    """Show what agents used: tokens, money where their providers name it, and time.

    It is the sum over all runs of agents that have ended, whatever came of their work. A cost with
    a + is what some of the runs cost: the others named no price.
    """
    from gitcto.cli.requests import known_policy
    from gitcto.cli.status import known_team

    with app.reader(team) as reader:
        known = known_team(reader)
        policy = known_policy(app, known.name)
        if task_id is not None:
            task = app.task(reader, task_id)
            steps = [s for x in reader.executions(task_id) for s in x.steps if not s.runs]
            told = _of_task(task, steps)
            left = tuple(left_of(policy, "task", task.spent))
        else:
            tasks = {each.spec.id: each.spent for each in reader.tasks() if each.spent.runs}
            told = _of_team(known, tasks, provider)
            left = tuple(of_team(policy, known, app.effects.now_ms()))
    if as_json:
        plain = {kind: {n: _plain(s) for n, s in rows.items()} for kind, rows in told.items()}
        app.output.json({**plain, "budgets": [dict(each) for each in left]})
        return
    _show(app, told, left)


def _of_team(
    team: Team, tasks: Mapping[str, Spent], provider: str | None
) -> dict[str, dict[str, Spent]]:
    providers = dict(sorted(team.used.providers.items()))
    if provider is not None:
        return {"providers": {k: v for k, v in providers.items() if k == provider}}
    roles = dict(sorted(team.used.roles.items()))
    return {
        "providers": providers,
        "roles": roles,
        "tasks": dict(tasks),
        "team": {team.name: team.used.all},
    }


def _of_task(task: Task, steps: Iterable[Any]) -> dict[str, dict[str, Spent]]:
    from gitcto.model.spending import Spent, of_run

    providers: dict[str, Spent] = {}
    roles: dict[str, Spent] = {}
    for step in steps:
        run = of_run(step.usage, step.started_ms, step.ended_ms)
        providers[step.provider] = providers.get(step.provider, Spent()) + run
        roles[step.role] = roles.get(step.role, Spent()) + run
    return {"providers": providers, "roles": roles, "tasks": {task.spec.id: task.spent}}


def _show(
    app: App, told: Mapping[str, Mapping[str, Spent]], left: Iterable[Mapping[str, Any]]
) -> None:
    shown = False
    for kind, rows in told.items():
        if not rows:
            continue
        if shown:
            app.output.data()
        shown = True
        app.output.table(
            (kind.upper().removesuffix("S"), *_HEAD),
            [(visible(name), *_cells(spent)) for name, spent in rows.items()],
        )
    if not shown:
        app.output.data("No agent has run yet")
    for number, line in enumerate(budget_lines(left)):
        if not number:
            app.output.data()
        app.output.data(line)


def _cells(spent: Spent) -> tuple[str, ...]:
    used = spent.usage
    more = "+" if spent.unpriced else ""
    cost = "-" if used.cost_micros is None else f"${used.cost_micros / 1_000_000:.4f}{more}"
    return (
        str(spent.runs),
        str(used.tokens),
        str(used.input_tokens + used.cache_write_tokens),
        str(used.cached_tokens),
        str(used.output_tokens),
        cost,
        wording.age(0, spent.wall_ms),
    )


def _plain(spent: Spent) -> dict[str, Any]:
    used = spent.usage
    return {
        "runs": spent.runs,
        "tokens": used.tokens,
        **{name: getattr(used, name) for name in used.__struct_fields__},
        "wall_ms": spent.wall_ms,
        "uncounted_runs": spent.uncounted,
        "unpriced_runs": spent.unpriced,
    }
