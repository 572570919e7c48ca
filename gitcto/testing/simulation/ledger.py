"""A made-up ledger: one chain that counts, and what each clone has of it.

A transaction is decided, sealed and folded by the product. It dies before it is recorded or after,
never in between: that is what the real one's single swap gives, also when its last write is torn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from gitcto.effects import Effects
from gitcto.errors import CtoError
from gitcto.model.codec import GENESIS, digest, seal
from gitcto.model.commands import Command, Refusal
from gitcto.model.context_events import ContextCheckpointed
from gitcto.model.decide import decide
from gitcto.model.events import OutcomeRefused
from gitcto.model.evolve import evolve
from gitcto.model.queue_events import QueueEventBody, QueueOpened
from gitcto.model.records import Record
from gitcto.model.state import State
from gitcto.runtime.core.world import Records
from gitcto.store.ledger import Recorded
from gitcto.store.queries import StoredEvent
from gitcto.testing.simulation.faults import Trace


class Chain:
    """Every event that was ever recorded, and their fold.

    ``news`` hears of each transaction; ``told`` are the checkpoints of each task.
    """

    def __init__(self, trace: Trace) -> None:
        self.events: list[StoredEvent] = []
        self.replaced: list[tuple[Record, ...]] = []
        self.state = State()
        self.news: list[Callable[[], None]] = []
        self.told: dict[str, list[StoredEvent]] = {}
        self._trace = trace
        self._prev = GENESIS

    def append(self, bodies: Iterable[object], actor: str, effects: Effects) -> Recorded:
        """Record events, all in one step."""
        sealed = seal(
            bodies,  # type: ignore[arg-type]  # the bodies of decide's own answer
            prev=self._prev,
            actor=actor,
            now_ms=effects.now_ms(),
            new_id=effects.new_id,
        )
        changed: dict[tuple[type, str], Record] = {}
        for event, line in sealed:
            seq = len(self.events) + 1
            records = evolve(self.state, event, seq)
            self.state.put(records)
            stored = StoredEvent(seq=seq, event=event, commit="", line=line)
            self.events.append(stored)
            if isinstance(event.body, ContextCheckpointed):
                task = self.state.executions[event.body.execution].task
                self.told.setdefault(task, []).append(stored)
            self.replaced.append(records)
            self._trace.add(line.decode())
            for record in records:
                changed[type(record), _key(record)] = record
            self._prev = digest(line)
        for hear in self.news:
            hear()
        events = tuple(event for event, _ in sealed)
        replaced = tuple(changed.values())
        return Recorded(events=events, records=replaced, tip=None, seq=len(self.events))


def _key(record: Record) -> str:
    spec = getattr(record, "spec", None)
    return str(spec.id if spec else getattr(record, "id", ""))


class Book(Records):
    """One clone's ledger, as one run or one person's command has it.

    ``reached`` says whether the authority can be asked, ``step`` is passed around each write, and
    ``known`` is how many events the clone has, which all its books share.
    """

    def __init__(
        self, chain: Chain, clone: Clone, effects: Effects, actor: str, write: Write
    ) -> None:
        self._actor = actor
        self._chain = chain
        self._clone = clone
        self._effects = effects
        self._write = write
        self._seen = 0

    @property
    def actor(self) -> str:
        """Who its events are recorded for."""
        return self._actor

    def transact(
        self, command: Command, attachments: Mapping[str, str] | None = None
    ) -> Recorded | Refusal:
        """Decide on a command and record what follows from it: all of it, or nothing."""
        return self.transact_along(command, lambda: True) or Recorded(
            events=(), records=(), tip=None, seq=len(self._chain.events)
        )

    def transact_along(
        self, command: Command, along: Callable[[], bool]
    ) -> Recorded | Refusal | None:
        """Do the same, together with something else that may not be possible: then None."""
        self._write.begin()
        self._clone.follow()
        answer = decide(self._chain.state, command, self._effects.now_ms())
        if isinstance(answer, Refusal):
            return answer
        if not answer:
            return Recorded(events=(), records=(), tip=None, seq=len(self._chain.events))
        self._write.before()
        refused = any(isinstance(body, OutcomeRefused) for body in answer)
        if not refused and not along():
            return None
        before = len(self._chain.events)
        recorded = self._chain.append(answer, self._actor, self._effects)
        self._clone.follow()
        if self._seen == before:
            self._seen = recorded.seq
        self._write.after()
        return recorded

    def catch_up(self) -> tuple[Record, ...]:
        """Return the records that others changed since this object looked last."""
        low, self._seen = self._seen, self._clone.known
        if low == self._seen:
            return ()
        return tuple(r for group in self._chain.replaced[low : self._seen] for r in group)

    def load(self) -> State:
        """Return the team, its tasks and its live executions in memory."""
        known = self._clone.state
        fresh = State()
        fresh.put(() if known.team is None else (known.team,))
        tasks = sorted(known.tasks.values(), key=lambda task: task.order)
        fresh.put(tasks)
        fresh.put(known.live())
        self._seen = self._clone.known
        return fresh

    def view(self) -> State:
        """Return the state as the clone knows it."""
        return self._clone.state

    def queue_log(self) -> list[StoredEvent]:
        """Return the merge queue's events from its last opening on."""
        found = []
        for stored in self.events(newest_first=True):
            if isinstance(stored.event.body, QueueEventBody):
                found.append(stored)
            if isinstance(stored.event.body, QueueOpened):
                return found[::-1]
        return []

    def events(self, *, newest_first: bool) -> Iterable[StoredEvent]:
        """Yield all events that the clone has."""
        known = self._chain.events[: self._clone.known]
        return reversed(known) if newest_first else known

    def distrust(self) -> str:
        """Find nothing: a made-up clone has no tables beside its ledger."""
        return ""


class Told:
    """What a clone knows of the checkpoints of what workers are told."""

    def __init__(self, chain: Chain, clone: Clone) -> None:
        self._chain = chain
        self._clone = clone

    def events(self, *, task: str, newest_first: bool) -> Iterable[StoredEvent]:
        """Yield a task's checkpoints."""
        found = self._chain.told.get(task, ())
        known = [stored for stored in found if stored.seq <= self._clone.known]
        return reversed(known) if newest_first else known


class Blobs:
    """Bytes by their digest; every clone has them all."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}

    def read(self, oid: str) -> tuple[str, bytes]:
        """Return kind and content."""
        return "blob", self._held[oid]

    def write_blob(self, data: bytes) -> str:
        """Store bytes."""
        oid = digest(data)[:40]
        self._held[oid] = data
        return oid


class Clone:
    """How much of the chain a clone has, and the fold of that."""

    def __init__(self, chain: Chain) -> None:
        self.known = 0
        self.state = State()
        self._chain = chain

    def follow(self) -> None:
        """Bring all that is recorded."""
        for records in self._chain.replaced[self.known :]:
            self.state.put(records)
        self.known = len(self._chain.replaced)


class Write:
    """What can go wrong around a transaction; nothing does for a person."""

    def begin(self) -> None:
        """Reach the authority. Raises ``CtoError`` when it cannot be."""

    def before(self) -> None:
        """Stand before the one step that counts. Raises ``CtoError`` when the disk is full."""

    def after(self) -> None:
        """Stand behind it. Raises ``CtoError`` when the answer was lost."""


class Failing(CtoError):  # noqa: N818  # a state of the world, not a fault
    """The made-up world says no."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "wait until it is over")
