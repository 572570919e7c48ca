"""What a run is given, put together from the host, the policy and the plugins."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.model.records import MAX_WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.cli.app import App
    from gitcto.cli.host import Host
    from gitcto.git.repository import Repository
    from gitcto.policy.records import Policy
    from gitcto.runtime.host.context import Context
    from gitcto.runtime.team.run import RunRequest


def rooms_root(host: Host, repository: Repository) -> Path:
    """Return where the rooms of a repository's workers lie: outside it, in the user's state.

    ``$XDG_STATE_HOME/git-cto`` or ``~/.local/state/git-cto`` when the repository is first used; one
    folder per repository. Raises ``CtoError`` when that place cannot be used any more.
    """
    from gitcto.runtime.host.layout import settled_root

    stated = host.environ.get("XDG_STATE_HOME", "")
    if Path(stated).is_absolute():
        state = Path(stated)
    else:
        state = Path(host.home or host.temporary) / ".local" / "state"
    common = repository.common_dir
    name = common.parent.name if common.name == ".git" else common.stem
    digest = hashlib.sha256(os.fsencode(common)).hexdigest()[:12]
    return settled_root(repository, state / "git-cto" / "rooms" / f"{name}-{digest}")


def run_request(
    app: App, team: str, max_workers: int = MAX_WORKERS, engines: tuple[str, ...] = ()
) -> RunRequest:
    """Return the request to run ``team``. Raises ``CtoError`` (exit 4) for a wrong policy.

    ``engines`` are the gated ones that a person asks for. Raises ``CtoError`` (exit 2) for one that
    no plugin provides.
    """
    for engine in engines:
        if engine not in app.plugins.providers():
            raise CtoError(
                f"no plugin provides the engine {engine!r}",
                "`git cto plugins` lists what is installed",
                ExitCode.USAGE,
            )
    return replace(_request(app, team, app.policy(), max_workers), engines=engines)


@contextmanager
def run_context(app: App, team: str) -> Iterator[Context]:
    """Open what a run of ``team`` works with, beside a run that may be alive."""
    from gitcto.runtime.host.layout import Layout
    from gitcto.runtime.team.run import make_context

    request = run_request(app, team)
    context = make_context(request, Layout(request.repository, team, request.rooms_root))
    with context.ledger:
        yield context


def ending_request(app: App, team: str) -> RunRequest:
    """Return the request to end or clear away what ``team`` began, by its :func:`known_policy`."""
    return _request(app, team, known_policy(app, team), MAX_WORKERS)


def known_policy(app: App, team: str) -> Policy:
    """Return the policy of the file, or the one that ``team`` adopted last, which is said.

    What was begun can be seen and ended though policy.toml was broken since. Raises ``CtoError``
    (exit 4) when the adopted one cannot be had either.
    """
    try:
        return app.policy()
    except CtoError as broken:
        policy = _adopted(app, team, broken)
        problem = broken.message.splitlines()[0]
        app.output.warn(f"{problem}; going by the policy that team {team} adopted last")
        return policy


def policy_at_hand(app: App, team: str) -> Policy:
    """Return the same, without a word about it: for what only looks. Raises ``CtoError``."""
    try:
        return app.policy()
    except CtoError as broken:
        return _adopted(app, team, broken)


def _adopted(app: App, team: str, broken: CtoError) -> Policy:
    from gitcto.git.objects import Objects
    from gitcto.runtime.proving.adopted import adopted_policy

    with app.reader(team) as reader:
        known = reader.view().team
        digest = known.policy if known else ""
        policy = adopted_policy(Objects(app.repository), reader, digest) if digest else ""
    if isinstance(policy, str):
        raise broken
    return policy


def _request(app: App, team: str, policy: Policy, max_workers: int) -> RunRequest:
    from gitcto.runtime.team.run import RunRequest

    return RunRequest(
        repository=app.repository,
        team=team,
        policy=policy,
        plugins=app.plugins,
        effects=app.effects,
        rooms_root=rooms_root(app.host, app.repository),
        environ=app.host.environ,
        actor=app.host.actor,
        max_workers=max_workers,
    )
