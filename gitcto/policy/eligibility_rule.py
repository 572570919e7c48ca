"""Which provider may do one step of an execution, and why the others may not. Pure.

Everything a rule reads is a recorded fact, so that the choice can be made again. What a provider
says (a descriptor, a probe, a report, the words of an agent) is no fact that allows anything: it
is looked at by the core, and what allows comes from policy and from what persons recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Literal, NamedTuple

from gitcto.policy.facts import Action, BadFactError, Ruling, count, fact
from gitcto.policy.gates import required_gates
from gitcto.policy.records import Policy
from gitcto.policy.stages import Stage, stages
from gitcto.policy.table import shown

NEEDS = (
    *("team", "task", "tier", "execution", "epoch", "role", "strategy", "step", "part"),
    *("asked", "edits", "engines", "wrote"),
)
"""The facts that the rule is applied to, beside those of the providers and policy's own."""

PROVIDER = "provider."
"""What the facts of one provider begin with."""

DENIED = "denied."
"""What the keys of the providers that may not begin with, where policy adds why."""

_FREE = "fake"
"""The plugin that runs no program but git-cto's own."""
_PLAIN = "command"
"""The plugin whose programs policy names: they are admitted where policy says ``all``."""

CIRCUIT = "core.circuit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What is known of one provider of policy.

    ``plugin`` runs it, ``shipped`` is whether that is part of git-cto, ``gated`` whether it is a
    gated engine; ``unavailable`` why it cannot work on this machine. ``backend`` is the hash of
    what would be executed, ``admitted`` the hash that was admitted under ``admission``, for the
    ``mode`` ``read`` or ``edit``; ``boundary`` is what of this repository that admission rules out.
    ``stage`` is the recorded one. ``circuit`` says why it must rest, ``avoid`` why the strategy
    wants another one.
    """

    plugin: str = ""
    shipped: bool = False
    gated: bool = False
    unavailable: str = ""
    backend: str = ""
    admission: str = ""
    admitted: str = ""
    mode: Literal["read", "edit"] = "edit"
    boundary: str = ""
    stage: str = ""
    circuit: str = ""
    avoid: str = ""


class Denial(NamedTuple):
    """Why a provider may not: the rule's path, the reason, and what a person can do."""

    rule: str
    reason: str
    remedy: str


def as_fact(candidate: Candidate) -> str:
    """Return what is known of a provider as one fact; what is usual is left out."""
    usual = Candidate()
    said = {k: v for k, v in asdict(candidate).items() if v != getattr(usual, k)}
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def from_fact(facts: Mapping[str, str], name: str) -> Candidate:
    """Return what is recorded of a provider. Raises :class:`BadFactError`."""
    text = fact(facts, f"{PROVIDER}{name}")
    try:
        said = json.loads(text)
        candidate = Candidate(**said)
    except (ValueError, TypeError) as error:
        raise BadFactError(f"{PROVIDER}{name} is {shown(text)}") from error
    usual = Candidate()
    for field in fields(Candidate):
        if type(getattr(candidate, field.name)) is not type(getattr(usual, field.name)):
            raise BadFactError(f"{PROVIDER}{name} has a wrong {field.name}")
    return candidate


def derived(policy: Policy, facts: Mapping[str, str]) -> dict[str, str]:
    """Return what policy adds: class, risk, gates, and the choice with everything denied."""
    tier = fact(facts, "tier")
    names = _names(policy, facts)
    denied = {name: denial for name in names if (denial := _denial(policy, facts, name))}
    chosen = next((name for name in names if name not in denied), "")
    said = {key.removeprefix(DENIED) for key in facts if key.startswith(DENIED)}
    if said - denied.keys():
        raise BadFactError(f"{shown(min(said - denied.keys()))} is not denied")
    return {
        "class": policy.eligibility.repository,
        "risk": tier,
        "gates": ",".join(required_gates(policy, tier)),
        "mutation": _mutation(facts) if chosen else "none",
        "candidates": ",".join(names),
        "selected": chosen,
        **{f"{DENIED}{name}": denial.reason for name, denial in denied.items()},
        "escalation": "; ".join(dict.fromkeys(each.remedy for each in denied.values())),
    }


def rule(policy: Policy, facts: Mapping[str, str]) -> Ruling:
    """Say who may do the step, or that nobody may."""
    role = fact(facts, "role")
    count(facts, "epoch")
    if role not in policy.roles:
        return Ruling(f"roles.{role}", f"policy has no role {shown(role)}")
    path = f"roles.{role}.providers"
    names = _names(policy, facts)
    if not names:
        reason = (
            f"role {fact(facts, 'part')} has no provider, and none has earned to be the default"
        )
        return Ruling(path, reason)
    first: Denial | None = None
    for name in names:
        denial = _denial(policy, facts, name)
        if denial is None:
            passed = f", before it {names.index(name)} denied" if names.index(name) else ""
            return Ruling(path, f"{name} may{passed}", allowed=True)
        first = first or denial._replace(reason=f"{name}: {denial.reason}")
    if first is None:
        raise BadFactError("no provider was looked at")
    more = f" (and {len(names) - 1} more denied)" if len(names) > 1 else ""
    return Ruling(first.rule, f"{first.reason}{more}")


def waits(policy: Policy, facts: Mapping[str, str]) -> bool:
    """Tell whether nothing but an open circuit keeps some provider from the step."""
    denials = (_denial(policy, facts, name) for name in _names(policy, facts))
    return any(denial is not None and denial.rule == CIRCUIT for denial in denials)


def stage_of(candidate: Candidate) -> Stage | None:
    """Return the stage a provider is at; None for one that is not staged.

    A stage that is not known counts as none recorded: where its plugin begins.
    """
    if candidate.shipped and candidate.plugin in stages().unstaged:
        return None
    begins = stages().beginning(candidate.plugin, shipped=candidate.shipped)
    return stages().named(candidate.stage) or begins


def _names(policy: Policy, facts: Mapping[str, str]) -> tuple[str, ...]:
    """Return the providers that are looked at, in order: those asked for, or the defaults.

    Where policy binds a part of a strategy to providers, nobody else can be asked for.
    """
    asked = _listed(facts, "asked")
    settings = policy.strategies.get(fact(facts, "strategy"))
    bound = settings.providers.get(fact(facts, "part")) if settings else None
    if bound is not None and asked != bound:
        raise BadFactError(f"policy binds this part to {', '.join(bound)}")
    if asked:
        return asked
    known = [name for name in policy.providers if f"{PROVIDER}{name}" in facts]
    return tuple(n for n in known if stage_of(from_fact(facts, n)) == stages().last)


def _mutation(facts: Mapping[str, str]) -> str:
    return "edit" if _flag(facts, "edits") else "read"


def _flag(facts: Mapping[str, str], key: str) -> bool:
    text = fact(facts, key)
    if text not in {"yes", "no"}:
        raise BadFactError(f"{key} is {shown(text)}, neither yes nor no")
    return text == "yes"


def _denial(policy: Policy, facts: Mapping[str, str], name: str) -> Denial | None:
    candidate = from_fact(facts, name)
    settings = policy.providers.get(name)
    if settings is None or settings.plugin != candidate.plugin:
        plugin = settings.plugin if settings else name
        reason = f"no plugin provides {shown(plugin)}"
        return Denial(f"providers.{name}.plugin", reason, f"install a plugin for {name}")
    for writer in _listed(facts, "wrote"):
        if agent_of(policy, writer) != agent_of(policy, name):
            continue
        other = "" if writer == name else f" under the name of {writer}"
        reason = f"it wrote what would be judged{other}"
        return Denial("core.independence", reason, f"give role {facts['part']} another provider")
    checks = (
        *_by_name(policy, facts, candidate),
        *_admission(policy, facts, name, candidate),
        *_stage(policy, name, candidate),
        *_rest(name, candidate),
    )
    return next(iter(checks), None)


def agent_of(policy: Policy, name: str) -> str:
    """Return the first name that policy has for an agent: a second one makes no other of it.

    The fake agent is another one under each name: what it plays is up to who names it.
    """
    settings = policy.providers.get(name)
    if settings is None or settings.plugin == _FREE:
        return name
    return next(each for each, known in policy.providers.items() if known == settings)


def _listed(facts: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(filter(None, fact(facts, key).split(",")))


def _by_name(policy: Policy, facts: Mapping[str, str], candidate: Candidate) -> Iterator[Denial]:
    """Yield why what is used only by name is not: both keys must turn."""
    stage = stage_of(candidate)
    if not candidate.gated and (stage is None or not stage.by_name):
        return
    what = "a gated engine" if candidate.gated else "not proved yet"
    if candidate.plugin not in policy.eligibility.engines:
        remedy = f'allow it: [engines] allowed = ["{candidate.plugin}"] in policy.toml'
        yield Denial("engines.allowed", f"it is {what}, and policy does not allow it", remedy)
    if candidate.plugin not in _listed(facts, "engines"):
        remedy = f"ask for it: `git cto run --engine {candidate.plugin}`"
        yield Denial("core.engine", f"it is {what}, and nobody asked for it by name", remedy)


def _admission(
    policy: Policy, facts: Mapping[str, str], name: str, candidate: Candidate
) -> Iterator[Denial]:
    """Yield why its program was not admitted to do this here."""
    if candidate.unavailable:
        remedy = f"make {name} work on this machine (`git cto doctor`)"
        yield Denial(f"providers.{name}", candidate.unavailable, remedy)
    admit = f"`git cto provider admit {name}`"
    if needs_admission(policy, candidate):
        if not candidate.backend:
            reason = "its plugin does not say what it executes, so nothing can be admitted"
            yield Denial("core.admission", reason, f"use another provider than {name}")
        elif not candidate.admission:
            reason = "its program is not admitted"
            yield Denial("core.admission", reason, f"look at it and admit it: {admit}")
        elif candidate.admitted != candidate.backend:
            reason = f"its program is not the one that was admitted as {candidate.admission}"
            yield Denial("core.admission", reason, f"see what changed, then {admit}")
    if candidate.boundary:
        reason = f"its admission keeps it from this repository: {candidate.boundary}"
        yield Denial("core.boundary", reason, f"use another provider than {name}")
    if candidate.admission and candidate.mode == "read" and _flag(facts, "edits"):
        reason = "it is admitted to read, and this step edits"
        yield Denial("core.admission.mode", reason, f"admit it to edit: {admit} --mode edit")


def needs_admission(policy: Policy, candidate: Candidate) -> bool:
    """Tell whether a person must have admitted what a provider executes."""
    if candidate.shipped and candidate.plugin == _FREE:
        return False
    if candidate.shipped and candidate.plugin == _PLAIN:
        return policy.eligibility.admission == "all"
    return True


def _stage(policy: Policy, name: str, candidate: Candidate) -> Iterator[Denial]:
    """Yield why it has not earned to work in such a repository."""
    stage, kind = stage_of(candidate), policy.eligibility.repository
    if stage is not None and kind not in stage.repositories:
        reason = f"at stage {stage.name} it may not work in a repository of class {kind}"
        remedy = f"prove it first: `git cto provider stage show {name}`"
        yield Denial("core.stage", reason, remedy)


def _rest(name: str, candidate: Candidate) -> Iterator[Denial]:
    if candidate.avoid:
        remedy = f"see what is wrong with {name}, then `git cto retry`"
        yield Denial("core.fallback", candidate.avoid, remedy)
    if candidate.circuit:
        yield Denial(CIRCUIT, candidate.circuit, "wait, or mend it and `git cto resume`")


ACTION = Action("task", NEEDS, rule, derived)
"""Eligibility among the actions of :mod:`gitcto.policy.decisions`."""
