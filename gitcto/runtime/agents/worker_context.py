"""What a task's worker is told, kept as checkpoints in the ledger, one on top of the other.

Nothing but the last checkpoint of this very task and the news for it go into a prompt. A checkpoint
that is damaged is not believed: the one before it is gone on from, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from gitcto.context.checkpoint import Checkpoint, Corrupt, decode
from gitcto.context.compact import Overfull, compact
from gitcto.context.records import Budget, Entry, Stream, sha256
from gitcto.context.render import render
from gitcto.errors import CtoError
from gitcto.model.context_commands import RecordCheckpoint
from gitcto.model.context_events import ContextCheckpointed
from gitcto.model.records import Decision, Execution, Task
from gitcto.policy.records import Policy
from gitcto.runtime.core.briefing import Briefing, Kept
from gitcto.runtime.core.prompt import rules_entry, task_entry
from gitcto.store.queries import StoredEvent

_GOING_ON = "going on from the one before"
_LONGEST = 4000
"""Most characters of what failed, or of what a worker said, that it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """The last checkpoint of a task that can be believed, if any; why later ones cannot."""

    checkpoint: Checkpoint | None
    checksum: str
    damaged: tuple[str, ...]


class Blobs(Protocol):
    """Where the bytes of checkpoints lie; see ``gitcto.git.objects.Objects``."""

    def read(self, oid: str) -> tuple[str, bytes]:
        """Return kind and content. Raises ``CtoError`` when it cannot be read."""

    def write_blob(self, data: bytes) -> str:
        """Store bytes durably and return their id."""


class Events(Protocol):
    """The events of one task; see ``gitcto.store.reader.LedgerReader``."""

    def events(self, *, task: str, newest_first: bool) -> Iterable[StoredEvent]:
        """Yield them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where what workers are told is kept, and how much that may be."""

    blobs: Blobs
    ledger: Events
    policy: Policy


def checkpoints(reader: Events, task: str) -> Iterator[ContextCheckpointed]:
    """Yield a task's checkpoints as the ledger has them, the newest first."""
    for stored in reader.events(task=task, newest_first=True):
        if isinstance(stored.event.body, ContextCheckpointed):
            yield stored.event.body


def last_checkpoint(objects: Blobs, reader: Events, task: str) -> Last:
    """Return the last checkpoint that is whole."""
    damaged: list[str] = []
    for event in checkpoints(reader, task):
        try:
            found = read_checkpoint(objects, event, task)
        except Corrupt as problem:
            damaged.append(f"checkpoint {event.number} of what {task} is told: {problem}")
        else:
            return Last(checkpoint=found, checksum=event.checksum, damaged=tuple(damaged))
    return Last(checkpoint=None, checksum="", damaged=tuple(damaged))


def read_checkpoint(objects: Blobs, event: ContextCheckpointed, task: str) -> Checkpoint:
    """Return a checkpoint that the ledger names; raises ``Corrupt`` when it is not that."""
    try:
        _, data = objects.read(event.blob)
    except CtoError as error:
        raise Corrupt(error.message) from error
    return decode(data, event.checksum, task)


def brief(
    desk: Desk, task: Task, execution: str, decision: Decision, news: tuple[Entry, ...] = ()
) -> Kept | Decision:
    """Return what a task's next worker is told, under the next token; ``news`` is for it alone.

    Messages among the news take the place of what was told of them before.
    ``decision`` allows that worker; what is too much to be told makes a denial of it.
    """
    last = last_checkpoint(desk.blobs, desk.ledger, task.spec.id)
    before = last.checkpoint.stream if last.checkpoint else Stream(task.spec.id)
    before = _without_messages(before, news)
    allowed = task.spec.paths or desk.policy.default_paths
    stream = before.begun_with(task_entry(task.spec), rules_entry(allowed))
    stream = stream.told(*_failure(task), *news)
    try:
        return _kept(desk, task, (execution, task.epoch + 1), stream, last)
    except Overfull as full:
        return Decision(
            action=decision.action,
            resource=decision.resource,
            subject=decision.subject,
            rule="context.budget_tokens",
            policy=decision.policy,
            inputs=decision.inputs,
            verdict="deny",
            reason=f"what {task.spec.id} must be told is too much: {full}",
        )


def again(desk: Desk, task: Task, news: tuple[Entry, ...] = ()) -> Briefing:
    """Return what a later step of the same attempt is told: the last checkpoint, and the news.

    Recorded is what it is made of. When that is too much, messages go before what is older.
    """
    last = last_checkpoint(desk.blobs, desk.ledger, task.spec.id)
    begun = Stream(task.spec.id).begun_with(
        task_entry(task.spec), rules_entry(task.spec.paths or desk.policy.default_paths)
    )
    before = last.checkpoint.stream if last.checkpoint else begun
    for stream in (_without_messages(before, news).told(*news), begun.told(*news), begun):
        with suppress(Overfull):
            compacted = compact(stream, budget_of(desk.policy)).stream
            notes = tuple(each.text for each in compacted.entries if each.kind == "note")
            return Briefing(render(compacted), notes)
    return Briefing(render(begun))


def said(desk: Desk, task: Task, execution: Execution, summary: str) -> Kept | None:
    """Return what a worker said at its end as part of what it is told next; None for nothing."""
    last = last_checkpoint(desk.blobs, desk.ledger, task.spec.id)
    if not summary.strip() or last.checkpoint is None:
        return None
    entry = Entry(kind="said", text=summary[:_LONGEST], name=f"attempt {execution.attempt}")
    stream = last.checkpoint.stream.told(entry)
    try:
        return _kept(desk, task, (execution.id, execution.epoch), stream, last)
    except Overfull:
        return None


def budget_of(policy: Policy) -> Budget:
    """Return how much policy lets a worker be told."""
    return Budget(tokens=policy.context.budget_tokens, compact_at=policy.context.compact_at)


def _without_messages(stream: Stream, news: tuple[Entry, ...]) -> Stream:
    """Leave out messages that are told anew, and those that waited and do so no more."""
    anew = {each.name for each in news}
    kept = (e for e in stream.entries if e.kind != "message" or not (e.open or e.name in anew))
    return Stream(stream.owner, tuple(kept))


def _failure(task: Task) -> tuple[Entry, ...]:
    if not task.reason:
        return ()
    text = f"attempt {task.attempts} failed: {task.reason}: {task.detail}"
    return (Entry(kind="note", text=text[:_LONGEST]),)


def _kept(desk: Desk, task: Task, lease: tuple[str, int], stream: Stream, last: Last) -> Kept:
    budget = budget_of(desk.policy)
    compacted = compact(stream, budget)
    checkpoint = Checkpoint(
        number=task.checkpoint + 1,
        previous=last.checksum,
        stream=compacted.stream,
    )
    execution, epoch = lease
    data = checkpoint.encode()
    blob = desk.blobs.write_blob(data)
    command = RecordCheckpoint(
        execution=execution,
        epoch=epoch,
        number=checkpoint.number,
        checksum=sha256(data),
        previous=checkpoint.previous,
        blob=blob,
        tokens=compacted.tokens,
        budget=budget.tokens,
        saved=compacted.saved,
    )
    notes = tuple(each.text for each in compacted.stream.entries if each.kind == "note")
    return Kept(
        command=command,
        attachments={f"context/{execution}.json": blob},
        briefing=Briefing(render(compacted.stream), notes),
        damaged="; ".join((*last.damaged, _GOING_ON)) if last.damaged else "",
    )
