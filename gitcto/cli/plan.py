"""``git cto plan``: tasks become part of a team's ledger, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitcto.cli.app import App
    from gitcto.cli.planfile import PlanFile, Problem
    from gitcto.model.records import TaskSpec
    from gitcto.store.ledger import Ledger

_SHOWN = 20
"""How many problems of one file are shown; a hostile file has thousands."""


@click.group(
    cls=LazyGroup,
    rows=(
        Row("import", "Add a file's tasks to a team.", "gitcto.cli.plan:import_", "Plan"),
        Row("draft", "Ask an agent for a plan.", "gitcto.cli.drafts:draft", "Drafts"),
        Row("drafts", "List the drafts that wait.", "gitcto.cli.drafts:drafts", "Drafts"),
        Row("show-draft", "Show a draft.", "gitcto.cli.drafts:show_draft", "Drafts"),
        Row("approve", "Add a draft's tasks to a team.", "gitcto.cli.drafts:approve", "Drafts"),
        Row("reject", "Drop a draft.", "gitcto.cli.drafts:reject", "Drafts"),
    ),
    context_settings={"help_option_names": HELP_NAMES},
)
def plan() -> None:
    """Import a plan of tasks, or have one drafted."""


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the order of the tasks and record nothing.")
@click.option("--format", "planner", metavar="NAME", help="Read FILE with this planner.")
@team_option
@json_option
@pass_app
def import_(  # noqa: PLR0913 - one parameter for each option
    app: App,
    *,
    file: Path,
    dry_run: bool,
    planner: str | None,
    team: str | None,
    as_json: bool,
) -> None:
    """Add the tasks of FILE to a team, all of them or none.

    The format is told by the file's ending, then by its text; `git cto plugins` lists the planners.
    Every problem is shown with its line.
    """
    from gitcto.cli.planfile import problems_of, read_plan
    from gitcto.model.plan import in_dependency_order

    read = read_plan(app.host.cwd / file, app.plugins, planner)
    strategies = _strategies(app, read)
    if dry_run and team is None and not app.teams():
        _check(app, file, problems_of(read, set(), strategies))
        tasks = in_dependency_order(read.tasks)
    else:
        with app.ledger(team) as ledger:
            view = ledger.view()
            known = {each for each in read.ids_mentioned() if view.task(each) is not None}
            _check(app, file, problems_of(read, known, strategies))
            tasks = in_dependency_order(read.tasks)
            if not dry_run:
                _record(app, ledger, read, tasks)
    _show(app, read, tasks, dry_run=dry_run, as_json=as_json)


def _strategies(app: App, read: PlanFile) -> tuple[str, ...]:
    """Return the strategies there are; nobody looks when no task names one."""
    if not any(task.strategy for task in read.tasks):
        return ()
    from gitcto.runtime.host.strategies import strategy_names

    return strategy_names(app.plugins, app.policy())


def _check(app: App, file: Path, problems: Sequence[Problem]) -> None:
    """Show what is wrong and raise; a plan is taken whole or not at all."""
    if not problems:
        return
    for problem in problems[:_SHOWN]:
        app.output.talk(visible(problem.shown(str(file))))
    if len(problems) > _SHOWN:
        app.output.talk(f"… and {len(problems) - _SHOWN} more")
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise CtoError(
        f"{file} has {count}; nothing was imported",
        "correct the file, then look at it with `git cto plan import --dry-run`",
        ExitCode.REFUSED,
    )


def _record(app: App, ledger: Ledger, read: PlanFile, tasks: Sequence[TaskSpec]) -> None:
    from gitcto.cli.record import record
    from gitcto.git.objects import Objects
    from gitcto.model.commands import ImportPlan

    blob = Objects(app.repository).write_blob(read.content)
    command = ImportPlan(source=read.name, digest=read.digest, tasks=tuple(tasks))
    record(ledger, command, {"plan": blob})


def _show(
    app: App, read: PlanFile, tasks: Sequence[TaskSpec], *, dry_run: bool, as_json: bool
) -> None:
    out = app.output
    if as_json:
        listed = [{"id": t.id, "title": t.title, "depends_on": list(t.depends_on)} for t in tasks]
        out.json({"imported": not dry_run, "digest": read.digest, "tasks": listed})
    elif dry_run:
        rows = [
            (str(n), t.id, t.tier, t.priority, t.role, ",".join(t.depends_on) or "-", t.title)
            for n, t in enumerate(tasks, 1)
        ]
        out.table(("#", "TASK", "TIER", "PRIORITY", "ROLE", "AFTER", "TITLE"), rows)
    else:
        count = "1 task" if len(tasks) == 1 else f"{len(tasks)} tasks"
        out.data(f"Imported {count} from {visible(read.name)}")
    if dry_run:
        out.hint("nothing was recorded; import it by leaving out `--dry-run`")
    else:
        out.hint("go on with `git cto run`; an imported plan stays in the ledger")
