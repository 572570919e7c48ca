"""Which section of a file speaks about which ticket."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitcto_markdown_plan.source import dedented

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitcto_markdown_plan.source import Line

MAX_SECTION = 80_000
"""Characters quoted of one section: above what a prompt may have, so that the core refuses it."""
MAX_QUOTED = 32 * 1024 * 1024
"""Characters of all sections in all prompts, as one section may speak about many tickets."""
_QUOTE = 500
"""What quoting costs besides its characters."""

_REFERENCE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_RANGE = re.compile(r"[`*_]{0,3}[ \t]*(?:to|through|\.\.|[-\u2013\u2014])[ \t]*[`*_]{0,3}\Z")


def sections_of(lines: Sequence[Line], ids: Sequence[str]) -> dict[str, str] | None:
    """Return the text below each heading that names a ticket, up to the next such heading.

    A heading ``A-1 to A-4`` speaks about every ticket from the first to the last, in table order.
    None when more would have to be quoted than any real plan does.
    """
    places = {ticket: place for place, ticket in enumerate(ids)}
    found: dict[str, list[str]] = {}
    about: list[str] = []
    level, block = 0, list[str]()
    budget = MAX_QUOTED
    for line in [*lines, None]:
        heading = line.heading if line else (0, "")
        named = _named(heading[1], ids, places) if heading else []
        if heading and (named or heading[0] <= level):
            text = dedented(block)[:MAX_SECTION]
            budget -= (len(text) + _QUOTE) * len(about)
            if budget < 0:
                return None
            for ticket in about if text else ():
                found.setdefault(ticket, []).append(text)
            about, level, block = named, heading[0] if named else 0, []
        elif line and about:
            block.append(line.text)
    return {ticket: "\n\n".join(texts)[:MAX_SECTION] for ticket, texts in found.items()}


def _named(heading: str, ids: Sequence[str], places: dict[str, int]) -> list[str]:
    matches = [match for match in _REFERENCE.finditer(heading) if match[0] in places]
    named = [match[0] for match in matches]
    if len(matches) == 2 and _RANGE.match(heading[matches[0].end() : matches[1].start()]):  # noqa: PLR2004 (from and to)
        first, last = sorted(places[name] for name in named)
        return list(dict.fromkeys(ids[first : last + 1]))
    return list(dict.fromkeys(named))
