"""``git cto land``: bring what the team landed to a branch of yours, by fast-forward only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli.options import pass_app, team_option
from gitcto.cli.output import visible

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.runtime.delivery.land import Forwarded


@click.command()
@click.option("--branch", metavar="BRANCH", help="The branch to move; the current one by default.")
@team_option
@pass_app
def land(app: App, *, branch: str | None, team: str | None) -> None:
    """Fast-forward your branch, and a clean checkout of it, to what the team landed.

    It never merges, rebases or overwrites: a branch with commits of its own is left to you.
    """
    from gitcto.cli.status import known_team
    from gitcto.runtime.delivery.land import fast_forward

    with app.reader(team) as reader:
        target = known_team(reader).target
    moved = fast_forward(app.repository, target, branch, app.host.environ)
    name = visible(moved.branch)
    if moved.commits == 0:
        app.output.data(f"{name} has everything that landed already")
        return
    count = "1 commit" if moved.commits == 1 else f"{moved.commits} commits"
    app.output.data(f"{name} went {count} forward to {moved.new[:12]}")
    app.output.hint(f"undo with `{_undo(moved)}`")


def _undo(moved: Forwarded) -> str:
    import shlex

    if moved.worktree is None:
        ref = f"refs/heads/{moved.branch}"
        return visible(shlex.join(["git", "update-ref", ref, moved.old, moved.new]))
    where = str(moved.worktree)
    return visible(shlex.join(["git", "-C", where, "reset", "--keep", moved.old]))
