"""What became of a push, in words, and the command that records one."""

from __future__ import annotations

from gitcto.model.queue_commands import RecordPush

NOT_PUSHED = "not pushed: "
"""What a text begins with that says why nothing was pushed."""


def push_record(push: str, commit: str) -> RecordPush | None:
    """Return the command that records what a push saw, or None when it saw nothing."""
    remote, _, ref = push.partition(" ")
    if push.startswith(NOT_PUSHED) or not ref:
        return None
    return RecordPush(remote=remote, ref=ref, commit=commit)
