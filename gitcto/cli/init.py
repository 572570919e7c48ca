"""``git cto init``: a policy to decide by, and a team that lands on its own branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli.app import DEFAULT_TEAM, App
from gitcto.cli.options import pass_app
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.policy.records import Policy


@click.command()
@click.option(
    "--team", metavar="NAME", default=DEFAULT_TEAM, show_default=True, help="The team's name."
)
@pass_app
def init(app: App, team: str) -> None:
    """Make a team in this repository.

    Writes a commented policy.toml for the languages it sees when there is none, and begins the
    team's ledger in refs/cto. Your branches, index and checkout are not touched. Running it again
    makes the team decide by the policy as it is now. A team that the remote named in policy's
    [remote] knows is joined, where that section shares the ledger.
    """
    from gitcto.policy.load import parse

    _check_name(team)
    _check_repository(app)
    path = app.policy_path
    fresh = not path.exists()
    if fresh:
        text = _starter(app)
        policy = parse(text, path.name)
        _write_new(path, text)
    else:
        policy = app.policy()
    try:
        changed = _begin(app, team, policy)
    except BaseException:
        if fresh:  # without the team it would be half of what was asked for
            path.unlink()
        raise
    _say(app, team, policy, changed=changed, wrote=path if fresh else None)


def _check_name(team: str) -> None:
    from gitcto.model.ids import is_team_name

    if not is_team_name(team):
        raise CtoError(
            f"{team!r} cannot name a team",
            "use lower-case letters, digits and hyphens, 40 at most",
            ExitCode.USAGE,
        )


def _check_repository(app: App) -> None:
    from gitcto.git.refs import Refs

    if app.repository.work_tree is None:
        raise CtoError(
            "this repository is bare: there is no work tree for policy.toml",
            "run `git cto init` in a clone or in a linked worktree of it",
            ExitCode.GIT,
        )
    if Refs(app.repository).head()[1] is None:
        raise CtoError(
            "this repository has no commit yet, so there is nothing to work on",
            "make a first commit, then run `git cto init` again",
            ExitCode.GIT,
        )


def _starter(app: App) -> bytes:
    from gitcto.git.process import plumbing
    from gitcto.git.refs import Refs
    from gitcto.policy.starter import starter_policy

    git = plumbing(app.repository)
    _, commit = Refs(app.repository).head()
    listed = git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", str(commit)).out
    files = listed.decode("utf-8", "surrogateescape").split("\0")[:-1]

    def read(path: str) -> str | None:
        found = git.run("cat-file", "blob", f"{commit}:{path}", check=False)
        return None if found.code else found.out.decode("utf-8", "replace")

    return starter_policy(files, read).encode()


def _write_new(path: Path, text: bytes) -> None:
    with path.open("xb") as file:  # never over a file that appeared meanwhile
        file.write(text)


def _begin(app: App, team: str, policy: Policy) -> bool:
    from gitcto.cli.joining import join
    from gitcto.cli.record import record
    from gitcto.git.objects import Objects
    from gitcto.model.commands import AdoptPolicy, CreateTeam

    shared = join(app, policy, team)
    blob = Objects(app.repository).write_blob(policy.text)
    with app.new_ledger(team, shared) as ledger:
        made = not ledger.exists()
        if made:
            record(ledger, CreateTeam(team=team, target=policy.target(team)))
        adopted = record(ledger, AdoptPolicy(digest=policy.digest), {"policy.toml": blob})
    return made or bool(adopted.events)


def _say(app: App, team: str, policy: Policy, *, changed: bool, wrote: Path | None) -> None:
    out = app.output
    if wrote is not None:
        out.data(f"Wrote {wrote.name}: read it, then commit it")
    branch = policy.target(team).removeprefix("refs/heads/")
    if changed:
        out.data(f"Team {team} lands on branch {branch}, by policy {policy.digest[:12]}")
    else:
        out.data(f"Team {team} exists and decides by policy {policy.digest[:12]}: nothing to do")
    out.hint("go on with `git cto plan import FILE`")
