"""The team's mail while a run lasts: handed to agents, taken from them, ended when it must be.

What is under way is in the ledger; nothing here is remembered that the next run could not find
out again. So a kill at any point leads to a message being handed over twice, never to none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gitcto.context.records import Entry
from gitcto.mail_contracts import Letter
from gitcto.model.mail_commands import (
    AckMail,
    BuryMail,
    DeferMail,
    DeliverMail,
    MailOutcome,
    ShowMail,
)
from gitcto.model.mail_records import UNDER_WAY, Mail, task_address, task_of
from gitcto.model.mail_rules import mail_for, order_of
from gitcto.model.records import WORKING_STATES, Execution, Task, TaskState
from gitcto.model.step_rules import running
from gitcto.runtime.core.book import Book
from gitcto.runtime.core.failures import Failure
from gitcto.runtime.core.jobs import Runner
from gitcto.runtime.core.letters import entry_of, letter_of
from gitcto.runtime.core.messages import LettersHanded
from gitcto.runtime.core.seats import seated, under_way
from gitcto.runtime.loop.mail_collection import Collection

LONGEST_PAUSE_MS = 600_000
"""How long is waited at most before handing a message over is tried again (milliseconds)."""

DONE_FIRST = "its task was done before anybody acted on it"
ENDED = "its worker was ended"


class News(NamedTuple):
    """Messages for an attempt: ``entries`` of its prompt, ``letters`` for its mailbox.

    ``deliveries`` record, with the lease, that it has those that wait.
    """

    entries: tuple[Entry, ...]
    letters: tuple[Letter, ...]
    deliveries: tuple[DeliverMail, ...]


class PostOffice:
    """Hands over the messages of one team. Used by the loop's thread only."""

    def __init__(self, book: Book, jobs: Runner) -> None:
        self._book = book
        self._jobs = jobs
        self._boxes = Collection(book)
        self._handing: set[str] = set()
        self._closed: set[str] = set()

    def step(self, attempts: Iterable[str]) -> None:
        """Take what the workers of these attempts sent, hand them what waits, end what is over."""
        state = self._book.state
        for execution_id in sorted(attempts):
            execution = state.executions[execution_id]
            if execution.state is TaskState.EXECUTING:
                for _, place in under_way(execution):
                    self._boxes.collect(execution, place)
                self._hand_over(execution)
        self._settle()

    def collect(self, execution: Execution, place: str) -> None:
        """Take the last that a worker sent: it has ended. ``place`` is the name of its room."""
        self._boxes.collect(execution, place, last=True)

    def news(self, task: Task, execution: str) -> News:
        """Return what an attempt that is about to be leased is told of the task's messages."""
        told = mail_for(self._book.world.ledger.view(), task)
        waiting = [mail for mail in told if mail.state in UNDER_WAY]
        numbers = tuple(mail.number for mail in waiting)
        given = DeliverMail(execution=execution, epoch=task.epoch + 1, mails=numbers, way="prompt")
        return News(
            entries=tuple(map(entry_of, told)),
            letters=tuple(map(letter_of, waiting)),
            deliveries=(given,) if numbers else (),
        )

    def unread(self, x: Execution) -> tuple[DeliverMail, ...]:
        """Return the command that records that a step of an attempt is told what waits for it.

        Nothing when nothing waits.
        """
        waiting = (mail for mail in self._waiting(x.task) if mail.state in UNDER_WAY)
        numbers = tuple(mail.number for mail in waiting if not mail.is_with(x.id))
        given = DeliverMail(execution=x.id, epoch=x.epoch, mails=numbers, way="prompt")
        return (given,) if numbers else ()

    def urgent(self) -> set[str]:
        """Return the executions that messages end."""
        return {mail.ends for mail in self._book.state.open_mail.values() if mail.ends}

    def interruption(self, execution: Execution) -> Failure | None:
        """Return why an attempt is over, if a message ended it."""
        found = [m for m in self._book.state.open_mail.values() if m.ends == execution.id]
        if not found:
            return None
        stops = [mail for mail in found if mail.urgency == "stop"]
        said = (stops or found)[0]
        detail = f"mail {said.number} from {said.sender}: {said.subject}"
        reason = "stopped" if stops else "interrupted"
        return Failure(reason=reason, detail=detail, charged=False, block=bool(stops))

    def handed(self, message: LettersHanded) -> None:
        """Record what a provider made of the letters it was given."""
        x = self._book.state.executions[message.execution]
        self._handing.discard(x.id)
        if message.closed:
            self._closed.add(x.id)
        commands: list[MailOutcome] = []
        if message.taken:
            taken = message.taken
            commands.append(DeliverMail(execution=x.id, epoch=x.epoch, mails=taken, way="send"))
        if message.shown:
            commands.append(ShowMail(execution=x.id, epoch=x.epoch, mails=message.shown))
        if message.failed:
            commands.append(self._deferral(x, message.failed, message.reason))
        if commands and x.state is TaskState.EXECUTING:
            self._book.record(*commands)
            self._book.world.effects.crash_point("mail.delivered")

    def _deferral(self, x: Execution, number: int, reason: str) -> DeferMail:
        settings, mail = self._book.world.policy.mail, self._book.state.mail(number)
        pause_ms = settings.backoff_s * 1000 << (mail.tries if mail else 0)
        return DeferMail(
            execution=x.id,
            epoch=x.epoch,
            mail=number,
            reason=reason,
            until_ms=self._book.world.effects.now_ms() + min(pause_ms, LONGEST_PAUSE_MS),
            max_tries=settings.max_tries,
        )

    def _hand_over(self, x: Execution) -> None:
        """Let the provider hand what waits to a running agent, in order, one job at a time."""
        waiting = self._waiting(x.task)
        if not waiting or x.id in self._handing | self._closed | self.urgent():
            return
        writer = next((step for step in running(x) if step.edits), None)
        wanted = order_of(waiting, x.id, self._book.world.effects.now_ms())
        if wanted and (writer or not x.steps):
            self._handing.add(x.id)
            letters = tuple(letter_of(mail) for mail in wanted)
            job = self._book.world.mail.handing(seated(x, writer), letters)
            self._jobs.start(f"mail {x.id}", job)

    def _waiting(self, task: str) -> list[Mail]:
        address = task_address(task)
        waiting = (m for m in self._book.state.open_mail.values() if m.recipient == address)
        return sorted(waiting, key=lambda mail: mail.number)

    def _settle(self) -> None:
        """End what nobody will act on any more, and what was acted on by ending a worker."""
        state, dead, acted = self._book.state, [], []
        for mail in state.open_mail.values():
            task = state.tasks.get(task_of(mail.recipient))
            ended = state.executions.get(mail.ends)
            gone = mail.ends and (ended is None or ended.state not in WORKING_STATES)
            if mail.urgency == "stop" and gone:
                acted.append(mail.number)
            elif task is not None and task.state is TaskState.DONE:
                dead.append(mail.number)
        if acted:
            self._book.record(AckMail(mails=tuple(acted), by="git-cto", note=ENDED))
        if dead:
            self._book.record(BuryMail(mails=tuple(dead), reason=DONE_FIRST))
            self._book.world.effects.crash_point("mail.buried")
