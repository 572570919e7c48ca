"""The loop's pen: records commands in the ledger, keeps the state, tells who listens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from gitcto.errors import CtoError
from gitcto.model.body import Body
from gitcto.model.codec import Event
from gitcto.model.commands import Command, Refusal, SingleCommand, Together
from gitcto.model.events import OutcomeRefused
from gitcto.model.records import TeamMode
from gitcto.model.state import State
from gitcto.runtime.core.world import World

LOOK_EVERY_S = 1.0
"""How long a run leaves the remote in peace, at least (seconds)."""


class Listener(Protocol):
    """Is told what a run does, on the loop's thread."""

    def recorded(self, event: Event, state: State) -> None:
        """Take note of an event that is durable; ``state`` includes it."""

    def note(self, text: str) -> None:
        """Take note of something worth a line that is no event."""


class Book:
    """A team's ledger and its state, for the one thread that runs the team.

    ``followers`` are told of every event recorded here, before the listener is.
    """

    def __init__(self, world: World, listener: Listener) -> None:
        self.world = world
        self.state = world.ledger.load()
        self.listener = listener
        self.followers: list[Callable[[Body], None]] = []
        self._look_at = 0.0
        self._silent = ""

    def record(
        self, *commands: SingleCommand, attachments: Mapping[str, str] | None = None
    ) -> Refusal | None:
        """Record commands in one transaction; return the refusal when they are not allowed.

        An outcome that came too late is refused as well (``fenced``): nothing but that is recorded,
        and the state is what the one who took the lease has made of it.
        """
        command: Command = commands[0] if len(commands) == 1 else Together(commands)
        answer = self.world.ledger.transact(command, attachments or {})
        if isinstance(answer, Refusal):
            return answer
        self.state.put(answer.records)
        for event in answer.events:
            if isinstance(event.body, Body):
                for follow in self.followers:
                    follow(event.body)
        for seq, event in enumerate(answer.events, answer.seq - len(answer.events) + 1):
            self.listener.recorded(event, self.state)
            self.world.notify(event, seq)
        return self._fenced(answer.events)

    def _fenced(self, events: Iterable[Event]) -> Refusal | None:
        late = next((e.body for e in events if isinstance(e.body, OutcomeRefused)), None)
        if late is None:
            return None
        self.state.put(self.world.ledger.catch_up())
        detail = f"{late.command} of {late.execution} came too late, its lease is over"
        return Refusal("fenced", "model.lease", detail)

    def distrust(self) -> None:
        """Rebuild the sidecar when it is not the ledger's fold: a worker may have written in it.

        Where workers cannot write outside their rooms, nobody looks.
        """
        problem = self.world.ledger.distrust()
        if problem:
            self.listener.note(
                f"the sidecar said {problem}, the ledger does not: it was not believed, and rebuilt"
            )
            self.state = self.world.ledger.load()

    def catch_up(self) -> None:
        """Take in what other commands recorded, and now and then what other clones did."""
        if self.world.shared and self.world.effects.monotonic_s() >= self._look_at:
            self._look()
        self.state.put(self.world.ledger.catch_up())

    def _look(self) -> None:
        """Ask the remote, and not again before ten times as long: the loop has more to do.

        A remote that does not answer is no reason to stop before something must be recorded.
        """
        clock = self.world.effects.monotonic_s
        began, before = clock(), self._silent
        self._silent = self.world.target.look()
        if self._silent and not before:
            self.listener.note(f"{self._silent}; going on with what is known")
        ended = clock()
        self._look_at = ended + max(LOOK_EVERY_S, 10 * (ended - began))

    @property
    def mode(self) -> TeamMode:
        """What the team is allowed to start."""
        return self.state.team.mode if self.state.team else TeamMode.STOPPED

    @property
    def target(self) -> str:
        """The full name of the branch the team lands on."""
        return self.state.team.target if self.state.team else ""

    def tip(self) -> str:
        """Return the commit at the target, and at the remote's where the team is shared.

        Raises ``CtoError`` when the branch is gone.
        """
        if self.world.shared:
            self._look()
        tip = self.world.target.tip(self.target)
        if tip is None:
            branch = self.target.removeprefix("refs/heads/")
            raise CtoError(
                f"the target branch {branch} is gone",
                f"put it back with `git branch {branch} <commit>`, then run again",
            )
        return tip
