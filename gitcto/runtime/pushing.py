"""Pushing what landed to the remote that policy names."""

from __future__ import annotations

from gitcto.model.queue_commands import RecordPush
from gitcto.runtime.context import Context

NOT_PUSHED = "not pushed: "
"""What a text begins with that says why nothing was pushed."""


def push_target(context: Context, target: str, commit: str) -> str:
    """Push the target and return where to, or why not."""
    del context, target, commit
    return f"{NOT_PUSHED}policy names no remote"


def push_record(push: str, commit: str) -> RecordPush | None:
    """Return the command that records what :func:`push_target` saw, or None when it saw nothing."""
    remote, _, ref = push.partition(" ")
    if push.startswith(NOT_PUSHED) or not ref:
        return None
    return RecordPush(remote=remote, ref=ref, commit=commit)
