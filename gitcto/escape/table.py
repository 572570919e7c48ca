"""The table of attacks, as it stands in ``docs/explanation/isolation.md``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import groupby

from gitcto.escape.catalogue import ATTACKS, Attack, Outcome
from gitcto.escape.suite import Result
from gitcto.model.isolation import Level

LEVELS: tuple[Level, ...] = ("none", "detect", "landlock", "strict")
"""The columns; ``seatbelt`` promises what ``landlock`` does, and has been measured by nobody."""

BEGIN = "<!-- Written by `make isolation` from a run of the suite. -->\n"
END = "<!-- The end of what `make isolation` wrote. -->\n"

NEWEST_ABI = 6
"""The version of Landlock from which all that is promised here holds."""

Outcomes = Mapping[str, Outcome]
"""What came of each attack at one level, by the attack's name."""


def expected() -> dict[Level, Outcomes]:
    """Return what the code expects of each level on a kernel that is not too old."""
    return {
        level: {each.name: each.expected(level, NEWEST_ABI) for each in ATTACKS} for level in LEVELS
    }


def measured(results: list[Result]) -> Outcomes:
    """Return what came of each attack; one that means nothing on this machine is left as expected.

    Raises ``ValueError`` for a result that nothing was expected of.
    """
    found: dict[str, Outcome] = {}
    for each in results:
        if each.outcome != "skipped":
            found[each.attack.name] = each.outcome
        elif each.expected is not None:
            found[each.attack.name] = each.expected
        else:
            raise ValueError(f"nothing was expected of {each.attack.name}")
    return found


def markdown(outcomes: Mapping[Level, Outcomes]) -> str:
    """Return the table with a line of sums for each outcome."""
    head = " | ".join(f"`{level}`" for level in LEVELS)
    lines = [f"| attack | {head} |", "|---|" + "---|" * len(LEVELS)]
    for group, attacks in groupby(ATTACKS, key=lambda attack: attack.group):
        lines.append(f"| **{group}** |" + " |" * len(LEVELS))
        lines += [_row(attack, outcomes) for attack in attacks]
    for outcome in ("stopped", "noticed", "open"):
        sums = (Counter(outcomes[level].values())[outcome] for level in LEVELS)
        lines.append(f"| **{outcome}, of {len(ATTACKS)}** | " + " | ".join(map(str, sums)) + " |")
    return "\n".join(lines) + "\n"


def _row(attack: Attack, outcomes: Mapping[Level, Outcomes]) -> str:
    cells = (_shown(outcomes[level][attack.name]) for level in LEVELS)
    return f"| {attack.summary} | " + " | ".join(cells) + " |"


def _shown(outcome: Outcome) -> str:
    return f"**{outcome}**" if outcome == "open" else outcome


def between_marks(page: str) -> str:
    """Return the table that stands in a page. Raises ``ValueError`` when there is none."""
    _, found, rest = page.partition(BEGIN)
    table, end, _ = rest.partition(END)
    if not found or not end:
        raise ValueError("the page has no table of attacks")
    return table.strip("\n") + "\n"


def rewritten(page: str, table: str) -> str:
    """Return a page with another table in the place of its own."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"
