"""``git cto watch``: what the agents of a task say and do while they do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.cli.app import App
    from gitcto.provider_contracts import AgentEvent
    from gitcto.runtime.agents.polling import Source
    from gitcto.runtime.core.seats import Turn
    from gitcto.store.reader import LedgerReader

_LOOK_S = 0.5
_WORDS = {
    "session": "session {text}",
    "message": "says: {text}",
    "thinking": "thinks: {text}",
    "tool_started": "uses {name} {text}",
    "tool_ended": "used {name}: {how} {text}",
    "edited": "edited {text}",
    "warning": "warning: {text}",
    "error": "error: {name} {text}",
    "ended": "ended: {how}",
}
_LINE = 300


@click.command()
@click.argument("task")
@click.option("--once", is_flag=True, help="Show what there is and end.")
@team_option
@json_option
@pass_app
def watch(app: App, task: str, *, once: bool, team: str | None, as_json: bool) -> None:
    """Show live what the agents that work on TASK say and do, in the same words for every kind.

    Ends when none of them runs any more; Ctrl-C ends only the view. What an agent says is a claim
    and proves nothing. With --json a line for each event.
    """
    from gitcto.cli.requests import known_policy, rooms_root
    from gitcto.cli.status import pause_for
    from gitcto.runtime.agents.polling import Source
    from gitcto.runtime.host.layout import Layout

    with app.reader(team) as reader:
        layout = Layout(app.repository, reader.team, rooms_root(app.host, app.repository))
        source = Source(app.plugins, known_policy(app, reader.team), layout)
        cursors: dict[str, str] = {}
        turns = _turns(app, reader, task)
        if not turns:
            hint = f"`git cto show {task}` shows what became of it"
            raise CtoError(f"no agent works on {task} in this clone now", hint)
        while turns:
            for turn in turns:
                for event in _news(source, turn, cursors):
                    _tell(app, turn, event, as_json=as_json)
            if once:
                return
            pause_for(_LOOK_S)
            turns = _turns(app, reader, task)


def _turns(app: App, reader: LedgerReader, task_id: str) -> list[Turn]:
    """Return the steps of a task that run."""
    from gitcto.model.step_rules import running
    from gitcto.runtime.core.seats import Turn

    task = app.task(reader, task_id)
    x = reader.view().execution(task.execution) if task.execution else None
    return [Turn(task=task, execution=x, step=step) for step in running(x)] if x else []


def _news(source: Source, turn: Turn, cursors: dict[str, str]) -> Iterator[AgentEvent]:
    """Yield what is new of one run."""
    from gitcto.runtime.agents.polling import progress_of

    while (progress := progress_of(source, turn, cursors.get(turn.run, ""))) is not None:
        at_rest = progress.cursor == cursors.get(turn.run, "")
        cursors[turn.run] = progress.cursor
        yield from progress.events
        if at_rest:
            return


def _tell(app: App, turn: Turn, event: AgentEvent, *, as_json: bool) -> None:
    if as_json:
        app.output.json({"step": turn.step.number, "provider": turn.step.provider, **_plain(event)})
        return
    if event.usage is not None:
        cost = event.usage.cost_micros
        money = f", ${cost / 1_000_000:.4f}" if cost is not None else ""
        text = f"used {event.usage.tokens} tokens{money} so far"
    else:
        how = "ok" if event.ok else "failed"
        said = " ".join(event.text.split())
        text = _WORDS.get(event.kind, "{name} {text}").format(
            text=said if len(said) <= _LINE else f"{said[:_LINE]}…", name=event.name, how=how
        )
    app.output.data(visible(f"{turn.step.number} {turn.step.provider} {text}".rstrip()))


def _plain(event: AgentEvent) -> dict[str, Any]:
    used = event.usage
    usage = {name: getattr(used, name) for name in used.__struct_fields__} if used else None
    return {
        "kind": event.kind,
        "text": event.text,
        "name": event.name,
        "ok": event.ok,
        "usage": usage,
    }
