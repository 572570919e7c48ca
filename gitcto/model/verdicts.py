"""What several verdicts on one tree amount to. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from gitcto.model.records import Verdict


def flaky(red: Verdict, again: Verdict) -> Verdict:
    """Return the pass of a gate that was red, and green when what failed was run once more.

    Whatever else it executed had passed the first time.
    """
    names = ", ".join(red.failed[:5]) or "it"
    detail = f"flaky: {names} failed, and passed when run again on the same tree"
    return replace(again, reason="flaky", detail=detail, executed=red.executed)
