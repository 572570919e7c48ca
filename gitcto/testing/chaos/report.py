"""A chaos report for people: Markdown that also reads well in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

HEAD = (
    "scenario",
    "verdict",
    "faults",
    "recovery, median",
    "longest",
    "goal",
    "failed runs",
    "failed attempts",
    "lost work",
    "double landings",
    "false done",
)


def markdown(report: Mapping[str, Any]) -> str:
    """Return the table of all scenarios, and below it what was not as expected."""
    results = report["scenarios"]
    lines = [table(HEAD, (_cells(each) for each in results)), "", _summary(report)]
    for each in results:
        lines += [f"- {each['scenario']}: {_one_line(why)}" for why in each["why"]]
    return "\n".join(lines) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table whose columns are aligned."""
    body = [tuple(head), *map(tuple, rows)]
    widths = [max(map(len, column)) for column in zip(*body, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in body]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def line(result: Mapping[str, Any]) -> str:
    """Return one scenario's result in a line."""
    took = f" ({result['wall_s']:.0f} s)" if "wall_s" in result else ""
    why = f": {_one_line(result['why'][0])}" if result["why"] else ""
    return f"{result['scenario']}: {result['verdict']}{took}{why}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cells(result: Mapping[str, Any]) -> tuple[str, ...]:
    outage = result.get("mttr") or {}
    runs, attempts = result.get("runs"), result.get("attempts")
    return (
        result["scenario"],
        result["verdict"] if result["verdict"] == "met" else result["verdict"].upper(),
        str(result.get("faults", "")),
        _seconds(outage.get("median_s")),
        _seconds(outage.get("max_s")) + ("" if outage.get("within") is not False else " (over)"),
        _seconds(outage.get("goal_s")),
        f"{runs['failed']} of {runs['started']}" if runs else "",
        f"{attempts['failed']} of {attempts['started']}" if attempts else "",
        *(str(result.get(key, "")) for key in ("lost_work", "double_landings", "false_done")),
    )


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def _summary(report: Mapping[str, Any]) -> str:
    counts = report["counts"]
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"{told}; seed {report['seed']}"
