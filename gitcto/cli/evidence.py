"""``git cto evidence``: what proves that a task is done, and whether it still does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from gitcto.cli.app import App

_REPORT, _REPORT_DATA = "report.md", "report.json"


@click.group(
    cls=LazyGroup,
    rows=(
        Row("show", "Show a task's evidence.", f"{__name__}:show", "Ask"),
        Row("verify", "Check a task's evidence against git.", f"{__name__}:verify", "Ask"),
    ),
    context_settings={"help_option_names": HELP_NAMES},
)
def evidence() -> None:
    """Show or verify what proves a task."""


@click.command()
@click.argument("task")
@click.argument("file", required=False)
@team_option
@json_option
@pass_app
def show(app: App, task: str, file: str | None, *, team: str | None, as_json: bool) -> None:
    """Show the evidence of TASK's last attempt: its report and its files, or one FILE of it."""
    from gitcto.git.objects import Objects
    from gitcto.store import bundle

    tree = _tree(app, task, team)
    objects = Objects(app.repository)
    if file is not None:
        app.output.raw(bundle.read_file(objects, tree, file))
        return
    files = bundle.read(objects, tree)
    if as_json:
        sizes = {path: len(content) for path, content in sorted(files.items())}
        report = json.loads(files.get(_REPORT_DATA, b"null"))
        app.output.json({"task": task, "evidence": tree, "files": sizes, "report": report})
        return
    for line in files.get(_REPORT, b"").decode("utf-8", "replace").splitlines():
        app.output.data(visible(line))
    if _REPORT in files:
        app.output.data()
    app.output.table(("BYTES", "FILE"), [(str(len(files[path])), path) for path in sorted(files)])
    app.output.hint(f"one file: `git cto evidence show {task} FILE`")


def _tree(app: App, task: str, team: str | None) -> str:
    with app.reader(team) as reader:
        found = app.task(reader, task)
        attempts = reader.executions(task)
    cited = [found.evidence, *(each.evidence for each in reversed(attempts))]
    tree = next(filter(None, cited), "")
    if not tree:
        raise CtoError(
            f"there is no evidence of {task} yet: it is {found.state.value}",
            f"`git cto show {task}` says how it stands",
            ExitCode.REFUSED,
        )
    return tree


@click.command()
@click.argument("task")
@team_option
@json_option
@pass_app
def verify(app: App, task: str, *, team: str | None, as_json: bool) -> int:
    """Check that TASK is done as its evidence says, from git's objects alone.

    The ledger's chain and the bundle must be whole; the landed commit must be in the target, carry
    the task's trailers and hold the very tree that every gate passed; and the policy of that time
    must decide the same again. Exit 1 when something is not as recorded.
    """
    from gitcto.runtime.proof import prove

    with app.ledger(team) as ledger:
        proof = prove(ledger, app.task(ledger, task))
    bad = [claim for claim in proof if not claim.true]
    if as_json:
        listed = [{"claim": each.text, "true": each.true, "found": each.found} for each in proof]
        app.output.json({"task": task, "verified": not bad, "claims": listed})
    else:
        for each in proof:
            why = "" if each.true or not each.found else f": {visible(each.found)}"
            app.output.data(f"{'ok   ' if each.true else 'FALSE'} {each.text}{why}")
    if bad and not as_json:
        app.output.hint(f"`git cto show {task}` and `git cto log --task {task}` say what happened")
    return ExitCode.REFUSED if bad else ExitCode.OK
