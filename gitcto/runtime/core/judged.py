"""What gates said, as values: a verdict with its log, and the green ones that may be used again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Literal

from gitcto.model.records import Verdict

Known = Mapping[str, Verdict]
"""Green verdicts by their key, so that nothing is judged twice."""

Only = Mapping[str, tuple[str, ...]]
"""The tests that are to be run again, by gate; a gate without tests runs whole."""

Said = Literal["green", "red", "not_run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict with its log; ``reused`` when it was given before, for ``verdict.execution``."""

    verdict: Verdict
    log: bytes
    reused: bool
    artifacts: Mapping[str, bytes] = field(default_factory=dict)


def remember(known: MutableMapping[str, Verdict], verdicts: Iterable[Verdict]) -> None:
    """Add the verdicts that may be reused: green ones with a key. Of several the first stays."""
    for verdict in verdicts:
        if verdict.status == "pass" and verdict.key:
            known.setdefault(verdict.key, verdict)


def first_red(judged: Iterable[Judged]) -> Judged | None:
    """Return the gate to blame: the first that failed, else the first that did not run."""
    red = [one for one in judged if one.verdict.status != "pass"]
    return next((one for one in red if one.verdict.status == "fail"), next(iter(red), None))


def said_of(judged: Iterable[Judged]) -> Said:
    """Return what gates say together: one red makes it red, and one that did not run no green."""
    statuses = {one.verdict.status for one in judged}
    if "fail" in statuses:
        return "red"
    return "not_run" if "not_run" in statuses else "green"


def failed_of(judged: Iterable[Judged]) -> tuple[str, ...]:
    """Return what was red, as ``GATE:TEST``; ``GATE:`` where a gate knows no tests."""
    red = (one.verdict for one in judged if one.verdict.status == "fail")
    return tuple(f"{v.gate}:{test}" for v in red for test in v.failed or ("",))
