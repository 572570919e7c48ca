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
    in the ledger; what was allowed must be allowed by the same rule, what was denied denied. Exit 1
    when one comes out differently, or its policy is gone.
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
    decision = each.decision
    return {
        "seq": each.seq,
        "kind": each.kind,
        "action": decision.action,
        "resource": decision.resource,
        "recorded": f"{decision.verdict} by {decision.rule}: {decision.reason}",
        "again": each.differs,
    }


def _say(app: App, found: list[Redecided], wrong: list[Redecided]) -> None:
    for each in wrong:
        decision = each.decision
        app.output.data(
            visible(
                f"event {each.seq}, {decision.action} of {decision.resource}: recorded "
                f"{decision.verdict} by {decision.rule}, now {each.differs}"
            )
        )
    counted = Counter(each.decision.action for each in found)
    kinds = ", ".join(f"{count} {action}" for action, count in sorted(counted.items()))
    policies = len({each.decision.policy for each in found})
    same = len(found) - len(wrong)
    app.output.data(f"{same} of {len(found)} decisions are the same again ({kinds or 'none'})")
    if found:
        app.output.data(f"under {policies} {'policy' if policies == 1 else 'policies'}")
