"""Reading strategies: those of a policy file, and those in files of plugins."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from gitcto.model.agent_records import FAULT_KINDS
from gitcto.policy import names
from gitcto.policy.document import document, refuse_all
from gitcto.policy.records import Policy
from gitcto.policy.table import Finding, Table, shown, suggestion
from gitcto.strategies.check import complaints
from gitcto.strategies.records import (
    ACTIONS,
    COMBINES,
    DEFAULT,
    NO_VERDICT,
    SEATS,
    STEP_KINDS,
    WHATS,
    Action,
    Source,
    Strategy,
    StrategyRole,
    StrategyStep,
)

MAX_PROMPT = 8_000
"""Longest words to a role, in characters."""

MAX_ROUNDS = 9
_SUMMARY = 100
_RETRY = re.compile(r"retry(?: ([1-9]))?\Z")
_CLASSES = (DEFAULT, NO_VERDICT, *FAULT_KINDS)
_SOURCE = re.compile(r"(patch|findings|notes):([a-z0-9][a-z0-9_-]{0,39})\Z")
_Text = TypeVar("_Text", bound=str)
_Failures = Mapping[str, tuple[Action, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategySettings:
    """What policy says of one strategy, and the whole of it if it is policy's own.

    ``providers`` maps a role to the providers that may fill it, the first choice first;
    ``prompts`` maps one to what it is told instead of the strategy's own words.
    """

    providers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    own: Strategy | None = None

    def over(self, strategy: Strategy) -> Strategy:
        """Return a strategy as policy wants it."""
        roles = {
            role: StrategyRole(
                providers=self.providers.get(role, given.providers),
                prompt=self.prompts.get(role, given.prompt),
            )
            for role, given in strategy.filled.items()
        }
        return replace(strategy, roles=MappingProxyType(roles))

    def strangers(self, strategy: Strategy) -> tuple[str, ...]:
        """Return the roles that policy speaks of and the strategy does not have."""
        named = dict.fromkeys((*self.providers, *self.prompts))
        return tuple(role for role in named if role not in strategy.filled)


def parse_strategy(text: bytes, name: str, where: str) -> Strategy:
    """Read a strategy's file. Raises :class:`PolicyError` with every problem found in it."""
    findings: list[Finding] = []
    root = Table(document(text, where), (), findings)
    strategy = _strategy(root, name)
    root.close()
    refuse_all(text, where, findings)
    return replace(strategy, file=hashlib.sha256(text).hexdigest())


def strategies(table: Table) -> Mapping[str, StrategySettings]:
    """Read the section ``[strategies]``: bindings of roles, and strategies of policy's own."""
    found = {}
    for name in table.names():
        one = table.table(name)
        complaint = names.name(name)
        if complaint:
            table.report(f"{shown(name)}: {complaint}", name)
        found[name] = settings = StrategySettings(
            providers=_providers(one.table("providers")),
            prompts=_prompts(one.table("prompts")),
            own=_strategy(one, name) if set(one.names()) - {"providers", "prompts"} else None,
        )
        if settings.own is not None:
            roles = tuple(settings.own.filled)
            for role in settings.strangers(settings.own):
                one.report(f"no step has the role {shown(role)}{suggestion(role, roles)}")
        one.close()
    return MappingProxyType(found)


def candidates(
    policy: Policy, strategy: Strategy, role: str, own: Sequence[str]
) -> tuple[str, ...]:
    """Return who may fill a role, the first choice first.

    Those that policy binds to it, else those that the strategy suggests and policy configures, and
    then ``own``, the providers of the task's own role.
    """
    settings = policy.strategies.get(strategy.name)
    if settings is not None and role in settings.providers:
        return settings.providers[role]
    suggested = strategy.filled[role].providers
    known = (each for each in suggested if each in policy.providers)
    return tuple(dict.fromkeys((*known, *own)))


def _prompts(table: Table) -> Mapping[str, str]:
    return MappingProxyType({role: table.text(role, "", _prompt) for role in table.names()})


def _providers(table: Table) -> Mapping[str, tuple[str, ...]]:
    bound: dict[str, tuple[str, ...]] = {}
    for role in table.names():
        if isinstance(table.raw(role), list):
            bound[role] = table.texts(role, (), names.name)
        else:
            bound[role] = (table.text(role, "", names.name),)
        if not bound[role]:
            table.report(f"{shown(role)} must name at least one provider", role)
    return MappingProxyType(bound)


def _strategy(table: Table, name: str) -> Strategy:
    failures = _failures(table.table("failures"), {})
    summary = table.text("summary", "", _summary)
    if table.lacks("summary"):
        table.report('"summary" is missing: say in one line what it is for')
    strategy = Strategy(
        name=name,
        summary=summary,
        roles=_roles(table.table("roles")),
        steps=_steps(table, failures),
        combine=_word(table, "combine", "all", COMBINES),
        rounds=table.whole("rounds", 1, range(1, MAX_ROUNDS + 1)),
    )
    if not table.findings:
        for found in complaints(strategy):
            place = _step_table(table, found.place) if found.place >= 0 else table
            place.report(found.message, found.key)
    return strategy


def _roles(table: Table) -> Mapping[str, StrategyRole]:
    roles = {}
    for role in table.names():
        one = table.table(role)
        roles[role] = StrategyRole(
            providers=one.texts("providers", (), names.name),
            prompt=one.text("prompt", "", _prompt),
        )
        one.close()
    return MappingProxyType(roles)


def _steps(table: Table, failures: _Failures) -> tuple[StrategyStep, ...]:
    raw = table.raw("step")
    if raw is None:
        return ()
    if not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw):
        table.report('write each step as a table "[[step]]"', "step")
        return ()
    return tuple(_step(_step_table(table, n), failures) for n in range(len(raw)))


def _step_table(table: Table, place: int) -> Table:
    raw = table.raw("step")
    values = raw[place] if isinstance(raw, list) else {}
    return Table(values, (*table.path, "step", str(place)), table.findings)


def _step(one: Table, failures: _Failures) -> StrategyStep:
    for key in ("name", "role", "kind"):
        if one.lacks(key):
            one.report(f'"{key}" is missing')
    kind = _word(one, "kind", "write", STEP_KINDS)
    judges = kind in ("review", "adjudicate")
    inherited = {key: each for key, each in failures.items() if judges or key != NO_VERDICT}
    step = StrategyStep(
        name=one.text("name", "", names.name),
        role=one.text("role", "", names.name),
        kind=kind,
        seat=_word(one, "seat", "", SEATS),
        group=one.text("group", "", names.name_or_none),
        reads=tuple(map(_source, one.texts("reads", ("task",), _reading))),
        failures=_failures(one.table("failures"), inherited),
    )
    one.close()
    return step


def _failures(table: Table, inherited: _Failures) -> _Failures:
    read: dict[str, tuple[Action, ...]] = dict(inherited)
    for failure in table.names():
        if failure not in _CLASSES:
            near = suggestion(failure, _CLASSES) or f": they are {', '.join(_CLASSES)}"
            table.report(f"unknown class of failure {shown(failure)}{near}", failure)
            continue
        steps: list[Action] = []
        for word in table.texts(failure, (), _action):
            steps.extend(_actions(word))
        read[failure] = tuple(steps)
    return MappingProxyType(read)


def _actions(word: str) -> list[Action]:
    retries = _RETRY.match(word)
    if retries:
        return ["retry"] * int(retries[1] or 1)
    return [action for action in ACTIONS if action == word]


def _action(word: str) -> str:
    if word in ACTIONS or _RETRY.match(word):
        return ""
    return f'give "retry", "retry 2" to "retry 9", {", ".join(shown(a) for a in ACTIONS[1:])}'


def _reading(word: str) -> str:
    if word == "task" or _SOURCE.match(word):
        return ""
    return 'give "task", "patch:SEAT", "findings:STEP" or "notes:STEP"'


def _source(word: str) -> Source:
    first, _, of = word.partition(":")
    return Source(next(what for what in WHATS if what == first), of)


def _word(table: Table, key: str, default: _Text, known: tuple[_Text, ...]) -> _Text:
    def check(text: str) -> str:
        near = suggestion(text, known) or f": {', '.join(known)}"
        return "" if text in known else f"{shown(text)} is none of them{near}"

    text = table.text(key, default, check)
    return next((word for word in known if word == text), default)


def _summary(text: str) -> str:
    fine = text.isprintable() and text.strip() and len(text) <= _SUMMARY
    return "" if fine else f"give one printable line of at most {_SUMMARY} characters"


def _prompt(text: str) -> str:
    fine = all(char.isprintable() or char in "\n\t" for char in text)
    return "" if fine and len(text) <= MAX_PROMPT else f"give text of at most {MAX_PROMPT} letters"
