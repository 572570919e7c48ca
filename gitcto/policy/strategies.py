"""Reading strategies: those of a policy file, and those in files of plugins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from gitcto.model.agent_records import FAULT_KINDS
from gitcto.policy import names
from gitcto.policy.document import document, refuse_all
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
    """What policy says of one strategy: who fills its roles, and the whole of it if it is policy's.

    ``providers`` maps a role to the providers that may fill it, the first choice first.
    """

    providers: Mapping[str, tuple[str, ...]]
    own: Strategy | None


def parse_strategy(text: bytes, name: str, where: str) -> Strategy:
    """Read a strategy's file. Raises :class:`PolicyError` with every problem found in it."""
    findings: list[Finding] = []
    root = Table(document(text, where), (), findings)
    strategy = _strategy(root, name)
    root.close()
    refuse_all(text, where, findings)
    return strategy


def strategies(table: Table) -> Mapping[str, StrategySettings]:
    """Read the section ``[strategies]``: bindings of roles, and strategies of policy's own."""
    found = {}
    for name in table.names():
        one = table.table(name)
        complaint = names.name(name)
        if complaint:
            table.report(f"{shown(name)}: {complaint}", name)
        providers = _providers(one.table("providers"))
        defines = any(key != "providers" for key in one.names())
        own = _strategy(one, name) if defines else None
        if own is not None:
            _bound(one.table("providers"), own)
        one.close()
        found[name] = StrategySettings(providers=providers, own=own)
    return MappingProxyType(found)


def _bound(table: Table, own: Strategy) -> None:
    roles = tuple(dict.fromkeys(step.role for step in own.steps))
    for role in table.names():
        if role not in roles:
            table.report(f"no step has the role {shown(role)}{suggestion(role, roles)}", role)


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
            provider=one.text("provider", "", names.name_or_none),
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
