"""Reading a team's ledger through the sidecar, which is brought up to date first."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

from gitcto.errors import CtoError, ExitCode
from gitcto.git.refs import Refs
from gitcto.model.ids import is_team_name
from gitcto.model.mail_records import UNDER_WAY
from gitcto.model.state import State
from gitcto.store import chain, queries
from gitcto.store.heartbeat import beats
from gitcto.store.projection import Cursor, Projection, read_cursor
from gitcto.store.sidecar import (
    Sidecar,
    SidecarUnusable,
    is_read_only,
    lock_path,
    quarantine,
    translated,
)
from gitcto.store.view import SidecarView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitcto.git.repository import Repository
    from gitcto.model.mail_records import Mail, MailState
    from gitcto.model.records import Execution, Record, Task
    from gitcto.model.view import StateView
    from gitcto.store.queries import StoredEvent, Summary

T = TypeVar("T")

_LAST = 1 << 62


class LedgerReader:
    """One team's ledger, to be read. Use it from one thread, and close it.

    Every question first follows the ref (about 20 us when nothing moved). All methods raise
    ``CtoError``: :class:`gitcto.store.chain.LedgerForked` when the ref lost what was seen before,
    :class:`gitcto.store.commits.LedgerBroken` when it leads to something else than a ledger.
    """

    def __init__(self, repository: Repository, team: str) -> None:
        if not is_team_name(team):
            raise CtoError(
                f"{team!r} cannot name a team",
                "use lower-case letters, digits and inner dashes, at most 40",
                ExitCode.USAGE,
            )
        self.team = team
        self.ref = chain.ledger_ref(team)
        self.repository = repository
        self._refs = Refs(repository)
        self._opened: Sidecar | None = None
        self._seen = 0

    def __enter__(self) -> Self:
        """Use the ledger; nothing is opened before it is needed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the sidecar."""
        self.close()

    def close(self) -> None:
        """Close the sidecar; it is opened again when something is asked."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def tip(self) -> str | None:
        """Return the oid of the last ledger commit, or None when there is no ledger."""
        return self._refs.read(self.ref)

    def exists(self) -> bool:
        """Tell whether the team has a ledger."""
        return self.tip() is not None

    def catch_up(self) -> tuple[Record, ...]:
        """Return the records that others changed since this object looked last.

        What :meth:`gitcto.store.ledger.Ledger.transact` returned may be among them again.
        """

        def changed() -> tuple[Record, ...]:
            side, cursor = self._current()
            if cursor.seq == self._seen:
                return ()
            with side.reading() as db:
                cursor = read_cursor(db, self.team)
                records = queries.changed_after(db, self.team, self._seen)
            self._seen = cursor.seq
            return records

        return self._answered(changed)

    def load(self, state: State | None = None) -> State:
        """Return the team, its tasks, its live executions and the mail under way in memory.

        A ``state`` from an earlier call is brought up to date and returned.
        """
        if state is not None:
            state.put(self.catch_up())
            return state
        fresh, cursor = self.load_apart()
        self._seen = cursor.seq
        return fresh

    def load_apart(self) -> tuple[State, Cursor]:
        """Return what :meth:`load` would, and how far that is; :meth:`catch_up` stays as it was."""

        def everything() -> tuple[State, Cursor]:
            side, _ = self._current()
            with side.reading() as db:
                view = SidecarView(db, self.team)
                team = view.team
                fresh = State()
                fresh.put(() if team is None else (team,))
                fresh.put(queries.all_tasks(db, self.team))
                fresh.put(view.live())
                fresh.put(queries.mail_in(db, self.team, UNDER_WAY))
                return fresh, read_cursor(db, self.team)

        return self._answered(everything)

    def view(self) -> StateView:
        """Return the state by look-ups in the sidecar; it shows what is stored when asked."""
        return SidecarView(self._answered(lambda: self._current()[0].db), self.team)

    def summary(self, rows_each: int = 10) -> Summary:
        """Return a team at a glance, with at most ``rows_each`` of everything that can grow."""

        def look() -> Summary:
            side, _ = self._current()
            with side.reading() as db:
                return queries.summary(db, self.team, rows_each)

        return self._answered(look)

    def tasks(self) -> list[Task]:
        """Return every task, in the order of the plan."""
        return self._answered(lambda: queries.all_tasks(self._current()[0].db, self.team))

    def executions(self, task_id: str) -> list[Execution]:
        """Return every attempt at a task, the first one first."""

        def look() -> list[Execution]:
            return queries.executions_of(self._current()[0].db, self.team, task_id)

        return self._answered(look)

    def mail_in(self, *states: MailState) -> list[Mail]:
        """Return the messages in some states, in the order in which they were sent."""
        return self._answered(lambda: queries.mail_in(self._current()[0].db, self.team, states))

    def newest_mail(self, limit: int) -> list[Mail]:
        """Return the last messages, the newest first."""
        return self._answered(lambda: queries.newest_mail(self._current()[0].db, self.team, limit))

    def beats(self) -> dict[str, int]:
        """Return when each execution was last looked after here, as its supervisor wrote it."""
        return self._answered(lambda: beats(self.sidecar().db, self.team))

    def preserved(self) -> list[Execution]:
        """Return the executions whose work is kept under a ref, in the order they were leased."""
        return self._answered(lambda: queries.preserved(self._current()[0].db, self.team))

    def events(
        self,
        after: int = 0,
        limit: int | None = None,
        task: str | None = None,
        *,
        newest_first: bool = False,
    ) -> Iterator[StoredEvent]:
        """Yield the events with numbers above ``after``, of one task or of all.

        Pages are read as they are needed, so events recorded meanwhile may appear at the end.
        """
        low, high, left = after, _LAST, _LAST if limit is None else limit
        self._answered(self._current)
        while left > 0:
            wanted = queries.Page(
                after=low,
                before=high,
                task=task,
                newest_first=newest_first,
                limit=min(left, queries.PAGE),
            )
            found = self._answered(partial(self._page, wanted))
            yield from found
            if len(found) < wanted.limit:
                return
            left -= len(found)
            low, high = (low, found[-1].seq) if newest_first else (found[-1].seq, high)

    def queue_log(self, before: int = _LAST) -> list[StoredEvent]:
        """Return the merge queue's events below number ``before``, from its last opening on.

        Costs what the run that opened it recorded, however long the ledger is.
        """
        return self._answered(lambda: queries.queue_log(self._current()[0].db, self.team, before))

    def count(self, kind: str) -> int:
        """Return how many events of one kind the ledger holds; looks at every event."""
        return self._answered(lambda: queries.count(self._current()[0].db, self.team, kind))

    def _page(self, wanted: queries.Page) -> list[StoredEvent]:
        return queries.page(self.sidecar().db, self.team, wanted)

    def sidecar(self) -> Sidecar:
        """Return the open sidecar, as it stands."""
        if self._opened is not None and not self._opened.is_current():
            self.close()
        if self._opened is None:
            self._opened = Sidecar.open(self.repository)
        return self._opened

    def _current(self) -> tuple[Sidecar, Cursor]:
        """Return the sidecar after it has followed the ref, and how far that is."""
        side = self.sidecar()
        cursor = read_cursor(side.db, self.team)
        if cursor.tip == self.tip():
            return side, cursor
        try:
            with self._locked(side), side.writing(self.team) as projection:
                self._follow(side, projection, self.tip())
                cursor = projection.cursor
        except CtoError as error:
            if side.is_private or not is_read_only(error):
                raise
            self.close()
            self._opened = Sidecar.in_memory(self.repository)
            return self._current()
        return side, cursor

    @contextmanager
    def _locked(self, side: Sidecar) -> Iterator[None]:
        from gitcto.git.lock import exclusive

        if side.is_private:
            yield
        else:
            with exclusive(lock_path(self.repository)):
                yield

    def _follow(self, side: Sidecar, projection: Projection, tip: str | None) -> None:
        """Apply what the ref holds beyond the projection; a long way in several transactions."""
        known = projection.cursor.tip
        if known == tip:
            return
        if tip is None:
            raise chain.LedgerForked(self.ref, str(known), None)
        first = True
        for commits in chain.after(self.repository, self.ref, known, tip):
            if not first:
                side.checkpoint(projection)
            first = False
            for commit in commits:
                projection.apply(commit)

    def _answered(self, action: Callable[[], T]) -> T:
        """Do something with the sidecar, from an empty one again when it proves unusable."""
        try:
            with translated():
                return action()
        except SidecarUnusable:
            self.close()
            quarantine(self.repository)
        try:
            with translated():
                return action()
        except SidecarUnusable as error:
            raise CtoError(
                f"the sidecar cannot be used: {error}",
                "delete cto/sidecar.db in the git directory; nothing is lost with it",
                ExitCode.GIT,
            ) from error
