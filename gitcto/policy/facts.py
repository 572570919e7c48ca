"""What a rule is applied to, and what it answers. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from gitcto.policy.records import Policy
from gitcto.policy.table import shown

_COUNT = re.compile(r"[0-9]{1,18}\Z")


class Ruling(NamedTuple):
    """What a rule says: its path, whether it allows, and why."""

    rule: str
    reason: str
    allowed: bool = False


class Action(NamedTuple):
    """Which fact names the resource, which must be there, the rule, and what policy adds."""

    resource: str
    needs: tuple[str, ...]
    rule: Callable[[Policy, Mapping[str, str]], Ruling]
    derive: Callable[[Policy, Mapping[str, str]], dict[str, str]]


class BadFactError(Exception):
    """A recorded input is missing or is not what it must be."""


def fact(facts: Mapping[str, str], key: str) -> str:
    """Return a fact. Raises :class:`BadFactError`."""
    if key not in facts:
        raise BadFactError(f"the inputs lack {key}")
    return facts[key]


def count(facts: Mapping[str, str], key: str) -> int:
    """Return a fact that is a count. Raises :class:`BadFactError`."""
    text = fact(facts, key)
    if not _COUNT.match(text):
        raise BadFactError(f"{key} is {shown(text)}, not a count")
    return int(text)
