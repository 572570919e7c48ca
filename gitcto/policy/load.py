"""Read a policy file: strictly, and with every problem at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.policy import budget_sections, landing_sections, names, sections
from gitcto.policy.document import document, refuse_all
from gitcto.policy.problems import PolicyError, PolicyProblem
from gitcto.policy.records import SCOPE_PLUGIN, Policy
from gitcto.policy.table import Finding, Table, shown, suggestion

if TYPE_CHECKING:
    from gitcto.policy.strategies import StrategySettings

_ELIGIBILITY = ("repository", "engines", "admission")
"""The sections about which providers may work."""


def load(path: Path) -> Policy:
    """Read a policy file. Raises :class:`PolicyError` with every problem found in it."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        problem = PolicyProblem(str(path), 0, "there is no policy file here")
        raise PolicyError((problem,), "make one with `git cto init`") from None
    except OSError as error:
        problem = PolicyProblem(str(path), 0, f"cannot be read: {error.strerror}")
        raise PolicyError((problem,), "make the file readable for this user") from None
    return parse(text, path.name)


def parse(text: bytes, where: str) -> Policy:
    """Read a policy's bytes; ``where`` names them in messages. Raises :class:`PolicyError`."""
    findings: list[Finding] = []
    root = Table(document(text, where), (), findings)
    _version(root)
    policy = _policy(root, text)
    root.close()
    _references(policy, root)
    refuse_all(text, where, findings)
    return policy


def _version(root: Table) -> None:
    version = root.raw("version")
    if version is None:
        root.report('"version" is missing: begin the file with version = 1')
    elif isinstance(version, bool) or version != 1:
        root.report(f'"version" must be 1, not {shown(version)}', "version")


def _policy(root: Table, text: bytes) -> Policy:
    workers, lease_s = sections.concurrency(root.table("concurrency"))
    rooms = sections.rooms(root.table("workspace"))
    tiers, tier_levels, approvals = sections.tiers(root.table("tiers"))
    protected, allowed = sections.scope(root.table("scope"))
    remote = landing_sections.remote(root.table("remote"))
    capacity, predictor = landing_sections.queue(root.table("queue"))
    return Policy(
        digest=hashlib.sha256(text).hexdigest(),
        text=text,
        target_template=root.text("target", sections.DEFAULT_TARGET, names.target),
        max_workers=workers,
        lease_s=lease_s,
        limits=sections.limits(root.table("limits")),
        retries=budget_sections.retries(root.table("retries")),
        budgets=budget_sections.budgets(root.table("budgets")),
        rooms=rooms,
        context=sections.context(root.table("context")),
        sandbox=sections.sandbox(root.table("sandbox")),
        eligibility=sections.eligibility(*map(root.table, _ELIGIBILITY)),
        protected_paths=protected,
        default_paths=allowed,
        roles=sections.roles(root.table("roles"), rooms.plugin),
        providers=sections.providers(root.table("providers")),
        gates=sections.gates(root.table("gates")),
        tiers=tiers,
        tier_levels=tier_levels,
        approvals=approvals,
        queue_capacity=capacity,
        queue_predictor=predictor,
        quarantine=landing_sections.quarantine(root.table("quarantine")),
        mail=landing_sections.mail(root.table("mail")),
        remote=remote,
        pull_requests=landing_sections.pull_requests(root.table("pull_requests"), remote),
        signing_key=landing_sections.evidence(root.table("evidence")),
        merge_resolvers=sections.merge(root.table("merge")),
        required_plugins=sections.plugins(root.table("plugins")),
        strategies=_strategies(root.table("strategies")),
        plans=sections.plans(root.table("plans")),
    )


def _strategies(table: Table) -> Mapping[str, StrategySettings]:
    if not table.names():
        return {}
    from gitcto.policy.strategies import strategies  # most policies define none

    return strategies(table)


def _references(policy: Policy, root: Table) -> None:
    for role, settings in policy.roles.items():
        table = root.table("roles").table(role)
        key = "provider" if table.lacks("providers") else "providers"
        for provider in settings.providers:
            _known(table, key, provider, policy.providers)
    for name, strategy in policy.strategies.items():
        table = root.table("strategies").table(name).table("providers")
        for role, providers in strategy.providers.items():
            for provider in providers:
                _known(table, role, provider, policy.providers)
    for tier, gates in policy.tiers.items():
        for gate in gates:
            _known(root.table("tiers").table(tier), "gates", gate, policy.gates)
        plugins = {policy.gates[gate].plugin for gate in gates if gate in policy.gates}
        if gates and not root.lacks("scope") and SCOPE_PLUGIN not in plugins:
            message = f'nothing enforces this in tier {tier}: add a gate of plugin "{SCOPE_PLUGIN}"'
            root.table("scope").report(message)


def _known(table: Table, key: str, word: str, defined: Mapping[str, object]) -> None:
    if word and word not in defined:
        section = "gates" if key == "gates" else "providers"
        near = suggestion(word, tuple(defined)) or f": add a section [{section}.{word}]"
        table.report(f'"{key}" names {shown(word)}, which is not defined{near}', key)
