"""``git cto plugins``: what is installed, what it offers, and whether it keeps its contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import app_of, json_option, pass_app
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.plugins import PluginRow


@click.group(
    cls=LazyGroup,
    rows=(Row("check", "Check that one plugin keeps its contracts.", f"{__name__}:check", "Ask"),),
    invoke_without_command=True,
    context_settings={"help_option_names": HELP_NAMES},
)
@json_option
@click.pass_context
def plugins(ctx: click.Context, *, as_json: bool) -> None:
    """List the plugins that are installed, or check one."""
    if ctx.invoked_subcommand is not None:
        return
    app = app_of(ctx)
    rows = app.silent_plugins().report()
    if as_json:
        app.output.json({"plugins": [_plain(row) for row in rows]})
        return
    app.output.table(
        ("PLUGIN", "FROM", "STATUS", "OFFERS"),
        [
            (row.name, _origin(row), row.status, row.reason or ", ".join(row.provides))
            for row in rows
        ],
    )
    broken = [row.name for row in rows if row.status == "failed"]
    if broken:
        app.output.hint(f"`git cto plugins check {broken[0]}` says more")


def _origin(row: PluginRow) -> str:
    ours = row.source == "first-party"
    return row.source if ours else f"{row.distribution} {row.version}"


def _plain(row: PluginRow) -> dict[str, object]:
    return {
        "name": row.name,
        "distribution": row.distribution,
        "version": row.version,
        "source": row.source,
        "status": row.status,
        "reason": row.reason,
        "provides": list(row.provides),
        "load_ms": round(row.load_ms, 1),
    }


@click.command()
@click.argument("name")
@json_option
@pass_app
def check(app: App, name: str, *, as_json: bool) -> int:
    """Check plugin NAME: its hooks, its descriptors and whether every target can be imported.

    Exit 1 when something is wrong with it, 2 when there is no such plugin.
    """
    installed = app.silent_plugins()
    known = [row.name for row in installed.report()]
    if name not in known:
        raise CtoError(
            f"there is no plugin {name!r}",
            f"these are installed: {', '.join(known)}",
            ExitCode.USAGE,
        )
    findings = installed.check(name)
    if as_json:
        listed = [{"rule": each.rule, "message": each.message} for each in findings]
        app.output.json({"plugin": name, "ok": not findings, "findings": listed})
    elif findings:
        app.output.table(("RULE", "FINDING"), [(each.rule, each.message) for each in findings])
    else:
        app.output.data(f"{name} keeps its contracts")
    return ExitCode.REFUSED if findings else ExitCode.OK
