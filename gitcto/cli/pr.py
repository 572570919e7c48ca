"""``git cto pr``: the text of a landed task's pull request, and opening it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from gitcto.cli.options import pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.model.records import Task
    from gitcto.store.reader import LedgerReader


@click.command()
@click.argument("task")
@click.option("--body", metavar="FILE", help="Write the text to FILE; `-` is standard output.")
@click.option("--open", "wanted", is_flag=True, help="Open it with the integration of policy.")
@team_option
@pass_app
def pr(app: App, task: str, *, body: str | None, wanted: bool, team: str | None) -> None:
    """Write the pull request of TASK, which has landed, as Markdown; or open it, once.

    Opening it again, also after a kill, finds the one that is there.
    """
    with app.reader(team) as reader:
        written = _written(app, reader, task)
    if body is not None or not wanted:
        _deliver(app, written.text, body or "-")
    if wanted:
        _open(app, written)


class _Written(NamedTuple):
    team: str
    task: Task
    text: str


def _written(app: App, reader: LedgerReader, task_id: str) -> _Written:
    from gitcto.runtime.delivery.pull_request_body import gather, render
    from gitcto.runtime.delivery.pull_requests import pull_request_key

    task = app.task(reader, task_id)
    execution = reader.view().execution(task.execution) if task.commit else None
    if execution is None:
        raise CtoError(
            f"{task_id} has not landed: it is {task.state.value}",
            f"`git cto show {visible(task_id)}` says how it stands",
        )
    landed = gather(app.repository, reader, task, execution)
    return _Written(reader.team, task, render(landed, pull_request_key(reader, task)))


def _deliver(app: App, text: str, where: str) -> None:
    if where == "-":
        app.output.raw(text.encode("utf-8", "replace"))
        return
    path = app.host.cwd / where
    try:
        with path.open("x", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        raise CtoError(
            f"cannot write {where}: {error.strerror}",
            "name a file that does not exist, in a directory that you may write",
            ExitCode.USAGE,
        ) from error
    app.output.data(visible(f"Wrote {where}"))
    app.output.hint(f"delete it when you do not need it: `rm {visible(where)}`")


def _open(app: App, written: _Written) -> None:
    from gitcto.cli.requests import run_context
    from gitcto.runtime.delivery.pull_requests import HEADS, open_pull_request

    with run_context(app, written.team) as context:
        url = open_pull_request(context, written.task, written.text)
        remote = context.policy.remote.name
    app.output.data(visible(url))
    head = f"{HEADS}{written.task.spec.id}"
    app.output.hint(visible(f"close it there; its branch goes with `git push {remote} :{head}`"))
