"""``python -m bench [NAME ...]``: run benchmarks in one process, and print ratios.

A benchmark is a module of this package with ``measure(rounds) -> list[Row]``; its docstring is its
headline. Figures depend on the machine, ratios to a baseline of the same run hardly do.
"""

from __future__ import annotations

import argparse
import os
import pkgutil
import platform
import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import bench
from bench.measure import Row

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
HEAD = ("what", "median", "baseline", "ratio", "limit", "")


def benchmarks() -> dict[str, ModuleType]:
    """Return every benchmark by name."""
    names = sorted(info.name for info in pkgutil.iter_modules(bench.__path__))
    modules = {name: import_module(f"bench.{name}") for name in names if not name.startswith("_")}
    return {name: module for name, module in modules.items() if hasattr(module, "measure")}


def cells(row: Row) -> tuple[str, ...]:
    """Return what is shown of a row."""
    limits = [] if row.limit is None else [f"{row.limit:g} {row.unit}"]
    limits += [] if row.ratio_limit is None else [f"{row.ratio_limit:g} x"]
    return (
        row.what,
        f"{row.value:.3g} {row.unit}",
        "" if row.baseline is None else f"{row.baseline:.3g} {row.unit} ({row.versus})",
        "" if row.ratio is None else f"{row.ratio:.2f} x",
        ", ".join(limits),
        "" if row.within else "over",
    )


def table(rows: Iterable[Row]) -> str:
    """Return rows as a Markdown table that also reads well in a terminal."""
    body = [HEAD, *map(cells, rows)]
    widths = [max(len(line[column]) for line in body) for column in range(len(HEAD))]
    lines = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in body]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def headline(module: ModuleType) -> str:
    """Return the first line of a benchmark's docstring."""
    return (module.__doc__ or "").strip().partition("\n")[0]


def conditions(rounds: int) -> str:
    """Return a line about what was measured on."""
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}"
        f" {platform.machine()}, {os.cpu_count()} cores; medians of {rounds} interleaved rounds."
    )


def write_page(report: str, page: Path = PAGE) -> None:
    """Replace the part of the page between its markers."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"error: {page.name} has lost its markers\nhint: put {BEGIN} and {END} back")
    page.write_text(f"{before}{BEGIN}\n\n{report}\n{END}{after}", encoding="utf-8")


def main() -> int:
    """Run what was asked for."""
    known = benchmarks()
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure; print ratios.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--rounds", type=int, default=20, help="rounds per case (20)")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md too")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(known))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(known)}")
    if options.write and options.names:
        parser.error("--write needs all benchmarks: the page is one run")
    parts = [conditions(options.rounds)]
    print(parts[0])
    for name in options.names or known:
        rows = known[name].measure(options.rounds)
        parts.append(f"### {headline(known[name])}\n\n{table(rows)}")
        print(f"\n{parts[-1]}", flush=True)
    if options.write:
        write_page("\n\n".join(parts) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
