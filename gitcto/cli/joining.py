"""Joining a team that other clones run, through the remote that policy names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.policy.records import Policy
    from gitcto.store.shared import Shared


def join(app: App, policy: Policy, team: str) -> Shared | None:
    """Bring a team's ledger up to the remote's, or give the remote what this clone has.

    Without ``[remote] ledger`` the team is this clone's own from now on. Raises ``CtoError`` when
    the remote cannot be reached or the ledger forked.
    """
    from gitcto.git.remotes import Remote
    from gitcto.store.shared import Shared, leave

    name = policy.remote.name if policy.remote.ledger else ""
    leave(app.repository, team, but=name)
    if not name:
        return None
    shared = Shared(Remote(app.repository, name, app.host.environ), team, app.effects)
    shared.sync()
    return shared


def join_missing(app: App, wanted: str | None) -> None:
    """Join the teams of policy's remote when this clone does not have the one that is meant."""
    existing = app.teams()
    if wanted in existing or (wanted is None and existing) or not app.policy_path.exists():
        return
    from gitcto.git.remotes import Remote
    from gitcto.store.shared import teams_at

    policy = app.policy()
    if not policy.remote.ledger:
        return
    remote = Remote(app.repository, policy.remote.name, app.host.environ)
    for team in teams_at(remote):
        if team not in existing and wanted in {None, team}:
            join(app, policy, team)
            app.output.talk(f"team {team} is run through {remote.name}; this clone has joined it")
