"""``git cto demo``: a scratch project, a plan of seven tasks, and a team of scripted workers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitcto.cli.app import DEFAULT_TEAM
from gitcto.cli.options import pass_app
from gitcto.cli.scratch import git_in, scratch_environment
from gitcto.errors import CtoError, ExitCode
from gitcto.model.records import TaskState

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.cli.host import Host

_COMMANDS = (("init",), ("plan", "import", "plan.toml"), ("run",))


@click.command()
@click.option(
    "--directory",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("git-cto-demo"),
    show_default=True,
    help="Where to make it; must not exist.",
)
@pass_app
def demo(app: App, *, directory: Path) -> int:
    """Run a team on a scratch project: no network, no key, nothing outside DIR.

    Three tasks run at once, one fails its tests at first, one only claims to have worked and two
    edit the same place. DIR/result.json says how it ended, for an independent check.
    """
    place = app.host.cwd / directory
    _make_place(place)
    host = app.host._replace(
        directory=str(place / "shop"), environ=scratch_environment(app.host.environ, place)
    )
    _make_project(host, place / "shop")
    code = _work(app, host)
    _write_result(app, host, place / "result.json")
    if code == ExitCode.OK:
        app.output.hint(f"look around in {directory}/shop; remove it all with `rm -r {directory}`")
    return code


def _make_place(place: Path) -> None:
    try:
        place.mkdir(parents=True)
    except FileExistsError as error:
        raise CtoError(
            f"{place} exists already",
            "remove it, or name another place with `--directory`",
            ExitCode.USAGE,
        ) from error


def _make_project(host: Host, top: Path) -> None:
    from gitcto.cli.demo_project import FILES, plan, policy

    generated = {"plan.toml": plan(), "policy.toml": policy(host.executable)}
    for name, text in {**FILES, **generated}.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git_in(host, "init", "--quiet", "--initial-branch=main")
    git_in(host, "add", "--all")
    git_in(host, "commit", "--quiet", "--message=A shop with bugs")


def _work(app: App, host: Host) -> int:
    from gitcto.cli.boundary import run

    for arguments in _COMMANDS:
        app.output.talk(f"\n$ git cto {' '.join(arguments)}")
        code = run(arguments, host)
        if code:
            return code
    return ExitCode.OK


def _write_result(app: App, host: Host, path: Path) -> None:
    inner = type(app)(host)
    with inner.reader(DEFAULT_TEAM) as reader:
        tasks = reader.tasks()
        team = reader.view().team
    table = [
        {"task": task.spec.id, "state": task.state.value, "commit": task.commit} for task in tasks
    ]
    result = {
        "version": 1,
        "repository": Path(host.directory).name,
        "branch": team.target.removeprefix("refs/heads/") if team else "",
        "done": all(task.state is TaskState.DONE for task in tasks),
        "table": table,
    }
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
