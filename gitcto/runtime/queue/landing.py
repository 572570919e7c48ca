"""Landing the changes of one green run: one intent each, one swap for all, one outcome each."""

from __future__ import annotations

from collections.abc import Sequence

from gitcto.model.commands import (
    AbandonLanding,
    ConfirmLanding,
    IntendLanding,
    RecordVerdicts,
    Refusal,
    SingleCommand,
    Together,
)
from gitcto.model.decide import decide
from gitcto.model.records import Execution, Landing
from gitcto.model.verdicts import about
from gitcto.policy.decisions import Arrival, decide_done, decide_landing
from gitcto.policy.gates import required_gates
from gitcto.runtime.core.asked import asked
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.ending import Ending
from gitcto.runtime.core.failures import Failure
from gitcto.runtime.core.jobs import Job
from gitcto.runtime.core.messages import work_of
from gitcto.runtime.core.push_record import push_record
from gitcto.runtime.core.queue_messages import Moved
from gitcto.runtime.core.queue_values import Composed, Member
from gitcto.runtime.core.world import World


def intents(book: Book, composed: Composed, member: Member) -> tuple[SingleCommand, ...]:
    """Return what is recorded before the target is moved: a member's verdicts and its intent.

    What its change gates said was recorded when it was admitted.
    """
    world, x = book.world, book.state.executions[member.execution]
    task = book.state.tasks[x.task]
    landing = composed.landing(book.target, member)
    decision = decide_landing(world.policy, asked(world, x, task), landing, member.verdicts)
    fresh = tuple(verdict for verdict in member.verdicts if verdict not in x.verdicts)
    return (
        RecordVerdicts(execution=x.id, epoch=x.epoch, verdicts=fresh),
        IntendLanding(
            execution=x.id,
            epoch=x.epoch,
            landing=landing,
            required=required_gates(world.policy, task.spec.tier),
            decision=decision,
        ),
    )


def refused(book: Book, composed: Composed) -> tuple[str, Refusal] | None:
    """Return the first member whose landing would be refused, and why."""
    now_ms = book.world.effects.now_ms()
    for member in composed.members:
        answer = decide(book.state, Together(intents(book, composed, member)), now_ms)
        if isinstance(answer, Refusal):
            return member.execution, answer
    return None


def attachments(book: Book, composed: Composed) -> dict[str, str]:
    """Return what the ledger keeps of a landing: each member's evidence and its work's tree."""
    kept = {f"evidence/{member.execution}": member.evidence for member in composed.members}
    works = {f"work/{x}": book.state.executions[x].tree for x in composed.items}
    return kept | works


def carry_out(world: World, landing: Landing) -> Moved:
    """Move the target as a landing's intent says, and push it."""
    moved = world.target.move(landing)
    world.effects.crash_point("landing.moved")
    return push(world, landing) if moved else Moved(landing=landing, moved=False)


def push(world: World, landing: Landing) -> Moved:
    """Push a target that holds a landing's commits."""
    said = world.target.push(landing.target, landing.new)
    world.effects.crash_point("landing.pushed")
    return Moved(landing=landing, moved=True, push=said)


def carrying(world: World, landing: Landing) -> Job:
    """Return the job that carries a landing out."""
    return lambda post: post(carry_out(world, landing))


def group_of(book: Book, landing: Landing) -> list[Execution]:
    """Return the executions that land by the same swap, in the order of their commits' intents."""
    return [x for x in book.state.live() if x.landing is not None and x.landing.new == landing.new]


def confirmations(
    book: Book, group: Sequence[Execution], moved: Moved, *, found: str
) -> tuple[SingleCommand, ...]:
    """Return what is recorded once the target holds the commits of a landing."""
    arrival = Arrival(commit=moved.landing.new, push=moved.push)
    pushed = push_record(moved.push, moved.landing.new)
    done = (_confirmation(book, x, arrival, found) for x in group)
    return (*done, *([pushed] if pushed else []))


def _confirmation(book: Book, x: Execution, arrival: Arrival, found: str) -> ConfirmLanding:
    world, task, landing = book.world, book.state.tasks[x.task], x.landing
    if landing is None:
        raise ValueError(f"{x.id} is not landing")
    decision = decide_done(
        world.policy, asked(world, x, task), landing, about(x.verdicts, landing), arrival
    )
    return ConfirmLanding(
        execution=x.id, epoch=x.epoch, found=found, decision=decision, push=arrival.push
    )


def abandonments(group: Sequence[Execution], reason: str) -> tuple[SingleCommand, ...]:
    """Return what is recorded when the target was not moved."""
    return tuple(AbandonLanding(execution=x.id, epoch=x.epoch, reason=reason) for x in group)


def give_up(ending: Ending, x: Execution, detail: str) -> None:
    """End a landing whose commit somebody rewrote: its tree was never judged, so a person looks."""
    failure = Failure(reason="target_rewritten", detail=detail, block=True)
    before = abandonments((x,), failure.reason)
    ending.fail(x, failure, work_of(x), before=before)
