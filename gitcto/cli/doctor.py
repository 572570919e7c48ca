"""``git cto doctor``: look at everything a team stands on, change nothing, say what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli.options import json_option, pass_app
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from gitcto.cli.app import App


@click.command()
@click.option(
    "--escape",
    is_flag=True,
    help="Let real attackers loose in the sandboxes instead, in a temporary directory.",
)
@click.option(
    "--level",
    "levels",
    multiple=True,
    type=click.Choice(["none", "detect", "landlock", "seatbelt", "strict"]),
    help="With --escape: only sandboxes of this level; may be given several times.",
)
@json_option
@pass_app
def doctor(app: App, *, escape: bool, levels: tuple[str, ...], as_json: bool) -> int:
    """Check git, the repository, the policy, the plugins, every ledger and the sidecar.

    Changes nothing. Exit 1 when something is wrong; each finding says what to do about it. With
    --escape, exit 1 when a sandbox lets through what its level promises to stop.
    """
    if levels and not escape:
        raise CtoError("--level means nothing without --escape", "add `--escape`", ExitCode.USAGE)
    if escape:
        from gitcto.cli.escape import escape as attack

        return attack(app, levels, as_json=as_json)
    from gitcto.cli.checks import examine

    found = examine(app)
    wrong = [each for each in found if not each.fine]
    if as_json:
        told = [
            {"subject": each.subject, "fine": each.fine, "found": each.found, "hint": each.hint}
            for each in found
        ]
        app.output.json({"healthy": not wrong, "checks": told})
    else:
        for each in found:
            mark = "ok   " if each.fine else "WRONG"
            app.output.data(f"{mark} {each.subject}: {visible(each.found)}")
            if each.hint:
                app.output.data(f"      {visible(each.hint)}")
    return ExitCode.REFUSED if wrong else ExitCode.OK
