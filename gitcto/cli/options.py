"""Options that several commands share, so that they are spelled and explained once."""

from __future__ import annotations

import click

from gitcto.cli.app import App

pass_app = click.make_pass_decorator(App)
"""Hands the invocation's :class:`gitcto.cli.app.App` to a command."""


def app_of(ctx: click.Context) -> App:
    """Return the invocation's ``App``; every command runs below the root, which has one."""
    app = ctx.find_object(App)
    if app is None:
        raise TypeError("a command was invoked without an App")
    return app


team_option = click.option(
    "--team", metavar="NAME", help="The team; may be left out when there is only one."
)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Write one JSON object for programs."
)
