"""``git cto provider why``: the recorded decisions about who does a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.cli.app import App
    from gitcto.model.records import Decision
    from gitcto.store.reader import LedgerReader


@click.command()
@click.argument("task")
@team_option
@json_option
@pass_app
def why(app: App, task: str, *, team: str | None, as_json: bool) -> None:
    """Show, for each step of TASK's attempts, who was chosen, who was not, and what you can do."""
    from gitcto.cli.provider import plain_record

    with app.reader(team) as reader:
        app.task(reader, task)
        decisions = list(eligibility(reader, task))
    if as_json:
        app.output.json({"task": task, "decisions": [plain_record(each) for each in decisions]})
        return
    if not decisions:
        app.output.data(f"Nobody was chosen for {visible(task)} yet")
        return
    for number, decision in enumerate(decisions):
        if number:
            app.output.data()
        for label, value in _lines(decision):
            app.output.data(f"{label:<9} {visible(value)}".rstrip())


def eligibility(reader: LedgerReader, task: str) -> Iterator[Decision]:
    """Yield the decisions about who does a task, the oldest first."""
    for stored in reader.events(task=task):
        decision: Decision | None = getattr(stored.event.body, "decision", None)
        if decision is not None and decision.action == "eligibility":
            yield decision


def _lines(decision: Decision) -> Iterator[tuple[str, str]]:
    from gitcto.policy.eligibility import denied_by

    said = decision.inputs
    yield "step", f"{said['step']} of {said['strategy']}, attempt {said['execution']}"
    yield "chosen", said.get("selected") or "nobody"
    yield "because", f"{decision.reason} ({decision.rule})"
    for name, reason in denied_by(decision).items():
        yield "denied", f"{name}: {reason}"
    yield "risk", f"tier {said['risk']}, in a repository of class {said['class']}"
    yield "gates", said.get("gates") or "none"
    yield (
        "may",
        {"edit": "change files", "read": "read and answer"}.get(said["mutation"], "nothing"),
    )
    if said.get("escalation"):
        yield "you can", said["escalation"]
