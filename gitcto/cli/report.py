"""``git cto report``: reports for those who do not read ledgers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import pass_app, team_option
from gitcto.cli.output import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gitcto.cli.app import App
    from gitcto.model.progress import Count, Progress
    from gitcto.model.records import Task, Team

NOT_STATED = "not stated"
"""Stands for what nobody wrote down: an owner, or why a task stopped."""


@click.group(
    cls=LazyGroup,
    rows=(Row("progress", "Report how far a team is.", f"{__name__}:progress", "Ask"),),
    context_settings={"help_option_names": HELP_NAMES},
)
def report() -> None:
    """Report how far a team is."""


@click.command()
@team_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "json"]),
    default="md",
    show_default=True,
    help="Markdown for people, or one JSON object for programs.",
)
@pass_app
def progress(app: App, *, team: str | None, form: str) -> None:
    """Report counts and percentages: overall, for P0, P1 and P2, and for each owner.

    Lists what is done with its commit, where that was pushed and its evidence; what is blocked or
    failed with the reason; and what is worked on. Percentages are rounded down: 100 % means all.
    The same ledger gives the same report, whenever and wherever it is written.
    """
    from gitcto.cli.status import known_team
    from gitcto.model.progress import progress as counted

    with app.reader(team) as reader:
        known = known_team(reader)
        found = counted(reader.tasks())
        events = reader.summary(rows_each=1).cursor.seq
    if form == "json":
        app.output.json(_plain(known, found, events))
        return
    for line in _markdown(known, found, events):
        app.output.data(line)


def _markdown(team: Team, found: Progress, events: int) -> Iterator[str]:
    branch = team.target.removeprefix("refs/heads/")
    yield f"# Progress of team {team.name}"
    yield ""
    yield f"As of event {events} of its ledger; lands on `{branch}`."
    yield ""
    counts = [("**all**", found.overall), *found.tiers.items()]
    yield from _counts("tier", counts)
    if found.owners.keys() - {""}:
        yield ""
        yield from _counts("owner", [(name or NOT_STATED, c) for name, c in found.owners.items()])
    done = [(t, f"`{t.commit}`", t.push or NOT_STATED, f"`{t.evidence}`") for t in found.done]
    yield from _section("Done", ("commit", "pushed", "evidence"), done)
    working = [(task, task.state.value, str(task.attempts)) for task in found.working]
    yield from _section("In progress", ("state", "attempt"), working)
    yield from _section("Blocked", ("reason",), [(t, _why(t)) for t in found.blocked])
    yield from _section("Failed", ("reason",), [(t, _why(t)) for t in found.failed])


def _counts(what: str, rows: Iterable[tuple[str, Count]]) -> Iterator[str]:
    from gitcto.model.progress import IN_PROGRESS

    states = [state.value for state in IN_PROGRESS]
    yield from _table_head(
        (what, "total", "done", "% done", "queued", *states, "blocked", "failed")
    )
    for name, count in rows:
        percent = "-" if count.percent_done is None else str(count.percent_done)
        working = [str(count.working[state]) for state in states]
        numbers = (str(count.total), str(count.done), percent, str(count.queued), *working)
        yield _row((name, *numbers, str(count.blocked), str(count.failed)))


def _section(
    title: str, columns: Sequence[str], rows: Sequence[tuple[Task, *tuple[str, ...]]]
) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield f"## {title}"
    yield ""
    yield from _table_head(("task", "tier", "owner", *columns, "title"))
    for task, *cells in rows:
        spec = task.spec
        yield _row((spec.id, spec.tier, spec.owner or NOT_STATED, *cells, spec.title))


def _table_head(columns: Sequence[str]) -> Iterator[str]:
    yield _row(columns)
    yield _row(["---"] * len(columns))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(visible(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def _why(task: Task) -> str:
    return ": ".join(part for part in (task.reason, task.detail) if part) or NOT_STATED


def _plain(team: Team, found: Progress, events: int) -> dict[str, Any]:
    return {
        "team": team.name,
        "target": team.target,
        "events": events,
        **_plain_count(found.overall),
        "tiers": {name: _plain_count(count) for name, count in found.tiers.items()},
        "owners": {name: _plain_count(count) for name, count in found.owners.items()},
        "done_tasks": [
            {**_about(task), "commit": task.commit, "push": task.push, "evidence": task.evidence}
            for task in found.done
        ],
        "in_progress_tasks": [
            {**_about(task), "state": task.state.value, "attempt": task.attempts}
            for task in found.working
        ],
        "blocked_tasks": [_stuck(task) for task in found.blocked],
        "failed_tasks": [_stuck(task) for task in found.failed],
    }


def _plain_count(count: Count) -> dict[str, Any]:
    return {
        "total": count.total,
        "done": count.done,
        "percent_done": count.percent_done,
        "queued": count.queued,
        "in_progress": count.in_progress,
        "in_progress_by_state": count.working,
        "blocked": count.blocked,
        "failed": count.failed,
    }


def _about(task: Task) -> dict[str, Any]:
    spec = task.spec
    return {"task": spec.id, "title": spec.title, "tier": spec.tier, "owner": spec.owner}


def _stuck(task: Task) -> dict[str, Any]:
    return {**_about(task), "reason": task.reason, "detail": task.detail}
