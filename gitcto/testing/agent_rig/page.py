"""The page about providers: what their kinds of agents can do, and what was verified. Pure."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from gitcto.descriptors import Abilities
from gitcto.testing.agent_rig.play import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitcto.descriptors import Provider

HEAD = """\
<!-- Written by `make providers` from runs of the real CLIs; edit the code instead. -->
# Providers

What each kind of agent can do, and what was verified of it: its CLI, installed from npm at the
version that is named, was run in a git worktree, in the `strict` sandbox, under the supervisor,
against a scripted model server on loopback. After every run it was looked whether a process, a
socket or a file outside the room was left; none was, where no problem is named.

What the faults mean stands in [failures](failures.md).

## What they can do

"""

_ABILITIES = {
    "send": "a message reaches it",
    "interrupt": "is interrupted by",
    "resumes": "goes on in a session",
    "usage": "counts",
    "answers": "held to a JSON schema",
    "tools": "takes MCP servers",
    "reads_only": "can be kept from editing",
    "streams": "can be watched",
}
_SAID = {True: "yes", False: "no", "in_place": "while it works", "resume": "in its next run"}


def figures(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return rows as they are kept in a file."""
    return [asdict(row) for row in rows]


def rows_of(kept: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the rows that a file keeps."""
    return [Row(**{**each, "problems": tuple(each["problems"])}) for each in kept]


def page(providers: Mapping[str, Provider], played: Mapping[str, list[Row]]) -> str:
    """Return the whole page, for the providers that were played."""
    names = sorted(played)
    columns = [providers[name].abilities for name in names]
    lines = [f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for field in fields(Abilities):
        told = (str(_said(getattr(each, field.name))) for each in columns)
        lines.append(f"| {_ABILITIES[field.name]} | {' | '.join(told)} |")
    tables = [_table(name, played[name]) for name in names]
    return HEAD + "\n".join(lines) + "\n\n" + "\n".join(tables)


def _said(value: object) -> object:
    return _SAID.get(value, value) if isinstance(value, bool | str) else value


def _table(name: str, rows: list[Row]) -> str:
    versions = ", ".join(sorted({row.version for row in rows}))
    lines = [f"## {name} {versions}", "", "| scenario | verified | ended as |", "|---|---|---|"]
    for row in rows:
        told = row.verified
        if row.different:
            told = f"differs: {row.different}"
        if row.problems:
            told = f"**does not hold**: {'; '.join(row.problems)}"
        lines.append(f"| {row.scenario} | {told} | {row.ended} |")
    return "\n".join(lines) + "\n"
