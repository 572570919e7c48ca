"""The branch a team lands on: made once, and never moved under somebody who has it checked out."""

from __future__ import annotations

from gitcto.errors import CtoError
from gitcto.git.refs import Refs
from gitcto.model.records import Landing
from gitcto.runtime.context import Context


def ensure_target(refs: Refs, target: str) -> str:
    """Return the target's tip; make the branch at HEAD when it does not exist.

    Raises ``CtoError`` for a repository without commits.
    """
    tip = refs.read(target)
    if tip is not None:
        return tip
    _, head = refs.head()
    if head is None:
        raise CtoError(
            "this repository has no commit to start from",
            "make a first commit (`git commit --allow-empty -m start`), then run again",
        )
    refs.compare_and_swap(target, None, head)
    return refs.read(target) or head


def move(context: Context, landing: Landing) -> bool:
    """Move the target as a landing intends, by compare-and-swap; tell whether that was done."""
    return context.refs.compare_and_swap(landing.target, landing.old, landing.new)


def refuse_checked_out(refs: Refs, target: str) -> None:
    """Raise ``CtoError`` when a worktree has the target checked out."""
    where = refs.checked_out().get(target)
    if where is not None:
        branch = target.removeprefix("refs/heads/")
        raise CtoError(
            f"{branch} is checked out in {where}, so it is not moved",
            "switch that worktree to another branch (`git switch --detach`), then run again",
        )
