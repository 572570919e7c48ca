"""How long nothing of a worker moved, from looks at its signs of life. Pure.

Time is what passed on the looker's own monotonic clock: no date in a heartbeat or of a file is ever
compared with a clock, so one that jumps changes nothing. What passed without a look counts as a
part of the limit at most: who slept itself, or was stopped, saw nothing of the worker meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from gitcto.model.lease_events import Signs

LEAST_LOOKS = 4
"""How many looks in a row a limit takes at least."""


class Vigil(Struct, frozen=True, kw_only=True):
    """What was seen last, and for how long (milliseconds) it has been the same."""

    signs: Signs
    quiet_ms: int = 0


def looked(before: Vigil | None, signs: Signs, elapsed_ms: int, limit_ms: int) -> Vigil:
    """Return the vigil after one more look, ``elapsed_ms`` after the one before."""
    if before is None or moved(before.signs, signs):
        return Vigil(signs=signs)
    passed = min(max(elapsed_ms, 0), limit_ms // LEAST_LOOKS)
    return Vigil(signs=signs, quiet_ms=before.quiet_ms + passed)


def moved(before: Signs, now: Signs) -> bool:
    """Tell whether any sign of life is another one; files count once they were looked at twice."""
    if not before.written_ns or not now.written_ns:
        before, now = replace(before, written_ns=0), replace(now, written_ns=0)
    return before != now


def together(signs: Sequence[Signs]) -> Signs:
    """Return the signs of life of several workers of one attempt: it lives as long as one does."""
    if len(signs) == 1:
        return signs[0]
    return Signs(
        supervised=any(each.supervised for each in signs),
        beat_ms=max(each.beat_ms for each in signs),
        cpu="; ".join(each.cpu for each in signs),
        processes=sum(each.processes for each in signs),
        output=sum(each.output for each in signs),
        written_ns=max(each.written_ns for each in signs),
    )


def closely(vigil: Vigil | None, limit_ms: int) -> bool:
    """Tell whether it is time to look at the files of the room as well, which may be many."""
    return vigil is not None and vigil.quiet_ms * 2 >= limit_ms


def is_over(vigil: Vigil, limit_ms: int) -> bool:
    """Tell whether everything, files too, was the same for as long as is allowed."""
    return vigil.quiet_ms >= limit_ms and vigil.signs.written_ns > 0
