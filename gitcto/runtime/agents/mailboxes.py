"""The mailboxes of a run's workers as they are: files in scratch directories, and providers."""

from __future__ import annotations

from gitcto import mailbox
from gitcto.containment import Crashed, TimedOut
from gitcto.mail_contracts import Found, Letter, SendRequest, SendResult
from gitcto.model.records import Execution
from gitcto.runtime.agents.providers import provider_of
from gitcto.runtime.core.jobs import Job, Post
from gitcto.runtime.core.mailbox_world import Mailboxes
from gitcto.runtime.core.messages import LettersHanded
from gitcto.runtime.host.ask import ask
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.layout import execution_of

SEND_DEADLINE_S = 10.0
"""How long a provider may take to hand over one letter (seconds)."""


class RealMailboxes(Mailboxes):
    """Looks into scratch directories, and asks providers to hand letters over."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def handing(self, execution: Execution, letters: tuple[Letter, ...]) -> Job:
        """Return the job that hands letters to an agent, in order, until one is not taken.

        ``execution`` is as the agent's room knows it.
        """
        return lambda post: _hand(self._context, execution, letters, post)

    def messages(self, execution: str) -> list[Found]:
        """Return what a worker wants to send, in order, a few at a time."""
        return mailbox.messages(self._context.layout.scratch(execution))

    def marks(self, execution: str, box: str) -> dict[int, Found]:
        """Return what a worker marked in a box, by number."""
        return mailbox.marks(self._context.layout.scratch(execution), box)

    def remove(self, execution: str, box: str, name: str) -> None:
        """Take a file out of a box."""
        mailbox.remove(self._context.layout.scratch(execution), box, name)

    def refuse(self, execution: str, name: str, reason: str) -> None:
        """Take a message out of the outbox and tell its worker why it was not sent."""
        mailbox.refuse(self._context.layout.scratch(execution), name, reason)


def _hand(context: Context, execution: Execution, letters: tuple[Letter, ...], post: Post) -> None:
    taken: list[int] = []
    shown: list[int] = []
    result = SendResult(status="taken")
    failed = 0
    for letter in letters:
        result = _send(context, execution, letter)
        context.effects.crash_point("mail.handed")
        if result.status in {"not_supported", "failed"}:
            failed = letter.number if result.status == "failed" else 0
            break
        taken.append(letter.number)
        if result.status == "shown":
            shown.append(letter.number)
    post(
        LettersHanded(
            execution=execution_of(execution.id),
            taken=tuple(taken),
            shown=tuple(shown),
            failed=failed,
            reason=result.reason,
            closed=result.status == "not_supported",
        )
    )


def _send(context: Context, execution: Execution, letter: Letter) -> SendResult:
    """Ask the provider of an execution to hand over one letter; whatever breaks is a failure."""
    registered, settings = provider_of(context, execution)
    request = SendRequest(
        letter=letter,
        execution=execution_of(execution.id),
        scratch=context.layout.scratch(execution.id),
        settings=settings.settings,
    )
    answer: SendResult | Crashed | TimedOut = ask(
        context.plugins, registered, "send", request, deadline_s=SEND_DEADLINE_S
    )
    if isinstance(answer, Crashed | TimedOut):
        return SendResult(status="failed", reason=f"{answer.what}: {answer.reason}")
    return answer
