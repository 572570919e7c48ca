"""The names of runs in leases."""

from __future__ import annotations


def holder_of(actor: str, clone: str, run: str) -> str:
    """Return the name of a run in leases."""
    return f"{actor}/{clone}/{run}"


def is_of(holder: str, clone: str) -> bool:
    """Tell whether a lease is held by a run in that clone."""
    return holder.split("/")[-2:-1] == [clone]
