"""``git cto push``: push the team's branch by hand, to the remote that policy names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli.options import pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError

if TYPE_CHECKING:
    from gitcto.cli.app import App


@click.command()
@team_option
@pass_app
def push(app: App, team: str | None) -> None:
    """Push the team's branch to the remote of policy, forward only, and record what it holds.

    A run does so after every landing; this catches up on what could not be pushed then.
    """
    from gitcto.cli.record import record
    from gitcto.cli.requests import run_context
    from gitcto.cli.status import known_team
    from gitcto.runtime.core.push_record import push_record
    from gitcto.runtime.delivery.pushing import push_target

    with run_context(app, app.team(team)) as context:
        target = known_team(context.ledger).target
        tip = context.refs.read(target)
        if tip is None:
            raise CtoError("nothing has landed yet", "let the team work first: `git cto run`")
        said = push_target(context, target, tip)
        seen = push_record(said, tip)
        if seen is None:
            raise CtoError(said, "see [remote] in policy.toml; then run `git cto push` again")
        record(context.ledger, seen)
    app.output.data(visible(f"{said} holds {tip[:12]}"))
    app.output.hint("nothing here has changed; the remote's branch is yours to move back there")
