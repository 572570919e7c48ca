"""Pushing what landed: no landing is undone for it, and the next push takes everything along."""

from __future__ import annotations

from gitcto.errors import CtoError
from gitcto.git.remote import Move, Remote, RemoteFailed, open_remote
from gitcto.git.trees import is_ancestor
from gitcto.runtime.core.push_record import NOT_PUSHED
from gitcto.runtime.host.context import Context

_LOOKS = 3


def push_target(context: Context, target: str, commit: str) -> str:
    """Bring a branch of the remote that policy names to ``commit``, and ask the remote for it.

    Returns the remote and the ref where it holds the commit, or :data:`NOT_PUSHED` and the reason.
    It may take minutes. Doing it again asks again and moves nothing twice.
    """
    name = context.policy.remote.name
    if not name:
        return f"{NOT_PUSHED}policy names no remote"
    try:
        remote = open_remote(context.repository, name, context.environ)
        problem = _bring(context, remote, target, commit)
    except CtoError as error:
        problem = error.message
    return f"{NOT_PUSHED}{problem}" if problem else f"{name} {target}"


def _bring(context: Context, remote: Remote, target: str, commit: str) -> str:
    """Move the remote's branch forward; return the problem, or nothing once it was seen there."""
    for look in range(1, _LOOKS + 1):
        held = remote.refs(target).get(target, "")
        problem = _in_the_way(context, held, commit)
        if problem is None:
            return ""
        if problem:
            return f"{remote.name} has {held[:12]} there, {problem}"
        try:
            remote.push(Move(target, held, commit))
        except RemoteFailed as error:
            if not error.moved or look == _LOOKS:
                raise
        context.effects.crash_point("target.pushed")
    return f"{remote.name} does not show {commit[:12]} after {_LOOKS} pushes"


def _in_the_way(context: Context, held: str, commit: str) -> str | None:
    """Return why a branch must not go from ``held`` to ``commit``; None when it is there."""
    if held == commit:
        return None
    if not held:
        return ""
    if not context.objects.has(held):
        return "which this repository does not know"
    if is_ancestor(context.git, commit, held):
        return None
    forward = is_ancestor(context.git, held, commit)
    return "" if forward else f"which does not lead to {commit[:12]}"
