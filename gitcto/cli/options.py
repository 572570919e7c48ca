"""Options that several commands share, so that they are spelled and explained once."""

from __future__ import annotations

import click

from gitcto.cli.app import App

pass_app = click.make_pass_decorator(App)
"""Hands the invocation's :class:`gitcto.cli.app.App` to a command."""

team_option = click.option(
    "--team", metavar="NAME", help="The team; may be left out when there is only one."
)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Write one JSON object for programs."
)
