"""Mailboxes for a world that is made up: workers write nothing, and take nothing while they run."""

from __future__ import annotations

from gitcto.mail_contracts import Found, Letter
from gitcto.model.records import Execution
from gitcto.runtime.core.jobs import Job
from gitcto.runtime.core.mailbox_world import Mailboxes
from gitcto.runtime.core.messages import LettersHanded


class QuietMailboxes(Mailboxes):
    """What is sent to a task waits for the prompt of its next attempt."""

    def handing(self, execution: Execution, letters: tuple[Letter, ...]) -> Job:
        """Return the job that finds that an agent takes nothing while it runs."""
        del letters
        return lambda post: post(LettersHanded(execution=execution.id, closed=True))

    def messages(self, execution: str) -> list[Found]:
        """Return nothing."""
        del execution
        return []

    def marks(self, execution: str, box: str) -> dict[int, Found]:
        """Return nothing."""
        del execution, box
        return {}

    def remove(self, execution: str, box: str, name: str) -> None:
        """Do nothing: there is nothing."""

    def refuse(self, execution: str, name: str, reason: str) -> None:
        """Do nothing: nothing was sent."""
