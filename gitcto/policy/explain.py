"""A policy in words, for ``git cto policy show``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from gitcto.model.records import MAX_WORKERS
from gitcto.policy.budget_settings import SCOPES, shown_amount
from gitcto.policy.records import Policy, Setting, TierApproval


def explain(policy: Policy) -> tuple[str, ...]:
    """Return what a policy means, defaults included, as lines of plain text."""
    return tuple(_lines(policy))


def _lines(policy: Policy) -> Iterator[str]:
    limits, retries = policy.limits, policy.retries
    yield f"digest   {policy.digest}"
    yield f"target   {policy.target_template}"
    yield f"workers  {policy.max_workers} at once (the program's own cap is {MAX_WORKERS})"
    yield f"lease    {policy.lease_s} s"
    yield (
        f"attempt  at most {limits.wall_s} s, {limits.idle_s} s without sign of life,"
        f" {limits.output_mib} MiB and {limits.output_lines} lines of output"
    )
    yield (
        f"         at most {limits.memory_mib} MiB of memory, {limits.processes} processes,"
        f" {limits.file_mib} MiB a file, {limits.disk_mib} MiB on disk"
    )
    yield from _rooms(policy)
    late = "judged" if retries.adopt_late else "only kept"
    context = policy.context
    yield (
        f"context  at most {context.budget_tokens} tokens of four bytes,"
        f" compacted above {context.compact_at} %"
    )
    yield f"retries  {retries.max_attempts} attempts, {retries.conflict} more for conflicts"
    yield f"         work that comes after its lease is {late} when nothing newer exists"
    yield (
        f"         {retries.faults_per_task} faults of providers a task, {retries.faults_per_run} a"
        f" run; {retries.backoff_s} s after the first, up to {retries.backoff_max_s} s"
    )
    yield from _budgets(policy)
    yield f"merge    {', then '.join(policy.merge_resolvers)}"
    yield f"may      {_listed(policy.default_paths)} unless the task names its paths"
    yield f"never    {_listed(policy.protected_paths)}"
    for plugin, versions in policy.required_plugins.items():
        yield f"needs    plugin {plugin} {versions}".rstrip()
    yield from _roles(policy)
    yield from _strategies(policy)
    yield from _gates(policy)
    yield from _tiers(policy)
    yield from _mail(policy)
    yield from _elsewhere(policy)


def _budgets(policy: Policy) -> Iterator[str]:
    for scope in SCOPES:
        limits = (each for each in policy.budgets.limits if each.scope == scope)
        said = [shown_amount(each.unit, each.most) for each in limits]
        if said:
            yield f"budget   {scope}: {', '.join(said)}"
    if policy.budgets.units:
        yield f"         a provider that does not report it: {policy.budgets.unknown_usage}"


def _rooms(policy: Policy) -> Iterator[str]:
    sandbox, rooms = policy.sandbox, policy.rooms
    yield f"sandbox  {', else '.join(sandbox.use)}; a change outside: {sandbox.outside}"
    yield f"network  {', '.join(sandbox.network) or 'none'}"
    if sandbox.reads:
        yield f"reads    {', '.join(sandbox.reads)}"
    sparse = ", only a task's own paths" if rooms.sparse else ""
    yield (
        f"rooms    {rooms.plugin}, {rooms.pool} kept warm{sparse}, {rooms.ports} ports each;"
        f" at most {rooms.disk_mib} MiB in all, {rooms.free_mib} MiB stay free"
    )
    for what, argv in (("setup", rooms.setup.argv), ("finish", rooms.finish)):
        if argv:
            yield f"{what:8} {json.dumps(argv)}"


def _roles(policy: Policy) -> Iterator[str]:
    if not policy.roles:
        yield "role     none: no task can be given to a worker"
    for name, role in policy.roles.items():
        who = ", ".join(role.providers) or "any that has earned to be the default"
        yield (
            f"role     {name}: provider {who}; workspace {role.workspace}, strategy {role.strategy}"
        )
    for name, provider in policy.providers.items():
        yield f"provider {name}: plugin {provider.plugin}{_settings(provider.settings)}"
    rules = policy.eligibility
    yield (
        f"repo     of class {rules.repository}; gated engines allowed:"
        f" {', '.join(rules.engines) or 'none'}; {rules.admission} must be admitted"
    )


def _strategies(policy: Policy) -> Iterator[str]:
    for name, settings in policy.strategies.items():
        filled = (f"{role} by {', else '.join(who)}" for role, who in settings.providers.items())
        own = "policy's own" if settings.own else ""
        words = (f"own words for {role}" for role in settings.prompts)
        yield f"strategy {name}: {'; '.join(filter(None, (own, *filled, *words)))}"
    plans = policy.plans
    who = "policy itself" if plans.approve_drafts == "auto" else "a person"
    yield f"plans    {who} approves of those that agents draft, of {plans.max_tasks} tasks at most"


def _gates(policy: Policy) -> Iterator[str]:
    for name, gate in policy.gates.items():
        deadline = f"{gate.deadline_s} s" if gate.deadline_s else "the plugin's deadline"
        given = f", given {', '.join(gate.env)}" if gate.env else ""
        tools = f", tools {json.dumps(gate.toolchain)}" if gate.toolchain else ""
        settings = _settings(gate.settings)
        yield f"gate     {name}: plugin {gate.plugin}, {deadline}{given}{tools}{settings}"
    for one in policy.quarantine:
        yield f"ignored  {json.dumps(one.test)} until {one.expires}: {one.owner} mends it"


def _tiers(policy: Policy) -> Iterator[str]:
    for tier, gates in policy.tiers.items():
        level = policy.tier_levels[tier]
        least = "" if level == "none" else f"; isolation {level} at least"
        least += _approval(policy.approvals.get(tier))
        yield f"tier     {tier}: {', '.join(gates) or 'no gates, so everything is refused'}{least}"


def _approval(asks: TierApproval | None) -> str:
    if asks is None:
        return ""
    who = f" of {', '.join(asks.approvers)}" if asks.approvers else ""
    return f"; {asks.count} approvals{who} within {asks.expires_h} h"


def _mail(policy: Policy) -> Iterator[str]:
    mail = policy.mail
    urgent = ", which may stop other workers" if mail.interrupts_by_workers else ""
    yield (
        f"mail     {mail.max_tries} tries, {mail.backoff_s} s after the first;"
        f" {mail.per_task} messages from the workers of a task{urgent}"
    )


def _elsewhere(policy: Policy) -> Iterator[str]:
    remote, pulls = policy.remote, policy.pull_requests
    yield f"push     {f'to {remote.name}' if remote.name else 'nowhere'} after each landing"
    if pulls.integration:
        yield f"pulls    opened by {pulls.integration}, into {pulls.base}"


def _listed(patterns: tuple[str, ...]) -> str:
    return ", ".join(patterns) or "nothing"


def _settings(settings: Mapping[str, Setting]) -> str:
    """Show a plugin's settings; JSON escapes whatever a terminal would obey."""
    return "".join(f", {json.dumps(key)[1:-1]} = {json.dumps(v)}" for key, v in settings.items())
