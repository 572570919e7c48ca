"""The staged proof gates of a provider, as ``stages.toml`` beside this file has them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

REPOSITORY_CLASSES = ("fixture", "copy", "disposable", "owned", "critical")
"""What a repository is worth: made up, a copy, a sandbox to throw away, one's own, or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What the next stage asks for: ``landed`` executions in repositories of a class, and so on.

    ``artifacts`` must be in the evidence of each, none of ``failure_modes`` may be the reason of a
    failed one; a comparison with the plugins ``compared_with`` must be recorded.
    """

    landed: int
    where: str
    artifacts: tuple[str, ...]
    validator: str
    failure_modes: tuple[str, ...]
    compared_with: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage: the classes of ``repositories`` that a provider may work in.

    At a stage ``by_name`` it works only where policy allows the engine and a person names it;
    ``promotion`` is None at the last one.
    """

    name: str
    repositories: tuple[str, ...]
    by_name: bool
    promotion: Promotion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """All stages in order, at which one a shipped plugin ``begins``, and what is not staged."""

    order: tuple[Stage, ...]
    begins: Mapping[str, str]
    unstaged: tuple[str, ...]

    def named(self, name: str) -> Stage | None:
        """Return a stage by name."""
        return next((stage for stage in self.order if stage.name == name), None)

    def beginning(self, plugin: str, *, shipped: bool) -> Stage:
        """Return where a plugin begins: strangers, and whatever stands in for ours, at the first.

        Nothing that a plugin says of itself counts; ``shipped`` is whether it is part of git-cto.
        """
        name = self.begins.get(plugin, "") if shipped else ""
        return self.named(name) or self.order[0]

    def after(self, stage: Stage) -> Stage | None:
        """Return the next stage."""
        place = self.order.index(stage) + 1
        return self.order[place] if place < len(self.order) else None

    def is_above(self, name: str, other: str) -> bool:
        """Tell whether one stage comes after another."""
        names = [stage.name for stage in self.order]
        return names.index(name) > names.index(other)

    @property
    def last(self) -> Stage:
        """The stage of a provider that a role need not name."""
        return self.order[-1]


@cache
def stages() -> Stages:
    """Read the stages."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    begins = {plugin: stage for stage, plugins in document["begins"].items() for plugin in plugins}
    return Stages(
        order=tuple(map(_stage, document["stage"])),
        begins=MappingProxyType(begins),
        unstaged=tuple(document["unstaged"]["plugins"]),
    )


def _stage(table: Mapping[str, Any]) -> Stage:
    asks = table.get("promotion")
    return Stage(
        name=table["name"],
        repositories=tuple(table["repositories"]),
        by_name=table["by_name"],
        promotion=None if asks is None else _promotion(asks),
    )


def _promotion(table: Mapping[str, Any]) -> Promotion:
    return Promotion(
        landed=table["landed"],
        where=table["in"],
        artifacts=tuple(table["artifacts"]),
        validator=table["validator"],
        failure_modes=tuple(table["failure_modes"]),
        compared_with=tuple(table["compared_with"]),
    )
