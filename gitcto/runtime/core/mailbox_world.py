"""Workers' mailboxes as the loop sees them; a part of :mod:`gitcto.runtime.core.world`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gitcto.mail_contracts import Found, Letter
    from gitcto.model.records import Execution
    from gitcto.runtime.core.jobs import Job


class Mailboxes(Protocol):
    """What workers put into their mailboxes and are handed. ``CtoError`` for a spoilt one."""

    def handing(self, execution: Execution, letters: tuple[Letter, ...]) -> Job:
        """Return the job that hands letters to an agent, in order, until one is not taken.

        ``execution`` is as the agent's room knows it.
        """

    def messages(self, place: str) -> list[Found]:
        """Return what a worker wants to send, in order, a few at a time."""

    def marks(self, place: str, box: str) -> dict[int, Found]:
        """Return what a worker marked in a box: ``shown`` or ``acked``, by number."""

    def remove(self, place: str, box: str, name: str) -> None:
        """Take a file out of a box, once what it says is recorded."""

    def refuse(self, place: str, name: str, reason: str) -> None:
        """Take a message out of the outbox and tell its worker why it was not sent."""
