"""Pushing what landed to the remote that policy names."""

from __future__ import annotations

from gitcto.runtime.context import Context

NOT_PUSHED = "not pushed: policy names no remote"


def push_target(context: Context, target: str, commit: str) -> str:
    """Push the target and return where to, or why not."""
    del context, target, commit
    return NOT_PUSHED
