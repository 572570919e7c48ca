"""A team that several clones run: the remote's ledger is the authority.

A transaction counts once the remote has it: its commit is pushed, naming the tip it was decided on,
before our own ref moves. Whoever is outrun brings what the others recorded, and decides again.
Ledgers are never merged. Our own ref follows by fast-forward only; a crash between push and
following is made good by the next look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from gitcto.errors import CtoError, ExitCode
from gitcto.git.lock import exclusive
from gitcto.git.process import trusted
from gitcto.git.refs import Refs
from gitcto.git.remotes import RefMove, Remote, RemoteUnreachable, tracked_by, tracking
from gitcto.git.trees import is_ancestor
from gitcto.model.ids import is_team_name
from gitcto.store.chain import Outrun, ledger_ref
from gitcto.store.sidecar import lock_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gitcto.effects import Effects
    from gitcto.git.repository import Repository

T = TypeVar("T")

PATIENCE_S = (1.0, 2.0, 4.0, 8.0)
"""A run's pauses (seconds) before it asks a remote again that did not answer."""


class TargetMoved(Exception):  # noqa: N818 - a state, not a fault
    """The remote's target was not where a landing expected it."""


class Diverged(CtoError):  # noqa: N818 - a state, not a fault
    """Both this clone and the remote added to the same ref."""


class Shared:
    """One team's ledger, and the branch ``target`` that it lands on, at a remote.

    ``target`` is a full ref name, or nothing where only the ledger is of interest; ``patience_s``
    are the pauses before a transaction tries a silent remote once more; nothing else is so patient.
    Methods raise ``CtoError``.
    """

    def __init__(
        self,
        remote: Remote,
        team: str,
        effects: Effects,
        *,
        target: str = "",
        patience_s: Sequence[float] = (),
    ) -> None:
        self.remote = remote
        self.target = target
        self._ledger = ledger_ref(team)
        self._repository = remote.repository
        self._refs = Refs(remote.repository)
        self._effects = effects
        self._patience_s = patience_s

    def sync(self) -> None:
        """Bring what the remote has, and give it what only this clone has.

        Raises :class:`Diverged` when neither contains the other: the ledger forked.
        """
        with exclusive(lock_path(self._repository)):
            self.pull()
            for ref in filter(None, (self._ledger, self.target)):
                ours, theirs = self._refs.read(ref), self.remote.seen(ref)
                ahead = theirs is None or self._contains(ours, theirs)
                if ours is not None and ours != theirs and ahead:
                    self._give(RefMove(name=ref, old=theirs, new=ours))

    def look(self) -> None:
        """Bring what the remote has."""
        with exclusive(lock_path(self._repository)):
            self.pull()

    def _give(self, move: RefMove) -> None:
        if not self.remote.push(move):
            self.pull()

    def begin_target(self, start: str) -> None:
        """Make the target at ``start``, unless there is one; the first clone's counts."""
        if self._refs.read(self.target) is None:
            with exclusive(lock_path(self._repository)):
                self._give(RefMove(name=self.target, old=None, new=start))
            self.sync()

    def publish(self, before: str | None, commit: str, along: RefMove | None = None) -> None:
        """Push a ledger commit that was decided on ``before``, and one more ref ``along`` with it.

        All or nothing. Raises :class:`gitcto.store.chain.Outrun` or :class:`TargetMoved` when it
        was not taken; then our refs have followed the remote's. The caller holds the write lock.
        """
        known = self.remote.seen(self._ledger)
        if known not in {None, before} and not self._contains(before, str(known)):
            self._reached(self.pull)
            raise Outrun
        moves = [RefMove(name=self._ledger, old=known, new=commit)]
        if along is not None:
            moves.append(along)
        if self._reached(lambda: self.remote.push(*moves)):
            return
        self._reached(self.pull)
        if self._contains(self.remote.seen(self._ledger), commit):
            return  # an earlier try of ours had arrived, only its answer had not
        if along is not None and self.remote.seen(along.name) != along.old:
            raise TargetMoved
        raise Outrun

    def holds(self, commit: str) -> bool:
        """Tell whether our own ledger contains a commit."""
        return self._contains(self._refs.read(self._ledger), commit)

    def pull(self) -> None:
        """Follow the remote's ledger and target, each by fast-forward. The caller holds the lock.

        The branch is read first: nobody sees a branch that is ahead of what the ledger intends.
        """
        wanted = [ref for ref in (self._ledger, self.target) if ref]
        there = self.remote.look(*wanted)
        if self._ledger not in there and self.remote.seen(self._ledger):
            raise _lost(self.remote.name, self._ledger)
        new = [ref for ref in wanted if ref in there and there[ref] != self.remote.seen(ref)]
        if new:
            self.remote.fetch(new)
        if self._ledger in there:
            self._follow(self._ledger, str(self.remote.seen(self._ledger)))
        if self.target in there:
            self._follow(self.target, there[self.target])

    def _follow(self, ref: str, theirs: str) -> None:
        ours = self._refs.read(ref)
        if ours == theirs or (ours is not None and self._contains(ours, theirs)):
            return
        if ours is not None and not self._contains(theirs, ours):
            raise _diverged(self.remote.name, ref, ours, theirs)
        self._refuse_checked_out(ref)
        self._effects.crash_point("remote.fetched")
        self._refs.compare_and_swap(ref, ours, theirs)

    def _refuse_checked_out(self, ref: str) -> None:
        where = self._refs.checked_out().get(ref) if ref == self.target else None
        if where is not None:
            raise CtoError(
                f"{ref.removeprefix('refs/heads/')} is checked out in {where}, so it cannot follow "
                f"{self.remote.name}",
                "switch that worktree to another branch (`git switch --detach`), then run again",
            )

    def _contains(self, newer: str | None, older: str) -> bool:
        return newer is not None and is_ancestor(trusted(self._repository), older, newer)

    def _reached(self, action: Callable[[], T]) -> T:
        for pause_s in self._patience_s:
            try:
                return action()
            except RemoteUnreachable:
                self._effects.pause(pause_s)
        return action()


def joined(repository: Repository, team: str) -> str:
    """Return the name of the remote whose ledger is this team's authority, or nothing.

    What ``git cto init`` and ``git cto run`` found in policy holds for every other command.
    """
    return next(iter(tracked_by(Refs(repository), ledger_ref(team))), "")


def leave(repository: Repository, team: str, *, but: str) -> None:
    """Forget that a team's ledger was shared through any remote, except the one named ``but``."""
    refs, ref = Refs(repository), ledger_ref(team)
    for name in tracked_by(refs, ref):
        held = refs.read(tracking(name, ref)) if name != but else None
        if held is not None:
            refs.delete(tracking(name, ref), held)


def teams_at(remote: Remote) -> list[str]:
    """Return the names of the teams whose ledgers a remote has."""
    head, _, tail = ledger_ref("*").partition("*")
    found = remote.look(ledger_ref("*"))
    names = (name.removeprefix(head).removesuffix(tail) for name in found if name.startswith(head))
    return sorted(name for name in names if is_team_name(name))


def of_joined(
    repository: Repository, team: str, effects: Effects, environ: Mapping[str, str]
) -> Shared | None:
    """Return the shared ledger that a team's transactions go through, if there is one."""
    name = joined(repository, team)
    if not name:
        return None
    return Shared(Remote(repository, name, environ), team, effects)


def _diverged(remote: str, ref: str, ours: str, theirs: str) -> Diverged:
    what = "ledger forked" if ref.endswith("/ledger") else f"{ref} forked"
    then = ", and delete cto/sidecar.db in the git directory" if ref.endswith("/ledger") else ""
    return Diverged(
        f"{what}: {ref} is {ours[:12]} here and {theirs[:12]} at {remote}, and neither contains "
        "the other",
        f"to go on from {remote}'s: keep yours with `git branch forked {ours}`, then "
        f"`git update-ref {ref} {theirs}`{then}",
        ExitCode.GIT,
    )


def _lost(remote: str, ref: str) -> Diverged:
    return Diverged(
        f"ledger forked: {remote} had {ref} and has it no more",
        f"if it was lost, give it back with `git push {remote} {ref}`; if it was meant, set "
        "`ledger = false` in policy.toml, [remote]",
        ExitCode.GIT,
    )
