"""Executions that other clones hold: left alone while they live, given up when their lease is over.

Their rooms, processes and unsettled work are on another machine. When that comes back, its outcomes
are refused and it keeps its work itself; here, only the ledger says that the attempt is over.
"""

from __future__ import annotations

from itertools import groupby

from gitcto.model.commands import ConfirmLanding, FailExecution, SingleCommand, TakeLease
from gitcto.model.records import Execution
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.holder import is_of
from gitcto.runtime.core.queue_messages import Moved
from gitcto.runtime.core.world import World
from gitcto.runtime.queue.landing import abandonments, confirmations

SKEW_MS = 10_000
"""How long after its end a lease of another clone still counts: clocks differ (milliseconds)."""


def is_own(world: World, execution: Execution) -> bool:
    """Tell whether this clone may continue an execution: it always may where it works alone."""
    return not world.shared or is_of(execution.holder, world.clone)


def give_up_lapsed(book: Book) -> None:
    """End what other clones began and stopped renewing, so that its tasks can be tried again.

    What they landed before they stopped is recorded as landed instead.
    """
    world = book.world
    if not world.shared:
        return
    latest = world.effects.now_ms() - SKEW_MS
    lapsed = [x for x in book.state.live() if x.expires_ms < latest and not is_own(world, x)]
    if not lapsed:
        return
    if world.target.look():  # what they renewed or landed meanwhile counts
        return
    book.catch_up()
    current = [book.state.executions[x.id] for x in lapsed]
    still = [now for x, now in zip(lapsed, current, strict=True) if now == x]
    # What would land by one swap is given up as one, or the swap could still land a part of it.
    for _, together in groupby(sorted(still, key=_swap), key=_swap):
        _give_up(book, tuple(together))


def _swap(execution: Execution) -> str:
    return execution.landing.new if execution.landing is not None else execution.id


def _give_up(book: Book, executions: tuple[Execution, ...]) -> None:
    commands = [*(_take(book.world, x) for x in executions), *_ends(book, executions)]
    refusal = book.record(*commands)
    for x in executions:
        why = "its lease was over" if refusal is None else refusal.detail
        book.listener.note(f"{x.task}: begun by {x.holder}: {why}")


def _take(world: World, x: Execution) -> TakeLease:
    return TakeLease(
        execution=x.id,
        epoch=x.epoch,
        holder=world.holder,
        expires_ms=world.effects.now_ms() + world.policy.lease_s * 1000,
        lapsed_ms=x.expires_ms,
    )


def _ends(book: Book, executions: tuple[Execution, ...]) -> list[SingleCommand]:
    """Return what became of executions that would land by one swap, or of one that would not."""
    world, landing = book.world, executions[0].landing
    landed = {world.target.landed_as(x, landing) for x in executions if landing is not None} - {""}
    if landing is not None and landed == {landing.new}:
        moved = Moved(
            landing=landing, moved=True, push=f"{world.policy.remote.name} {landing.target}"
        )
        done = confirmations(book, executions, moved, found="recovered")
        confirmed = [x for x in done if isinstance(x, ConfirmLanding)]
        if all(x.decision.verdict == "allow" for x in confirmed):
            return list(done)
    reason = "target_rewritten" if landed else "holder_lost"
    given_up = abandonments(executions, reason) if landing is not None else ()
    return [*given_up, *(_ended(world, x, reason) for x in executions)]


def _ended(world: World, x: Execution, reason: str) -> FailExecution:
    return FailExecution(
        execution=x.id,
        epoch=x.epoch,
        reason=reason,
        detail=f"{x.holder} did not renew its lease; what it had is there",
        charged=False,
        max_attempts=world.policy.retries.max_attempts,
        block=reason == "target_rewritten",
    )
