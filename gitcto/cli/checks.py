"""What ``doctor`` looks at. A check that cannot be made is a finding, never the end."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from gitcto.errors import CtoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitcto.cli.app import App

_MUCH_SPACE = 512 << 20
"""Bytes; with less, a run may fill the disk."""

_OWN_PREFIXES = ("ledger", "executions/", "preserved/")


class Finding(NamedTuple):
    """One thing looked at; ``hint`` says what to do, also about what is merely worth knowing."""

    subject: str
    fine: bool
    found: str
    hint: str = ""


def examine(app: App) -> list[Finding]:
    """Make every check. Raises ``CtoError`` only when there is no usable repository."""
    repository = app.repository
    kind = "bare" if repository.bare else "with a work tree"
    found = [Finding("repository", True, f"{repository.common_dir}, {kind}")]
    for check in (_space, _plugins, _policy, _sandbox, _providers, _sidecar, _refs):
        found += _made(check.__name__.strip("_"), check, app)
    from gitcto.cli.check_left import CHECKS

    for team in app.teams():
        for look in (_team, *CHECKS):
            found += _made(f"team {team}", partial(look, name=team), app)
    return found


def _made(subject: str, check: Callable[[App], Iterator[Finding]], app: App) -> list[Finding]:
    made: list[Finding] = []
    try:
        made.extend(check(app))
    except CtoError as error:
        made.append(Finding(subject, False, error.message.splitlines()[0], error.hint))
    except OSError as error:
        made.append(Finding(subject, False, f"cannot look: {error}", "see to its permissions"))
    return made


def _space(app: App) -> Iterator[Finding]:
    free = shutil.disk_usage(app.repository.common_dir).free
    hint = "" if free >= _MUCH_SPACE else "make room before the next run"
    yield Finding("space", free >= _MUCH_SPACE, f"{free >> 20} MiB free", hint)


def _plugins(app: App) -> Iterator[Finding]:
    rows = app.silent_plugins().report()
    broken = [row for row in rows if row.status == "failed"]
    yield Finding("plugins", not broken, f"{len(rows) - len(broken)} of {len(rows)} are active")
    for row in broken:
        yield Finding(
            f"plugin {row.name}", False, row.reason, f"look with `git cto plugins check {row.name}`"
        )


def _policy(app: App) -> Iterator[Finding]:
    from gitcto.runtime.team.run import require_named_plugins

    policy = app.policy()
    plugins = app.silent_plugins()
    plugins.require(policy.required_plugins)
    require_named_plugins(plugins, policy)
    yield Finding("policy", True, f"valid, digest {policy.digest[:12]}")
    for tier in sorted(policy.tiers):
        if not policy.tiers[tier]:
            yield Finding(
                f"tier {tier}",
                True,
                "has no gate, so nothing of it can land",
                f"name its gates in policy.toml, [tiers.{tier}]",
            )


def _sandbox(app: App) -> Iterator[Finding]:
    """Put the sandboxes of policy to the test, as a run would."""
    import tempfile
    from pathlib import Path

    from gitcto.runtime.host.probing import choose_sandbox

    settings = app.policy().sandbox
    with tempfile.TemporaryDirectory(prefix="git-cto-", dir=app.host.temporary) as place:
        chosen, failed = choose_sandbox(
            app.silent_plugins(), settings.use, Path(place), app.host.environ
        )
    stopped = sum(1 for result in chosen.probe.values() if result == "stopped")
    found = f"{chosen.sandbox.name} holds, {stopped} of {len(chosen.probe)} attacks stopped"
    yield Finding("sandbox", True, found)
    for reason in failed:
        yield Finding("sandbox", True, reason, "runs take a weaker one, as policy allows")


def _providers(app: App) -> Iterator[Finding]:
    from gitcto.plugins import Crashed, TimedOut, call_contained

    plugins, environ = app.silent_plugins(), app.host.environ
    for name, settings in app.policy().providers.items():
        registered = plugins.providers().get(settings.plugin)
        if registered is None:  # the check of the policy says so
            continue
        worker = plugins.instantiate(registered)
        probe = call_contained(
            registered, worker, "probe", settings.settings, environ, deadline_s=30
        )
        if isinstance(probe, Crashed | TimedOut):
            yield Finding(f"provider {name}", False, probe.reason, probe.error().hint)
        else:
            found = probe.version or ("ready" if probe.available else "cannot start here")
            yield Finding(f"provider {name}", probe.available, found, probe.hint)


def _sidecar(app: App) -> Iterator[Finding]:
    from gitcto.store.sidecar import quarantined

    aside = quarantined(app.repository)
    place = app.repository.cto_dir / "quarantine"
    hint = (
        f"it was built again from the ledger; delete {place} when you have looked" if aside else ""
    )
    found = f"{len(aside)} damaged ones were put aside" if aside else "none was ever damaged"
    yield Finding("sidecar", True, found, hint)


def _refs(app: App) -> Iterator[Finding]:
    from gitcto.git.refs import Refs

    teams = [f"refs/cto/teams/{team}/" for team in app.teams()]
    strange = [
        name
        for name in Refs(app.repository).list("refs/cto/")
        if not any(
            name.startswith(team) and name[len(team) :].startswith(_OWN_PREFIXES) for team in teams
        )
    ]
    if strange:
        hint = f"nothing reads them; look with `git show {strange[0]}`"
        yield Finding("refs/cto", True, f"{len(strange)} refs are not ours: {strange[0]}", hint)
    else:
        yield Finding("refs/cto", True, "holds nothing that is not ours")


def _team(app: App, name: str) -> Iterator[Finding]:
    from gitcto.cli.status import known_team
    from gitcto.git.refs import Refs

    subject = f"team {name}"
    with app.ledger(name) as ledger:
        problems = ledger.verify_chain()
        hint = "fetch refs/cto/* from a clone that has the true ledger" if problems else ""
        whole = "its ledger's chain is whole"
        yield Finding(subject, not problems, "; ".join(problems[:3]) or whole, hint)
        team = known_team(ledger)
        alarms = ledger.count("security.outside")
    if alarms:
        times = "1 time" if alarms == 1 else f"{alarms} times"
        found = f"{times} something changed outside a worker's room while it ran"
        yield Finding(subject, True, found, "`git cto log` says when, `git cto show TASK` what")
    if team.unknown:
        yield Finding(subject, False, f"{team.unknown} events are unknown here", "upgrade git-cto")
    where = Refs(app.repository).checked_out().get(team.target)
    if where is not None:
        branch = team.target.removeprefix("refs/heads/")
        hint = "switch that worktree to another branch"
        yield Finding(subject, False, f"{branch} is checked out in {where}", hint)
