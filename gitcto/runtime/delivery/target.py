"""The branch a team lands on: made once, and never moved under somebody who has it checked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.refs import Refs
from gitcto.git.remotes import RefMove
from gitcto.model.commands import Refusal, RenewLease, Together
from gitcto.model.events import LeaseRenewed
from gitcto.store.ledger import Ledger
from gitcto.store.shared import TargetMoved

if TYPE_CHECKING:
    from gitcto.model.records import Landing
    from gitcto.runtime.host.context import Context


def ensure_target(refs: Refs, target: str) -> str:
    """Return the target's tip; make the branch at HEAD when it does not exist.

    Raises ``CtoError`` for a repository without commits.
    """
    tip = refs.read(target)
    if tip is not None:
        return tip
    refs.compare_and_swap(target, None, _start(refs))
    return refs.read(target) or _start(refs)


def share_target(context: Context, target: str) -> None:
    """Bring ledger and target up to the remote's, and make the target there if it has none.

    Raises ``CtoError`` when the remote cannot be reached, or when either of them forked.
    """
    if context.shared is not None:
        context.shared.sync()
        if context.refs.read(target) is None:
            context.shared.begin_target(_start(context.refs))


def move(context: Context, landing: Landing) -> bool:
    """Move the target from the landing's old tip to its new one; tell whether.

    False means that it was elsewhere, or that the lease of what would land is lost: nothing was
    moved. Where several clones run the team, the remote's branch moves in one step with the
    renewal of the lease, so that nobody lands what was taken from him meanwhile.
    """
    if context.shared is None:
        return context.refs.compare_and_swap(landing.target, landing.old, landing.new)
    if not _move_shared(context, landing):
        return False
    context.effects.crash_point("landing.pushed")
    if not context.refs.compare_and_swap(landing.target, landing.old, landing.new):
        context.shared.sync()  # whoever fetches may have brought it here first
    return True


def _move_shared(context: Context, landing: Landing) -> bool:
    """Renew the leases of what lands, and move the remote's target with that or not at all.

    With a ledger of its own: a job may do this, and the context's belongs to the loop.
    """
    expires_ms = context.effects.now_ms() + context.policy.lease_s * 1000
    actor = context.ledger.actor
    along = RefMove(name=landing.target, old=landing.old, new=landing.new)
    team = context.layout.team
    with Ledger(context.repository, team, context.effects, actor, context.shared) as ledger:
        renewals = tuple(
            RenewLease(execution=x.id, epoch=x.epoch, expires_ms=max(expires_ms, x.expires_ms + 1))
            for x in ledger.view().live()
            if x.landing is not None and x.landing.new == landing.new
        )
        try:
            answer = ledger.transact(Together(renewals), along=along)
        except TargetMoved:
            return False
    if isinstance(answer, Refusal) or not answer.events:
        return False
    return all(isinstance(event.body, LeaseRenewed) for event in answer.events)


def refuse_checked_out(refs: Refs, target: str) -> None:
    """Raise ``CtoError`` when a worktree has the target checked out."""
    where = refs.checked_out().get(target)
    if where is not None:
        branch = target.removeprefix("refs/heads/")
        raise CtoError(
            f"{branch} is checked out in {where}, so it is not moved",
            "switch that worktree to another branch (`git switch --detach`), then run again",
        )


def _start(refs: Refs) -> str:
    _, head = refs.head()
    if head is None:
        raise CtoError(
            "this repository has no commit to start from",
            "make a first commit (`git commit --allow-empty -m start`), then run again",
        )
    return head
