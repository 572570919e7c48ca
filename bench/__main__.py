"""``python -m bench [NAME ...]``: run benchmarks in one process, and print ratios.

A benchmark is a module of this package with ``measure(effort) -> list[Row]``; its docstring is its
headline. Figures depend on the machine, ratios to a baseline of the same run hardly do.
"""

from __future__ import annotations

import argparse
import os
import pkgutil
import platform
import sys
import time
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

import bench
from bench.measure import Effort, Row, run

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
HEAD = ("what", "measured", "baseline", "ratio", "goal", "met")
QUICK = Effort(rounds=1, share=0.01)
"""Sizes too small to believe, in a fraction of the time: do the benchmarks still run?"""

_MET = {True: "yes", False: "**no**", None: ""}


def benchmarks() -> dict[str, ModuleType]:
    """Return every benchmark by name."""
    names = sorted(info.name for info in pkgutil.iter_modules(bench.__path__))
    modules = {name: import_module(f"bench.{name}") for name in names if not name.startswith("_")}
    return {name: module for name, module in modules.items() if hasattr(module, "measure")}


def cells(row: Row) -> tuple[str, ...]:
    """Return what is shown of a row."""
    limits = [] if row.limit is None else [f"<= {row.limit:g} {row.unit}"]
    limits += [] if row.ratio_limit is None else [f"<= {row.ratio_limit:g} x"]
    return (
        row.what,
        f"{number(row.value)} {row.unit}",
        "" if row.baseline is None else f"{number(row.baseline)} {row.unit} ({row.versus})",
        "" if row.ratio is None else f"{row.ratio:.2f} x",
        ", ".join(limits),
        _MET[row.within],
    )


def number(value: float) -> str:
    """Return three digits that count, never an exponent."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004


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


def conditions(effort: Effort) -> str:
    """Return a line about what was measured on, and how busy that was."""
    git = run(("git", "--version"), Path.cwd(), os.environ)
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {git}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f} at the start; medians of up to {effort.rounds} rounds."
    )


def write_page(report: str, page: Path = PAGE) -> None:
    """Replace the part of the page between its markers."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"error: {page.name} has lost its markers\nhint: put {BEGIN} and {END} back")
    page.write_text(f"{before}{BEGIN}\n\n{report}\n{END}{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for."""
    known = benchmarks()
    options = _options(known, arguments)
    effort = QUICK if options.quick else Effort(rounds=options.rounds)
    parts = [conditions(effort)]
    print(parts[0])
    for name in options.names or known:
        began = time.monotonic()
        rows = known[name].measure(effort)
        parts.append(f"### {headline(known[name])}\n\n{table(rows)}")
        print(f"\n{parts[-1]}\n\n({name}: {time.monotonic() - began:.0f} s)", flush=True)
    if options.write:
        write_page("\n\n".join(parts) + "\n")
    return 0


def _options(known: dict[str, ModuleType], arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure; print ratios.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of each case (20)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does everything run?")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md too")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(known))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(known)}")
    if options.write and (options.names or options.quick):
        parser.error("--write needs all benchmarks at full size: the page is one run")
    return options


if __name__ == "__main__":
    sys.exit(main())
