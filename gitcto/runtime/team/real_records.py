"""The ledger of a run as it is: in git, with a sidecar beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gitcto.model.commands import Command, Refusal
from gitcto.model.isolation import confines
from gitcto.model.records import Record
from gitcto.model.state import State
from gitcto.model.view import StateView
from gitcto.runtime.core.world import Records
from gitcto.runtime.host.context import Context
from gitcto.store.audit import Audit
from gitcto.store.ledger import Recorded
from gitcto.store.queries import StoredEvent


class RealRecords(Records):
    """The ledger in git; where workers can reach the sidecar it is compared with git."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._ledger = context.ledger
        self._audit = Audit(context.ledger)

    @property
    def actor(self) -> str:
        """Who its events are recorded for."""
        return self._ledger.actor

    def transact(
        self, command: Command, attachments: Mapping[str, str] | None = None
    ) -> Recorded | Refusal:
        """Decide on a command and record what follows from it: all of it, or nothing."""
        return self._ledger.transact(command, attachments)

    def catch_up(self) -> tuple[Record, ...]:
        """Return the records that others changed since this object looked last."""
        return self._ledger.catch_up()

    def load(self) -> State:
        """Return the team, its tasks and its live executions in memory."""
        return self._ledger.load()

    def view(self) -> StateView:
        """Return the state by look-ups; it shows what is recorded when asked."""
        return self._ledger.view()

    def queue_log(self) -> list[StoredEvent]:
        """Return the merge queue's events from its last opening on."""
        return self._ledger.queue_log()

    def events(self, *, newest_first: bool) -> Iterable[StoredEvent]:
        """Yield all events."""
        return self._ledger.events(newest_first=newest_first)

    def distrust(self) -> str:
        """Look whether the tables are what the ledger says; if not, rebuild them and say what."""
        isolation = self._context.isolation
        if isolation is None or confines(isolation.level):
            return ""
        problem = self._audit.difference()
        if problem:
            self._ledger.rebuild()
        return problem
