"""Markdown as lines: what is code or comment is told apart, and nothing else is interpreted."""

from __future__ import annotations

import re
from typing import NamedTuple

CHECKBOX = re.compile(
    r"(?P<indent>[ \t]*)(?:[-*+]|(?P<number>\d{1,9})[.)])[ \t]+"
    r"\[(?P<mark>[ xX~-])\][ \t]+(?P<text>\S.*)"
)
BULLET = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
MAX_TASKS = 10_000
_FENCE = re.compile(r"[ \t]*(?P<mark>`{3,}|~{3,})")
_MAX_TITLE = 200
_MARKS = 6
"""How many marks are taken from each side of a word: bold italic code and a bit."""
_WORD = re.compile(r"[a-z0-9]+")


class Line(NamedTuple):
    """A line of the file; ``code`` says that it is in a fenced block."""

    number: int
    text: str
    code: bool

    @property
    def indent(self) -> int:
        """Columns before the text; a tab counts four."""
        return width(self.text[: len(self.text) - len(self.text.lstrip())])

    @property
    def heading(self) -> tuple[int, str] | None:
        """The level and words of a heading, else None."""
        marks = self.text[:7]
        level = len(marks) - len(marks.lstrip("#"))
        if self.code or not 1 <= level <= 6 or self.text[level : level + 1] not in (" ", "\t", ""):  # noqa: PLR2004 (Markdown has six levels)
            return None
        return level, self.text[level:].strip().rstrip("#").strip()


def width(blank: str) -> int:
    """Return how many columns white space takes."""
    return len(blank.expandtabs(4))


def lines_of(text: str) -> list[Line]:
    """Return the lines of a text; HTML comments outside of code are blank."""
    lines: list[Line] = []
    fence = ""
    comment = False
    for number, raw in enumerate(text.split("\n"), 1):
        shown = raw.rstrip()
        mark = _FENCE.match(shown)
        if fence:
            lines.append(Line(number, shown, code=True))
            if mark and mark["mark"].startswith(fence) and mark.end() == len(shown):
                fence = ""
        elif mark and not comment:
            fence = mark["mark"]
            lines.append(Line(number, shown, code=True))
        else:
            shown, comment = _without_comments(shown, inside=comment)
            lines.append(Line(number, shown.rstrip(), code=False))
    return lines


def _without_comments(text: str, *, inside: bool) -> tuple[str, bool]:
    kept: list[str] = []
    position = 0
    while position < len(text):
        mark = "-->" if inside else "<!--"
        found = text.find(mark, position)
        end = len(text) if found < 0 else found
        if not inside:
            kept.append(text[position:end])
        if found < 0:
            break
        inside = not inside
        position = end + len(mark)
    return "".join(kept), inside


def title_of(text: str) -> str:
    """Return one line short enough for a title; the whole text belongs into the prompt."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_TITLE else f"{line[: _MAX_TITLE - 1].rstrip()}…"


def slug(text: str) -> str:
    """Return an id made of a text's first words, or an empty string when it has no such letters."""
    words = "-".join(_WORD.findall(text[:_MAX_TITLE].lower()))
    return words[:48].strip("-")


def dedented(block: list[str]) -> str:
    """Return lines without their common indentation and without blank lines around them."""
    filled = [line for line in block if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in filled), default=0)
    return "\n".join(line[margin:] for line in block).strip("\n")


def cleaned(text: str) -> str:
    """Return a table's cell or a word without the marks of code, emphasis and links around it."""
    text = text.strip()
    for _ in range(_MARKS):
        if len(text) > 1 and text[0] == text[-1] and text[0] in "`*_~":
            text = text[1:-1].strip()
    link = re.match(r"\[([^\[\]]{1,200})\]\([^()]{0,2000}\)\Z", text)
    return cleaned(link[1]) if link else text
