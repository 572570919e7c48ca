"""Deciding and evolving what persons say about providers. Pure."""

from __future__ import annotations

from typing import get_args

from msgspec.structs import replace

from gitcto.model import provider_commands as cmd
from gitcto.model import provider_events as ev
from gitcto.model.commands import Refusal
from gitcto.model.provider_records import Admission, Comparison, Staged
from gitcto.model.records import Team

Answer = tuple[ev.ProviderEventBody, ...] | Refusal

PROVIDER_COMMANDS = get_args(cmd.ProviderCommand)
"""The types of the commands that :func:`decide_provider` answers."""

PROVIDER_EVENTS = get_args(ev.ProviderEventBody)
"""The types of the events that :func:`evolve_provider` folds."""

_RULE = "model.providers"


def decide_provider(team: Team, command: cmd.ProviderCommand) -> Answer:
    """Return the events of a command, or why it is refused."""
    match command:
        case cmd.AdmitProvider():
            return _admit(team, command.admission)
        case cmd.RevokeAdmission():
            return _revoke(team, command)
        case cmd.StageProvider():
            return _stage(team, command)
    compared = ev.ProviderCompared(
        provider=command.provider,
        comparison=command.comparison,
        plan=command.plan,
        results=command.results,
    )
    return (compared,)


def _admit(team: Team, admission: Admission) -> Answer:
    known = team.admissions.get(admission.provider)
    if known is not None:
        same = replace(admission, id=known.id, previous=known.previous)
        if same == known:
            return ()
        admission = replace(admission, previous=known.id)
    return (ev.ProviderAdmitted(admission=admission),)


def _revoke(team: Team, c: cmd.RevokeAdmission) -> Answer:
    known = team.admissions.get(c.provider)
    if known is None:
        return Refusal("not_admitted", _RULE, f"{c.provider} was never admitted")
    if known.revoked:
        return ()
    return (ev.AdmissionRevoked(provider=c.provider, admission=known.id, reason=c.reason),)


def _stage(team: Team, c: cmd.StageProvider) -> Answer:
    known = team.stages.get(c.provider)
    recorded = known.stage if known is not None and known.plugin == c.plugin else ""
    if recorded != c.recorded:
        detail = f"{c.provider} is at stage {recorded or 'none'} meanwhile, not {c.recorded}"
        return Refusal("stage_moved", _RULE, detail)
    if c.stage == c.former:
        return ()
    staged = ev.ProviderStaged(
        provider=c.provider,
        plugin=c.plugin,
        stage=c.stage,
        former=c.former,
        digest=c.digest,
        evidence=c.evidence,
        why=c.why,
    )
    return (staged,)


def evolve_provider(team: Team, event: ev.ProviderEventBody) -> tuple[Team, ...]:
    """Return the team that an event replaces."""
    match event:
        case ev.ProviderAdmitted():
            admissions = {**team.admissions, event.admission.provider: event.admission}
            return (replace(team, admissions=admissions),)
        case ev.AdmissionRevoked():
            known = team.admissions.get(event.provider)
            if known is None or known.id != event.admission:
                return ()
            revoked = replace(known, revoked=event.reason or "no reason given")
            return (replace(team, admissions={**team.admissions, event.provider: revoked}),)
        case ev.ProviderStaged():
            staged = Staged(
                plugin=event.plugin,
                stage=event.stage,
                digest=event.digest,
                evidence=event.evidence,
                why=event.why,
            )
            return (replace(team, stages={**team.stages, event.provider: staged}),)
    compared = Comparison(id=event.comparison, plan=event.plan, results=event.results)
    return (replace(team, comparisons={**team.comparisons, event.provider: compared}),)
