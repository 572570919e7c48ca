"""What a person or a program reads: data goes to stdout, talk to stderr.

Text that comes from a repository, a plan or a worker is shown with control characters escaped, so
that nothing recorded in a ledger can steer somebody's terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gitcto.cli.host import Host

JSON_VERSION = 1
"""``"version"`` of every ``--json`` object; it grows only when something is taken away."""

ColorChoice = Literal["auto", "always", "never"]


def visible(text: str) -> str:
    """Return ``text`` with everything escaped that is not printable, such as ESC or a newline."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def width(text: str) -> int:
    """Return the number of terminal cells that ``text`` takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 1 + (east_asian_width(char) in "WF") for char in text)


def shorten(text: str, cells: int) -> str:
    """Return ``text`` cut to ``cells`` terminal cells, with an ellipsis where it was cut."""
    if width(text) <= cells:
        return text
    kept = text
    while kept and width(kept) > cells - 1:
        kept = kept[:-1]
    return f"{kept}…"


class Output:
    """Writes for one command. ``color`` decides for both streams; colour never carries meaning."""

    def __init__(self, host: Host, color: ColorChoice = "auto") -> None:
        self._host = host
        wanted = not host.environ.get("NO_COLOR") if color == "auto" else color == "always"
        self.color_out = wanted and (color == "always" or host.stdout_tty)
        self.color_err = wanted and (color == "always" or host.stderr_tty)

    def data(self, text: str = "") -> None:
        """Write one line of data to stdout, as it is."""
        click.echo(text, color=self.color_out)

    def raw(self, content: bytes) -> None:
        """Write bytes to stdout, without adding anything."""
        click.echo(content, nl=False)

    def json(self, payload: Mapping[str, object]) -> None:
        """Write one JSON object, with its ``version``, as one line on stdout."""
        import json

        click.echo(json.dumps({"version": JSON_VERSION, **payload}))

    def talk(self, text: str) -> None:
        """Tell the person something on stderr."""
        click.echo(text, err=True, color=self.color_err)

    def warn(self, text: str) -> None:
        """Warn on stderr."""
        self.talk(f"{self.paint('warning:', 'yellow', err=True)} {text}")

    def hint(self, text: str) -> None:
        """Say how to go on, or how to take back what was done."""
        self.talk(f"{self.paint('hint:', 'cyan', err=True)} {text}")

    def error(self, message: str, hint: str) -> None:
        """Report trouble: what happened, and what to do about it."""
        first, *more = message.splitlines() or [""]
        self.talk(f"{self.paint('error:', 'red', err=True)} {visible(first)}")
        for line in more:
            self.talk(f"  {visible(line)}")
        if hint:
            self.hint(visible(hint))

    def paint(self, text: str, color: str, *, err: bool = False) -> str:
        """Return ``text`` coloured when that stream shows colours."""
        return click.style(text, fg=color) if (self.color_err if err else self.color_out) else text

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write rows in aligned columns; on a terminal the last column is cut to fit.

        Colour is kept out of cells: alignment must be the same in a pipe.
        """
        lines = [list(header), *([visible(cell) for cell in row] for row in rows)]
        widths = [max(width(line[i]) for line in lines) for i in range(len(header))]
        for line in lines:
            self.data(self._aligned(line, widths))

    def _aligned(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        *first, last = cells
        padded = [
            cell + " " * (size - width(cell)) for cell, size in zip(first, widths, strict=False)
        ]
        left = "  ".join([*padded, ""])
        if self._host.stdout_tty:
            last = shorten(last, max(self._host.columns - width(left), 8))
        return f"{left}{last}".rstrip()
