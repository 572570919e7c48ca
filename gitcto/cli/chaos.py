"""``git cto chaos``: break things on scratch repositories, and see whether the promises hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitcto.cli.options import json_option, pass_app
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from gitcto.cli.app import App


@click.command()
@click.option(
    "--scenario",
    "names",
    metavar="NAME",
    multiple=True,
    help="Play only this one, or a .toml file of yours; may be given several times.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Draws the moments of the faults, and whom they hit.",
)
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Leave the scratch repositories in DIR, which must not exist.",
)
@json_option
@pass_app
def chaos(app: App, *, names: tuple[str, ...], seed: int, keep: Path | None, as_json: bool) -> int:
    """Kill, freeze, fill up and mislead real runs on scratch repositories, and check the promises.

    Touches no repository of yours; takes minutes. Exit 1 when a scenario did not end as it must, or
    one that was named cannot be played here. How long recovery took is reported and judged by
    nobody: it depends on the machine.
    """
    from gitcto.testing.chaos import report, suite
    from gitcto.testing.chaos.scenario import find

    order = suite.Order(
        scenarios=find(names),
        seed=seed,
        temporary=Path(app.host.temporary),
        environ=app.host.environ,
        keep=None if keep is None else _made(app.host.cwd / keep),
        told=lambda result: app.output.talk(report.line(result)),
    )
    found = suite.run(order)
    if as_json:
        app.output.json(found)
    else:
        app.output.data(report.markdown(found).rstrip("\n"))
    counts = found["counts"]
    broken = counts["failed"] or not counts["met"] or (names and counts["not run"])
    return ExitCode.REFUSED if broken else ExitCode.OK


def _made(place: Path) -> Path:
    try:
        place.mkdir(parents=True)
    except FileExistsError as error:
        raise CtoError(
            f"{place} exists already",
            "remove it, or name another place with `--keep`",
            ExitCode.USAGE,
        ) from error
    return place
