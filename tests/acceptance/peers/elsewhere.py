"""What users of other tools lost, as marks on the tests which show that nobody loses it here.

``scripts/generate-docs`` makes ``docs/explanation/what-others-lost.md`` of them: what was lost is
written at the mark, what holds here is the test's docstring.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
_MARK = "lost_elsewhere"

Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What was lost and where users say so; what the test of the name ``test`` shows instead."""

    threads: tuple[str, ...]
    lost: str
    here: str
    file: str
    test: str


def lost(what: str, *threads: str) -> Callable[[Test], Test]:
    """Mark a test with what users of other tools lost, and the threads in which they say so."""

    def mark(test: Test) -> Test:
        setattr(test, _MARK, (what, threads))
        return test

    return mark


def losses() -> Iterator[Loss]:
    """Return every mark, by file and in the order of the file."""
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(f"tests.acceptance.peers.{path.stem}")
        for name, found in vars(module).items():
            if hasattr(found, _MARK):
                what, threads = getattr(found, _MARK)
                here = " ".join(inspect.cleandoc(found.__doc__ or "").split())
                file = str(path.relative_to(ROOT))
                yield Loss(threads=threads, lost=what, here=here, file=file, test=name)


def markdown() -> str:
    """Return the tables of the page, one for each file of tests."""
    parts: list[str] = []
    heading = ""
    for each in losses():
        title = Path(each.file).stem.removeprefix("test_").replace("_", " ").capitalize()
        if title != heading:
            heading = title
            parts += [f"\n## {heading}\n", "| lost elsewhere | here |", "|---|---|"]
        where = ", ".join(each.threads)
        parts.append(f"| {each.lost} ({where}) | {each.here} |")
    return "\n".join(parts) + "\n"
