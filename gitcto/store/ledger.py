"""A team's ledger: the one write path of every mutation.

Order of a write, and nothing else may write: lock, read the tip, ``BEGIN IMMEDIATE``, catch up,
decide, durable commit object, compare-and-swap of the one ref, tables, ``COMMIT``, unlock. The swap
is the only commit point. Whatever dies before it has changed nothing; whatever dies after it is
made good when the next reader catches up. Where a remote is the authority, the swap of *its* ref is
the commit point, and comes before ours (:mod:`gitcto.store.shared`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.git.lock import exclusive
from gitcto.git.objects import Objects
from gitcto.model import commands as cmd
from gitcto.model.codec import Event, seal
from gitcto.model.decide import decide
from gitcto.model.events import OutcomeRefused, TeamCreated
from gitcto.model.records import Record
from gitcto.store import commits, growth, heal, verify
from gitcto.store.attach import attach
from gitcto.store.chain import Outrun, teams
from gitcto.store.queries import StoredEvent, Summary
from gitcto.store.reader import LedgerReader
from gitcto.store.sidecar import SidecarUnusable, lock_path
from gitcto.store.subjects import subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitcto.effects import Effects
    from gitcto.git.remotes import RefMove
    from gitcto.git.repository import Repository
    from gitcto.model.decide import Answer
    from gitcto.model.events import EventBody
    from gitcto.store.projection import Projection
    from gitcto.store.shared import Shared
    from gitcto.store.sidecar import Sidecar

__all__ = ["Ledger", "NewerLedger", "Recorded", "StoredEvent", "Summary", "teams"]

_SWAPS = 50
_AT_ONCE = 4
_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A command was recorded: its events, the records they replaced, and the ledger's tip.

    ``seq`` is the number of the ledger's last event. No events mean that everything the command
    asks for had been recorded before.
    """

    events: tuple[Event, ...]
    records: tuple[Record, ...]
    tip: str | None
    seq: int


class NewerLedger(CtoError):  # noqa: N818 - a state, not a fault
    """The ledger holds events that this version cannot read, so it must not decide."""

    def __init__(self, team: str, unknown: int) -> None:
        super().__init__(
            f"the ledger of team {team} was written by a newer git-cto "
            f"({unknown} events of unknown kinds)",
            "upgrade git-cto; this version can show the ledger but must not change it",
        )


class Ledger(LedgerReader):
    """One team's ledger, to be read and written. Use it from one thread, and close it.

    ``actor`` is who every event is recorded for; ``shared`` the remote that has the last word.
    """

    def __init__(
        self,
        repository: Repository,
        team: str,
        effects: Effects,
        actor: str,
        shared: Shared | None = None,
    ) -> None:
        super().__init__(repository, team)
        self._effects = effects
        self.actor = actor
        self._shared = shared
        self._objects = Objects(repository)

    def transact(
        self,
        command: cmd.Command,
        attachments: Mapping[str, str] | None = None,
        along: RefMove | None = None,
    ) -> Recorded | cmd.Refusal:
        """Decide on a command and record what follows from it: all of it, or nothing.

        ``attachments`` are oids of trees or blobs by path, kept in the tree of the ledger commit.
        ``along`` is a ref of the remote that moves with the ledger or not at all; an outcome that
        is refused moves nothing. Raises :class:`NewerLedger`,
        :class:`gitcto.store.shared.TargetMoved` or another ``CtoError``; then nothing was recorded,
        unless a remote that did not answer had heard it: the next look will tell.
        """
        return self._answered(lambda: self._locked_attempts(command, attachments or {}, along))

    def rebuild(self) -> None:
        """Forget what the sidecar holds of this team and follow the ledger from its first event.

        Objects that git lost are written again first, as long as the sidecar still knows them.
        """
        self._answered(self._rebuild)

    def heal(self) -> int:
        """Write ledger commits that git lost again, bit for bit; return how many."""
        with self._locked(self.sidecar()):
            return self._answered(lambda: heal.heal(self.repository, self.sidecar().db, self.team))

    def verify_chain(self) -> list[str]:
        """Return everything that is wrong with the ledger in git, the sidecar aside."""
        return verify.verify_chain(self.repository, self.ref, self.tip())

    def _rebuild(self) -> None:
        side = self.sidecar()
        with self._locked(side):
            heal.heal(self.repository, side.db, self.team)
            side.forget(self.team)
            with side.writing(self.team) as projection:
                self._follow(side, projection, self.tip())

    def _locked_attempts(
        self, command: cmd.Command, attachments: Mapping[str, str], along: RefMove | None
    ) -> Recorded | cmd.Refusal:
        side = self.sidecar()
        with exclusive(lock_path(self.repository)):
            for tried in range(_SWAPS):
                try:
                    outcome = self._attempt(side, command, attachments, along)
                except Outrun:
                    if self._shared is not None and tried >= _AT_ONCE:
                        self._effects.pause(_PAUSE_S * (tried % 10))
                    continue
                if isinstance(outcome, Recorded) and outcome.events:
                    self._effects.crash_point("ledger.sidecar")
                    growth.pack_if_due(self.repository, side, self.team)
                return outcome
        raise CtoError(
            f"{self.ref} keeps moving under us",
            "something else writes this ref all the time; stop it and run again",
            ExitCode.GIT,
        )

    def _attempt(
        self,
        side: Sidecar,
        command: cmd.Command,
        attachments: Mapping[str, str],
        along: RefMove | None,
    ) -> Recorded | cmd.Refusal:
        recorded: Recorded | None = None
        try:
            with side.writing(self.team) as projection:
                tip = self.tip()
                self._follow(side, projection, tip)
                answer = self._decided(projection, command)
                if isinstance(answer, cmd.Refusal):
                    return answer
                if not answer:
                    return Recorded(events=(), records=(), tip=tip, seq=projection.cursor.seq)
                recorded = self._record(projection, answer, attachments, along)
        except (CtoError, SidecarUnusable):
            if recorded is None:
                raise
            self.close()  # it is in the ledger, though not in the tables: catching up puts it there
        return recorded

    def _decided(self, projection: Projection, command: cmd.Command) -> Answer:
        if projection.cursor.unknown:
            raise NewerLedger(self.team, projection.cursor.unknown)
        return decide(projection, command, self._effects.now_ms())

    def _record(
        self,
        projection: Projection,
        bodies: Sequence[EventBody],
        attachments: Mapping[str, str],
        along: RefMove | None,
    ) -> Recorded:
        if any(isinstance(body, TeamCreated) and body.team != self.team for body in bodies):
            raise ValueError(f"the ledger of {self.team} cannot hold another team")
        before = projection.cursor
        commit = self._write(projection, bodies, attachments)
        self._effects.crash_point("ledger.object")
        events, records = projection.apply(commit)
        refused = any(isinstance(body, OutcomeRefused) for body in bodies)
        self._swap(before.tip, commit.oid, None if refused else along)
        self._effects.crash_point("ledger.ref")
        if self._seen == before.seq:
            self._seen = projection.cursor.seq
        return Recorded(events=events, records=records, tip=commit.oid, seq=projection.cursor.seq)

    def _swap(self, old: str | None, new: str, along: RefMove | None) -> None:
        """Make a commit the ledger's last: at the remote first, if one has the last word."""
        if self._shared is not None:
            self._shared.publish(old, new, along)
            self._effects.crash_point("ledger.pushed")
        if self._refs.compare_and_swap(self.ref, old, new):
            return
        # Whoever fetches may move our ref to what we pushed, and beyond, before we do.
        if self._shared is None or not self._shared.holds(new):
            raise Outrun

    def _write(
        self, projection: Projection, bodies: Sequence[EventBody], attachments: Mapping[str, str]
    ) -> commits.LedgerCommit:
        at = projection.cursor
        now_ms = self._effects.now_ms()
        sealed = seal(
            bodies, prev=at.digest, actor=self.actor, now_ms=now_ms, new_id=self._effects.new_id
        )
        tree = self.repository.empty_tree
        if attachments:
            tree = attach(self._objects, attachments)
        elif at.tip is None:  # git knows it by heart, other readers may not; once is enough
            self._objects.write_tree(())
        raw = commits.encode(
            tree=tree,
            parent=at.tip,
            seconds=max(now_ms // 1000, at.seconds),
            subject=subject(projection, bodies),
            lines=[line for _, line in sealed],
        )
        return commits.decode(self._objects.write("commit", raw), "commit", raw)
