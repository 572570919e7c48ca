"""Is the sidecar what the ledger says? Asked where a worker can write into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.model.codec import decode
from gitcto.model.evolve import evolve
from gitcto.model.state import State
from gitcto.store import chain

if TYPE_CHECKING:
    from gitcto.store.reader import LedgerReader


class Audit:
    """Folds the ledger from git by itself and compares; each event is read once."""

    def __init__(self, ledger: LedgerReader) -> None:
        self._ledger = ledger
        self._state = State()
        self._tip: str | None = None
        self._seq = 0

    def difference(self) -> str:
        """Return the first thing that the sidecar says and the ledger does not, or nothing.

        The team, every task and every execution that holds a lease are compared. Raises
        ``CtoError``.
        """
        ledger = self._ledger
        try:
            told, cursor = ledger.load_apart()
        except ValueError as error:
            return f"something that cannot be read ({error})"
        self._follow(cursor.tip)
        own = self._state
        if told.team != own.team:
            return f"something else of team {ledger.team}"
        for task_id in sorted({*told.tasks, *own.tasks}):
            said, true = told.tasks.get(task_id), own.tasks.get(task_id)
            if said != true:
                return f"{task_id} is {said.state if said else 'not there'}"
        live = {x.id: x for x in told.live()}
        for x in own.live():
            if live.pop(x.id, None) != x:
                return f"something else of execution {x.id}"
        return f"that execution {min(live)} is alive" if live else ""

    def _follow(self, tip: str | None) -> None:
        if tip is None or tip == self._tip:
            return
        ledger = self._ledger
        for commits in chain.after(ledger.repository, ledger.ref, self._tip, tip):
            for commit in commits:
                for line in commit.lines:
                    self._seq += 1
                    self._state.put(evolve(self._state, decode(line), self._seq))
        self._tip = tip
