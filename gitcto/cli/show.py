"""``git cto show``: everything that is known of one task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli import wording
from gitcto.cli.kept import kept_rooms
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.cli.steps_view import step_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitcto.cli.app import App
    from gitcto.cli.kept import KeptRoom
    from gitcto.model.records import Execution, Task
    from gitcto.store.reader import LedgerReader


@click.command()
@click.argument("task")
@team_option
@json_option
@pass_app
def show(app: App, task: str, *, team: str | None, as_json: bool) -> None:
    """Show TASK: what is asked, every attempt, what its gates said, and how to go on."""
    with app.reader(team) as reader:
        found = app.task(reader, task)
        attempts = reader.executions(task)
        rooms = {each.execution: each for each in kept_rooms(app, reader)}
        needed_by = list(reader.view().dependents(task))
        elsewhere = _elsewhere(reader, found)
    if as_json:
        from gitcto.cli import plain

        app.output.json(
            {
                "task": {
                    **plain.task(found),
                    **elsewhere,
                    "prompt": found.spec.prompt,
                },
                "dependents": needed_by,
                "executions": [plain.execution(each) for each in attempts],
                "kept_rooms": [plain.kept_room(rooms[x.id]) for x in attempts if x.id in rooms],
            }
        )
        return
    for label, value in _facts(found, needed_by, elsewhere):
        app.output.data(f"{label:<9} {visible(value)}".rstrip())
    if attempts:
        app.output.data()
        _attempts(app, attempts, rooms)
    if found.state in wording.NEEDS_A_PERSON:
        app.output.data()
        for line in wording.trouble(found, attempts[-1] if attempts else None):
            app.output.data(line)


def _elsewhere(reader: LedgerReader, task: Task) -> dict[str, str]:
    """Return where the commit and the pull request of a landed task are outside this repository."""
    if not task.commit:
        return {"push": "", "pull_request": ""}
    from gitcto.cli.pushed import where
    from gitcto.runtime.delivery.pull_requests import opened

    return {"push": where(reader, task), "pull_request": opened(task)}


def _facts(
    task: Task, needed_by: Sequence[str], elsewhere: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    spec = task.spec
    yield "task", spec.id
    yield "title", spec.title
    yield "state", wording.state(task)
    yield "role", f"{spec.role}, tier {spec.tier}, {spec.priority} priority"
    if spec.owner:
        yield "owner", spec.owner
    if spec.depends_on:
        yield "after", ", ".join(spec.depends_on)
    if needed_by:
        yield "before", ", ".join(needed_by)
    if spec.paths:
        yield "paths", ", ".join(spec.paths)
    if task.commit:
        yield "commit", task.commit
    if elsewhere["push"]:
        yield "push", elsewhere["push"]
    if elsewhere["pull_request"]:
        yield "pull", elsewhere["pull_request"]
    if task.evidence:
        yield "evidence", task.evidence
    yield from _beside(task)
    for number, line in enumerate(spec.prompt.splitlines()):
        yield "" if number else "prompt", line


def _beside(task: Task) -> Iterator[tuple[str, str]]:
    for each in task.effects.values():
        yield "effect", f"{each.effect} {each.state}: {each.url or each.why or each.key}"
    if task.checkpoint:
        yield "context", f"checkpoint {task.checkpoint}: `git cto context {task.spec.id}`"


def _approval(x: Execution) -> str:
    by = f" by {', '.join(x.approved_by)}" if x.approved_by else ""
    given = f"{len(x.approved_by)} of {x.approvals_needed}{by}"
    return f"{x.approval}, {given}, for change {x.change[:12]}"


def _attempts(app: App, attempts: Sequence[Execution], rooms: Mapping[str, KeptRoom]) -> None:
    now = app.effects.now_ms()
    app.output.table(
        ("TRY", "STATE", "WHO", "TOOK", "CHANGED", "GATES"),
        [
            (
                str(each.attempt),
                each.state.value,
                each.provider,
                wording.age(each.leased_ms, each.ended_ms or now),
                str(each.changed) if each.work else "-",
                " ".join(f"{v.gate}:{v.status}" for v in each.verdicts) or "-",
            )
            for each in attempts
        ],
    )
    for each in attempts:
        _details(app, each, rooms)


def _details(app: App, each: Execution, rooms: Mapping[str, KeptRoom]) -> None:
    if each.approval:
        app.output.data(visible(f"attempt {each.attempt} approval: {_approval(each)}"))
    for change in each.outside:
        app.output.data(visible(f"attempt {each.attempt} SECURITY, outside its room: {change}"))
    for line in step_lines(each, app.effects.now_ms()):
        app.output.data(visible(line))
    if each.reason:
        app.output.data(visible(f"attempt {each.attempt} ended: {wording.why(each)}"))
    if each.late:
        app.output.data(visible(f"  its work came after its lease, {each.late}"))
    if each.adopted:
        app.output.data(visible(f"attempt {each.attempt} adopted the work of {each.adopted}"))
    if each.preserved:
        app.output.data(visible(f"  its work is kept at {each.preserved}"))
    for seat in each.beside:
        app.output.data(visible(f"  what was made beside it is kept at {seat}"))
    if each.id in rooms:
        app.output.data(visible(f"  its room is kept at {rooms[each.id].path}"))
