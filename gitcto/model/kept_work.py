"""Evolving what is kept of work that did not land. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from gitcto.model.events import WorkDiscarded, WorkPreserved
from gitcto.model.records import Execution


def kept(x: Execution, e: WorkPreserved) -> Execution:
    """Return an execution of which work is kept."""
    discarded = {ref: commit for ref, commit in x.discarded.items() if ref != e.ref}
    if e.seat:
        return replace(x, beside={**x.beside, e.ref: e.commit}, discarded=discarded)
    return replace(x, preserved=e.ref, work=e.commit, discarded=discarded)


def given_up(x: Execution, e: WorkDiscarded) -> Execution:
    """Return an execution of whose kept work a person gave something up."""
    return replace(
        x,
        preserved="" if x.preserved == e.ref else x.preserved,
        beside={ref: commit for ref, commit in x.beside.items() if ref != e.ref},
        discarded={**x.discarded, e.ref: e.commit},
    )
