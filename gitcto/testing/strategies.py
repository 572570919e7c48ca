"""Strategies for tests, as a part of a policy: one that is reviewed, one with two writers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Step = dict[str, object]

WRITE: Step = {"name": "write", "role": "writer", "kind": "write", "seat": "main"}
WRITE_AGAIN: Step = WRITE | {"reads": ["task", "findings:review"]}
REVIEW: Step = {
    "name": "review",
    "role": "reviewer",
    "kind": "review",
    "reads": ["task", "patch:main"],
}
DUAL: tuple[Step, ...] = (
    WRITE | {"group": "write"},
    WRITE | {"name": "write_too", "seat": "second", "group": "write"},
    {
        "name": "choose",
        "role": "reviewer",
        "kind": "adjudicate",
        "reads": ["task", "patch:main", "patch:second"],
    },
)


def strategy_toml(
    name: str, steps: Iterable[Step], providers: Mapping[str, str] | None = None, rounds: int = 1
) -> str:
    """Return a strategy as TOML; ``providers`` are those of its roles."""
    lines = [f"[strategies.{name}]", f'summary = "{name}"', f"rounds = {rounds}"]
    for step in steps:
        lines += [f"[[strategies.{name}.step]]", *_pairs(step)]
    if providers:
        lines += [f"[strategies.{name}.providers]", *_pairs(providers)]
    return "\n".join((*lines, ""))


def _pairs(table: Mapping[str, object]) -> Iterable[str]:
    return (f"{key} = {_value(each)}" for key, each in table.items())


def _value(each: object) -> str:
    if isinstance(each, dict):
        return f"{{ {', '.join(_pairs(each))} }}"
    return json.dumps(each)
