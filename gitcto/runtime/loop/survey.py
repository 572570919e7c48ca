"""What a run finds when it begins, as the plan of its recovery needs it. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from gitcto.model.records import LIVE_STATES, Execution
from gitcto.model.recovery_plan import Left, Seen, Step, plan
from gitcto.model.state import State
from gitcto.runtime.core.seats import all_runs, runs
from gitcto.runtime.core.world import World
from gitcto.runtime.loop.others import SKEW_MS, is_own


def recovery_plan(world: World, state: State) -> tuple[Step, ...]:
    """Return what a run does about what the last one left, in its order.

    Nothing moves meanwhile only for who holds the team's run lock.
    """
    left = _left(world, state)
    view = world.ledger.view()
    seen = {x.id: _seen(world, x) for x in (*left.ours, *left.ended)}
    for draft in left.drafts:
        seen[draft] = Seen(supervised=world.rooms.observe(draft).alive)
    lapsed_ms = world.effects.now_ms() - SKEW_MS
    return plan(view, left, seen, lapsed_ms, adopt_late=world.policy.retries.adopt_late)


def _left(world: World, state: State) -> Left:
    live = tuple(state.live())
    ids = {x.id for x in live}
    view = world.ledger.view()
    found = {each: view.execution(each) for each in world.rooms.leftovers() if each not in ids}
    unknown = [each for each, x in found.items() if x is None]
    drafts = {*view.team.asked, *view.team.drafts} if view.team else set()
    return Left(
        ours=tuple(x for x in live if is_own(world, x)),
        theirs=tuple(x for x in live if not is_own(world, x)),
        ended=tuple(_known(found.values())),
        drafts=tuple(each for each in unknown if each in drafts),
        unknown=tuple(each for each in unknown if each not in drafts),
    )


def _known(found: Iterable[Execution | None]) -> Iterable[Execution]:
    return (x for x in found if x is not None)


def _seen(world: World, x: Execution) -> Seen:
    names = runs(x) if x.state in LIVE_STATES else all_runs(x)
    observed = [world.rooms.observe(run) for run in names]
    ends = [each.exit.cause if each.exit is not None else "" for each in observed]
    return Seen(
        supervised=any(each.alive for each in observed),
        started=any(each.started is not None for each in observed),
        ended=ends[-1] if all(ends) or x.state not in LIVE_STATES else "",
        landed=world.target.landed_as(x, x.landing) if x.landing is not None else "",
    )
