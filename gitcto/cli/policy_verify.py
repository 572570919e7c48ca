"""``git cto policy verify``: whether every decision comes out the same again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.runtime.proving.redecide import Redecided


@click.command()
@team_option
@json_option
@pass_app
def verify(app: App, *, team: str | None, as_json: bool) -> None:
    """Decide everything again that the team's ledger says was decided.

    Each decision is taken from its recorded inputs, under the policy that it cites, whose bytes are
    in the ledger; what was allowed must be allowed by the same rule, what was denied denied. Which
    step of an attempt came next is derived from its strategy's text, kept beside its lease. Exit 1
    when something comes out differently, or its text is gone.
    """
    from gitcto.git.objects import Objects
    from gitcto.runtime.proving.redecide import redecide

    with app.reader(team) as ledger:
        found = list(redecide(Objects(app.repository), ledger))
    wrong = [each for each in found if each.differs]
    if as_json:
        app.output.json({"decisions": len(found), "differing": list(map(_row, wrong))})
    else:
        _say(app, found, wrong)
    if wrong:
        raise click.exceptions.Exit(1)


def _row(each: Redecided) -> dict[str, object]:
    return {
        "seq": each.seq,
        "kind": each.kind,
        "action": each.action,
        "resource": each.resource,
        "recorded": each.recorded,
        "again": each.differs,
    }


def _say(app: App, found: list[Redecided], wrong: list[Redecided]) -> None:
    for each in wrong:
        app.output.data(
            visible(
                f"event {each.seq}, {each.action} of {each.resource}: recorded "
                f"{each.recorded}, now {each.differs}"
            )
        )
    counted = Counter(each.action for each in found)
    kinds = ", ".join(f"{count} {action}" for action, count in sorted(counted.items()))
    policies = len({each.policy for each in found if each.policy})
    same = len(found) - len(wrong)
    app.output.data(f"{same} of {len(found)} decisions are the same again ({kinds or 'none'})")
    if found:
        app.output.data(f"under {policies} {'policy' if policies == 1 else 'policies'}")
