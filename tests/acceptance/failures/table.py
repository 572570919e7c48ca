"""The table of failures, as it stands in ``docs/reference/failures.md``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tests.acceptance.failures.scenarios import SCENARIOS, Outcome, Scenario

BEGIN = "<!-- Written by `scripts/failure-matrix` from real runs. -->\n"
END = "<!-- The end of what `scripts/failure-matrix` wrote. -->\n"

HEAD = ("failure", "what is made to happen", "reason", "events", "report", "exit", "task", "counts")


def expected() -> dict[str, Outcome]:
    """Return what each scenario must come to."""
    return {each.name: each.expected for each in SCENARIOS}


def markdown(outcomes: Mapping[str, Outcome]) -> str:
    """Return the table, a row for each scenario in their order."""
    lines = [_line(HEAD), "|" + "---|" * len(HEAD)]
    lines += [row(each, outcomes[each.name]) for each in SCENARIOS]
    return "\n".join(lines) + "\n"


def row(scenario: Scenario, outcome: Outcome) -> str:
    """Return one scenario's row."""
    return _line(
        (
            scenario.name,
            scenario.cause,
            f"`{outcome.reason}`" if outcome.reason else "none",
            " ".join(f"`{kind}`" for kind in outcome.events),
            outcome.report,
            str(outcome.exit_code),
            f"`{outcome.state}`",
            "yes" if outcome.charged else "no",
        )
    )


def between_marks(page: str) -> str:
    """Return the table that stands in a page. Raises ``ValueError`` when there is none."""
    _, found, rest = page.partition(BEGIN)
    table, end, _ = rest.partition(END)
    if not found or not end:
        raise ValueError("the page has no table of failures")
    return table.strip("\n") + "\n"


def rewritten(page: str, table: str) -> str:
    """Return a page with another table in the place of its own."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
