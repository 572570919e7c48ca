"""A click group over a table: ``-h`` shows every command without importing one of them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HELP_NAMES = ("-h", "--help")
"""``git cto --help`` never reaches us (git opens the man page), so ``-h`` works everywhere."""


class Row(NamedTuple):
    """One command: its name, one line of summary, ``module:attribute`` and its section in help."""

    name: str
    summary: str
    target: str
    section: str


def closest(name: str, names: Sequence[str]) -> str:
    """Return ``; did you mean …`` for a mistyped name, or nothing."""
    from difflib import get_close_matches

    found = get_close_matches(name, names, n=2)
    return f", did you mean {' or '.join(f'`{each}`' for each in found)}?" if found else ""


def load(target: str) -> click.Command:
    """Import the command that ``module:attribute`` names."""
    module, _, attribute = target.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    if not isinstance(command, click.Command):
        raise TypeError(f"{target} is no click command")
    return command


class LazyGroup(click.Group):
    """A group whose commands are rows of a table, imported when they run."""

    def __init__(self, *args: Any, rows: Sequence[Row] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rows = {row.name: row for row in rows}

    def rows(self, ctx: click.Context) -> Iterator[Row]:
        """Yield every command to list; a subclass may add some it has to look for."""
        del ctx
        yield from self._rows.values()

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the table."""
        return [row.name for row in self.rows(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        row = self._rows.get(cmd_name)
        return load(row.target) if row else super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command to run; a mistyped name is answered with the nearest ones."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing and not name.startswith("-"):
            guess = closest(name, self.list_commands(ctx))
            raise click.UsageError(f"there is no command {name!r}{guess}", ctx)
        if command is None:
            return super().resolve_command(ctx, args)
        return name, command, args[1:]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section, from the table alone."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for row in self.rows(ctx):
            sections.setdefault(row.section, []).append((row.name, row.summary))
        for title, entries in sections.items():
            with formatter.section(title):
                formatter.write_dl(entries)
