"""The events of messages between the people and the workers of a team.

A message that is acted on or dead is over; every other one is under way. ``mails`` are numbers of
messages, in ranges: ``[[3, 5], [9, 9]]`` is 3, 4, 5 and 9.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from gitcto.model.body import Body
from gitcto.model.mail_records import Urgency, task_of

Ranges = tuple[tuple[int, int], ...]


class MailSent(Body, frozen=True, kw_only=True, tag_field="kind", tag="mail.sent"):
    """A message was sent: from here on it is under way, whatever dies.

    ``mail`` is its number among the team's messages. ``sender`` and ``recipient`` are ``lead``,
    ``person:NAME`` or ``task:ID``. ``artifacts`` are git objects by name, kept by this
    transaction's tree. ``source`` is the execution that sent it, ``ends`` the one that an urgent
    one ends.
    """

    mail: int
    sender: str
    recipient: str
    key: str
    subject: str
    body: str = ""
    urgency: Urgency = "normal"
    artifacts: dict[str, str] = field(default_factory=dict)
    reply_to: int = 0
    source: str = ""
    ends: str = ""

    @property
    def task(self) -> str:
        """The task that it is for, or comes from: its log shows it."""
        return task_of(self.recipient) or task_of(self.sender)


class MailDelivered(Body, frozen=True, kw_only=True, tag_field="kind", tag="mail.delivered"):
    """An execution has messages: in its ``prompt``, or because its provider took them (``send``).

    In what order they were sent on each route. Whether its agent looked is not known yet.
    """

    execution: str
    epoch: int
    mails: Ranges
    way: Literal["prompt", "send"]


class MailShown(Body, frozen=True, kw_only=True, tag_field="kind", tag="mail.shown"):
    """The agent of an execution has messages before its eyes.

    They are in the prompt it was started with, its provider said so, or it opened them itself.
    """

    execution: str
    epoch: int
    mails: Ranges


class MailDeferred(Body, frozen=True, kw_only=True, tag_field="kind", tag="mail.deferred"):
    """Handing a message to an execution failed; it is tried again, not before ``until_ms``."""

    mail: int
    execution: str
    epoch: int
    tries: int
    until_ms: int
    reason: str


class MailActed(Body, frozen=True, kw_only=True, tag_field="kind", tag="mail.acted"):
    """Messages were acknowledged by ``by``: nobody has to be told again."""

    mails: Ranges
    by: str
    note: str = ""
    execution: str = ""


class MailDied(Body, frozen=True, kw_only=True, tag_field="kind", tag="mail.dead"):
    """Messages will not be delivered any more, unless somebody asks for it."""

    mails: Ranges
    reason: str


class MailRequeued(Body, frozen=True, kw_only=True, tag_field="kind", tag="mail.requeued"):
    """A person wants dead messages delivered after all."""

    mails: Ranges


MailEventBody = (
    MailSent | MailDelivered | MailShown | MailDeferred | MailActed | MailDied | MailRequeued
)


def in_ranges(numbers: tuple[int, ...]) -> Ranges:
    """Return numbers, each once, as the fewest ranges, the lowest first."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


def numbers_in(ranges: Ranges) -> tuple[int, ...]:
    """Return the numbers that ranges stand for."""
    return tuple(number for low, high in ranges for number in range(low, high + 1))
