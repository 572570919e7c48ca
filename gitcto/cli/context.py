"""``git cto context``: what a task's worker is told, and how much of it there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.context.checkpoint import Checkpoint
    from gitcto.git.objects import Objects
    from gitcto.model.context_events import ContextCheckpointed


@click.command()
@click.argument("task")
@click.option("--prompt", is_flag=True, help="Write the prompt of the last checkpoint instead.")
@team_option
@json_option
@pass_app
def context(app: App, task: str, *, prompt: bool, team: str | None, as_json: bool) -> None:
    """Show how much the worker of TASK is told: size, budget, what compacting saved.

    Each attempt begins with a checkpoint, and goes on from the last one that is whole.
    """
    from gitcto.git.objects import Objects
    from gitcto.runtime.agents.worker_context import checkpoints

    with app.reader(team) as reader:
        app.task(reader, task)
        found = list(checkpoints(reader, task))[::-1]
    objects = Objects(app.repository)
    rows = [(each, *_read(objects, each, task)) for each in found]
    if prompt:
        _prompt(app, task, [checkpoint for _, checkpoint, _ in rows if checkpoint])
        return
    if as_json:
        app.output.json({"task": task, "checkpoints": [_plain(*row) for row in rows]})
        return
    if not rows:
        app.output.data(visible(f"Nobody was told anything about {task} yet"))
        return
    app.output.table(
        ("NUMBER", "EXECUTION", "TOKENS", "BUDGET", "SAVED", "STATE"),
        [
            (
                str(event.number),
                event.execution,
                str(event.tokens),
                str(event.budget),
                str(event.saved),
                problem or "whole",
            )
            for event, _, problem in rows
        ],
    )
    app.output.hint(visible(f"`git cto context {task} --prompt` is what its worker is told"))


def _prompt(app: App, task: str, whole: list[Checkpoint]) -> None:
    from gitcto.context.render import render

    if not whole:
        raise CtoError(
            f"no checkpoint of what {task} is told can be read",
            f"`git cto context {task}` says why",
        )
    app.output.raw(render(whole[-1].stream))


def _read(objects: Objects, event: ContextCheckpointed, task: str) -> tuple[Checkpoint | None, str]:
    from gitcto.context.checkpoint import Corrupt
    from gitcto.runtime.agents.worker_context import read_checkpoint

    try:
        return read_checkpoint(objects, event, task), ""
    except Corrupt as problem:
        return None, str(problem)


def _plain(
    event: ContextCheckpointed, checkpoint: Checkpoint | None, problem: str
) -> dict[str, object]:
    return {
        "number": event.number,
        "execution": event.execution,
        "tokens": event.tokens,
        "budget": event.budget,
        "saved": event.saved,
        "checksum": event.checksum,
        "previous": event.previous,
        "blob": event.blob,
        "entries": len(checkpoint.stream.entries) if checkpoint else 0,
        "problem": problem,
    }
