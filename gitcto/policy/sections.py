"""The sections of a policy file: their keys, defaults and bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar, get_args

from gitcto.model.records import MAX_WORKERS, Tier
from gitcto.model.step_records import SINGLE_WORKER
from gitcto.policy import landing_sections, names
from gitcto.policy.eligibility_settings import EligibilitySettings
from gitcto.policy.records import (
    ContextSettings,
    GateSettings,
    Limits,
    PlanSettings,
    ProviderSettings,
    Role,
    RoomSettings,
    SandboxSettings,
    Setup,
    TierApproval,
)
from gitcto.policy.table import Table, shown

DEFAULT_TARGET = "cto/{team}/integration"

DEFAULT_PROTECTED = (
    "policy.toml",
    ".gitattributes",
    ".gitmodules",
    ".githooks/**",
    ".husky/**",
    ".pre-commit-config.yaml",
    "lefthook.yml",
)
"""What no task may change unless policy says otherwise: the rules, and what git would run."""

TIERS: tuple[str, ...] = get_args(Tier)

MAX_POOL = 6
"""Most warm trees of a repository."""

_DAY = 24 * 3600
_MUCH = 1 << 24
_Value = TypeVar("_Value")


def concurrency(table: Table) -> tuple[int, int]:
    """Return the most live workers of a team, and the seconds a lease lasts without renewal."""
    workers = table.whole("max_workers", 4, range(1, MAX_WORKERS + 1))
    lease_s = table.whole("lease_s", 300, range(10, _DAY + 1))
    table.close()
    return workers, lease_s


def limits(table: Table) -> Limits:
    """Read what one attempt may use."""
    read = Limits(
        wall_s=table.whole("wall_s", 3600, range(1, 7 * _DAY + 1)),
        idle_s=table.whole("idle_s", 900, range(1, 7 * _DAY + 1)),
        output_mib=table.whole("output_mib", 64, range(1, 1025)),
        output_lines=table.whole("output_lines", 1_000_000, range(100, 100_000_001)),
        memory_mib=table.whole("memory_mib", 8192, range(64, _MUCH)),
        processes=table.whole("processes", 1000, range(4, 100_001)),
        file_mib=table.whole("file_mib", 4096, range(1, _MUCH)),
        disk_mib=table.whole("disk_mib", 16384, range(1, _MUCH)),
    )
    table.close()
    return read


def context(table: Table) -> ContextSettings:
    """Read how much a worker is told; a task's own prompt always has room."""
    read = ContextSettings(
        budget_tokens=table.whole("budget_tokens", 60_000, range(20_000, 10_000_001)),
        compact_at=table.whole("compact_at", 80, range(10, 101)),
    )
    table.close()
    return read


def rooms(table: Table) -> RoomSettings:
    """Read how workers' rooms are made and kept."""
    read = RoomSettings(
        plugin=table.text("plugin", "clone", names.name),
        pool=table.whole("pool", MAX_POOL, range(MAX_POOL + 1)),
        sparse=table.flag("sparse", default=False),
        ports=table.whole("ports", 10, range(1, 101)),
        finish=table.texts("finish", (), names.command_word),
        setup=_setup(table.table("setup")),
        disk_mib=table.whole("disk_mib", 65536, range(1, _MUCH)),
        free_mib=table.whole("free_mib", 512, range(_MUCH)),
        max_age_days=table.whole("max_age_days", 7, range(1, 3651)),
        preserve_ignored=table.texts("preserve_ignored", (), names.pattern),
    )
    table.close()
    return read


def _setup(table: Table) -> Setup:
    read = Setup(
        argv=table.texts("argv", (), names.command_word),
        keyed_by=table.texts("keyed_by", (), names.relative_path),
        keeps=table.texts("keeps", (), names.relative_path),
        deadline_s=table.whole("deadline_s", 900, range(1, _DAY + 1)),
    )
    if read.argv and bool(read.keyed_by) != bool(read.keeps):
        table.report('"keyed_by" and "keeps" belong together: what is kept, and for which files')
    table.close()
    return read


def sandbox(table: Table) -> SandboxSettings:
    """Read how workers are kept in their rooms."""
    use = table.texts("use", ("strict",), names.name)
    if not use and not table.lacks("use"):
        table.report('"use" must name at least one; "none" is one, if that is what you want', "use")
    read = SandboxSettings(
        use=use,
        network=table.texts("network", (), names.host_and_port),
        reads=table.texts("reads", (), names.readable_path),
        outside=table.text("outside", "tell", names.tell_or_refuse),
    )
    table.close()
    return read


def scope(table: Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the globs no task may change, and those a task without ``paths`` may."""
    protected = table.texts("protected", DEFAULT_PROTECTED, names.pattern)
    allowed = table.texts("allowed", ("**",), names.pattern)
    table.close()
    return protected, allowed


def roles(table: Table, default_workspace: str) -> Mapping[str, Role]:
    """Read who does the tasks of each role."""

    def role(name: str, one: Table) -> Role:
        del name
        provider = one.text("provider", "", names.name)
        several = one.texts("providers", (), names.name)
        if provider and several:
            one.report('"provider" is the short form of "providers": give one of them', "provider")
        if not several and not one.lacks("providers"):
            one.report('"providers" must name at least one, or not be there', "providers")
        room = one.text("workspace", default_workspace, names.name)
        strategy = one.text("strategy", SINGLE_WORKER, names.name)
        one.close()
        who = several or ((provider,) if provider else ())
        return Role(providers=who, workspace=room, strategy=strategy)

    return _named(table, role)


def providers(table: Table) -> Mapping[str, ProviderSettings]:
    """Read the configured providers; keys that are not ours belong to the plugin."""
    return _named(
        table,
        lambda name, one: ProviderSettings(
            plugin=one.text("plugin", name, names.name), settings=one.settings()
        ),
    )


def eligibility(repository: Table, engines: Table, admission: Table) -> EligibilitySettings:
    """Read which providers may work here."""
    read = EligibilitySettings(
        repository=repository.text("class", "owned", names.repository_class),
        engines=engines.texts("allowed", (), names.name),
        admission=admission.text("required", "backends", names.admission),
    )
    for table in (repository, engines, admission):
        table.close()
    return read


def gates(table: Table) -> Mapping[str, GateSettings]:
    """Read the configured gates; keys that are not ours belong to the plugin."""

    def gate(name: str, one: Table) -> GateSettings:
        plugin = one.text("plugin", name, names.name)
        deadline_s = one.whole("deadline_s", 0, range(1, _DAY + 1))
        return GateSettings(
            plugin=plugin,
            deadline_s=deadline_s or None,
            toolchain=one.texts("toolchain", (), names.command_word),
            env=one.texts("env", (), names.variable),
            settings=one.settings(),
        )

    return _named(table, gate)


def tiers(
    table: Table,
) -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, str], Mapping[str, TierApproval]]:
    """Return which gates each tier demands, the weakest level of isolation, and whose approval.

    A tier that is not there demands the impossible.
    """
    gates: dict[str, tuple[str, ...]] = {}
    levels: dict[str, str] = {}
    persons: dict[str, TierApproval] = {}
    for tier in TIERS:
        one = table.table(tier)
        gates[tier] = one.texts("gates", (), names.name)
        levels[tier] = one.text("sandbox", "none", names.isolation)
        persons[tier] = landing_sections.approval(one.table("approval"))
        one.close()
    table.close()
    return MappingProxyType(gates), MappingProxyType(levels), landing_sections.approvals(persons)


def plans(table: Table) -> PlanSettings:
    """Read what becomes of plans that agents draft."""
    read = PlanSettings(
        approve_drafts=table.text("approve_drafts", "ask", names.asking),
        max_tasks=table.whole("max_tasks", 50, range(1, 1001)),
    )
    table.close()
    return read


def merge(table: Table) -> tuple[str, ...]:
    """Read which merge resolvers are asked, in order."""
    resolvers = table.texts("resolvers", ("git-merge",), names.name)
    if not resolvers and not table.lacks("resolvers"):
        table.report('"resolvers" must name at least one', "resolvers")
    table.close()
    return resolvers


def plugins(table: Table) -> Mapping[str, str]:
    """Read which plugins must load: a list of names, or a table of names and version ranges."""
    required = table.raw("required")
    read: dict[str, str] = {}
    if isinstance(required, dict):
        one = table.table("required")
        for name in _checked(one):
            read[name] = one.text(name, "", names.version_range)
    elif required is not None:
        read = dict.fromkeys(table.texts("required", (), names.name), "")
    table.close()
    return MappingProxyType(read)


def _named(table: Table, read: Callable[[str, Table], _Value]) -> Mapping[str, _Value]:
    return MappingProxyType({name: read(name, table.table(name)) for name in _checked(table)})


def _checked(table: Table) -> list[str]:
    good = []
    for name in table.names():
        complaint = names.name(name)
        if complaint:
            table.report(f"{shown(name)}: {complaint}", name)
        else:
            good.append(name)
    return good
