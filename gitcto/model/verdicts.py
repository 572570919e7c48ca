"""What several verdicts on one tree amount to. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from gitcto.model.records import Landing, Verdict


def flaky(red: Verdict, again: Verdict) -> Verdict:
    """Return the pass of a gate that was red, and green when what failed was run once more.

    Whatever else it executed had passed the first time.
    """
    names = ", ".join(red.failed[:5]) or "it"
    detail = f"flaky: {names} failed, and passed when run again on the same tree"
    return replace(again, reason="flaky", detail=detail, executed=red.executed)


def about(verdicts: Iterable[Verdict], landing: Landing) -> tuple[Verdict, ...]:
    """Return the verdicts on what lands; of an earlier form of the change there may be others."""
    return tuple(v for v in verdicts if v.change in {"", landing.change})
