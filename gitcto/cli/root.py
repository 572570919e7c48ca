"""The root command: options that come before a command, and the table of all commands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from gitcto.cli.app import App
from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import app_of
from gitcto.cli.peek import COMMANDS_HOOK, hooks_mention
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.cli.output import ColorChoice
    from gitcto.descriptors import CommandPoint
    from gitcto.plugins import Registered

_BEGIN, _WATCH, _STEER, _KEEP = "Begin", "Watch", "Steer", "Keep house"

COMMANDS = (
    Row("init", "Make a team in this repository.", "gitcto.cli.init:init", _BEGIN),
    Row("plan", "Import a plan, or have one drafted.", "gitcto.cli.plan:plan", _BEGIN),
    Row("run", "Work until nothing is left to do.", "gitcto.cli.run:run", _BEGIN),
    Row("land", "Bring what landed to your branch.", "gitcto.cli.land:land", _BEGIN),
    Row("push", "Push what landed.", "gitcto.cli.push:push", _BEGIN),
    Row("pr", "Write or open a pull request.", "gitcto.cli.pr:pr", _BEGIN),
    Row("demo", "See a team work on a scratch project.", "gitcto.cli.demo:demo", _BEGIN),
    Row("status", "Show how a team stands.", "gitcto.cli.status:status", _WATCH),
    Row("log", "Show what happened, the newest first.", "gitcto.cli.log:log", _WATCH),
    Row("show", "Show everything about one task.", "gitcto.cli.show:show", _WATCH),
    Row("watch", "Show live what agents do.", "gitcto.cli.watch:watch", _WATCH),
    Row("context", "Show what a worker is told.", "gitcto.cli.context:context", _WATCH),
    Row("evidence", "Show or verify what proves a task.", "gitcto.cli.evidence:evidence", _WATCH),
    Row("approvals", "List what waits for approval.", "gitcto.cli.approve:approvals", _WATCH),
    Row("queue", "Show what waits to land, and why.", "gitcto.cli.queue:queue", _WATCH),
    Row("usage", "Show what agents used.", "gitcto.cli.usage:usage", _WATCH),
    Row("report", "Report how far a team is.", "gitcto.cli.report:report", _WATCH),
    Row("provider", "Say which agents may work.", "gitcto.cli.provider:provider", _STEER),
    Row("lease", "List who holds which task, or take one.", "gitcto.cli.lease:lease", _STEER),
    Row("circuit", "See or end the rest of a provider.", "gitcto.cli.circuit:circuit", _STEER),
    Row("approve", "Approve a change.", "gitcto.cli.approve:approve", _STEER),
    Row("deny", "Refuse a change.", "gitcto.cli.approve:deny", _STEER),
    Row("mail", "Write to workers, and read.", "gitcto.cli.mail:mail", _STEER),
    Row("pause", "Start nothing new.", "gitcto.cli.steer:pause", _STEER),
    Row("resume", "Start tasks again.", "gitcto.cli.resume:resume", _STEER),
    Row("drain", "Finish what runs, then end.", "gitcto.cli.steer:drain", _STEER),
    Row("stop", "End the workers and keep their work.", "gitcto.cli.steer:stop", _STEER),
    Row("effects", "See or settle what was done outside.", "gitcto.cli.effects:effects", _STEER),
    Row("retry", "Give a failed task another try.", "gitcto.cli.steer:retry", _STEER),
    Row("preserved", "Get back or drop work.", "gitcto.cli.preserved:preserved", _KEEP),
    Row("clean", "Remove what ended attempts left.", "gitcto.cli.clean:clean", _KEEP),
    Row("doctor", "Look at everything and change nothing.", "gitcto.cli.doctor:doctor", _KEEP),
    Row("chaos", "Break things, and see what holds.", "gitcto.cli.chaos:chaos", _KEEP),
    Row("plugins", "List plugins, or check one.", "gitcto.cli.plugins:plugins", _KEEP),
    Row("strategy", "List or show strategies.", "gitcto.cli.strategy:strategy", _KEEP),
    Row("policy", "Validate or show the policy.", "gitcto.cli.policy:policy", _KEEP),
)
"""Every first-party command. A plugin cannot replace one of them."""


class Root(LazyGroup):
    """The root group: our table first, then what plugins add."""

    def rows(self, ctx: click.Context) -> Iterator[Row]:
        """Yield our commands, then those of plugins under names that are still free."""
        yield from self._rows.values()
        app = ctx.find_object(App)
        if app is None or not hooks_mention(COMMANDS_HOOK, app.host.search_path):
            return
        for name, registered in app.silent_plugins().commands().items():
            if name not in self._rows:
                point = registered.descriptor
                yield Row(name, point.summary, point.target, point.group)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; plugins are looked for only when it is none of ours."""
        ours = super().get_command(ctx, cmd_name)
        app = ctx.find_object(App)
        if ours is not None or app is None or cmd_name.startswith("-"):
            return ours
        registered = app.silent_plugins().commands().get(cmd_name)
        return None if registered is None else _of_plugin(app, registered)


def _of_plugin(app: App, registered: Registered[CommandPoint]) -> click.Command:
    command = app.silent_plugins().instantiate(registered)
    if not isinstance(command, click.Command):
        raise CtoError(
            f"{registered.what} is no click command",
            f"report it to the author of plugin {registered.plugin!r}",
            ExitCode.PLUGIN_MISSING,
        )
    return command


def _show_version(ctx: click.Context, _param: click.Parameter, wanted: object) -> None:
    if wanted and not ctx.resilient_parsing:
        from gitcto import __version__

        click.echo(f"git cto {__version__}")
        ctx.exit()


@click.group(
    cls=Root,
    rows=COMMANDS,
    context_settings={"help_option_names": HELP_NAMES},
    epilog="`git cto COMMAND -h` explains one command; `git cto --help` opens the manual.",
)
@click.option("-C", "directory", metavar="DIR", type=click.Path(), help="Run as if in DIR.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the output; NO_COLOR is honoured by auto.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version.",
)
@click.pass_context
def root(ctx: click.Context, directory: str | None, color: ColorChoice) -> None:
    """Run a team of headless coding agents on this repository; land only work that is proved."""
    app = app_of(ctx)
    host = app.host
    if directory is not None:
        where = os.path.join(host.directory, directory)  # noqa: PTH118 - see Host
        if not os.path.isdir(where):  # noqa: PTH112 - see Host
            raise CtoError(
                f"cannot change to {directory!r}: it is no directory",
                "name an existing directory after `-C`",
                ExitCode.USAGE,
            )
        host = host._replace(directory=where)
    app.begin(host, color)
