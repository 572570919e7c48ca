"""What gates said, as values: a verdict with its log, and the green ones that may be used again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field

from gitcto.model.records import Verdict

Known = Mapping[str, Verdict]
"""Green verdicts by their key, so that nothing is judged twice."""

Only = Mapping[str, tuple[str, ...]]
"""The tests that are to be run again, by gate; a gate without tests runs whole."""


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
