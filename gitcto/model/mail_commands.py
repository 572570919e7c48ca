"""Commands about messages between the people and the workers of a team."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from gitcto.model.mail_records import Urgency


class SendMail(Struct, frozen=True, kw_only=True):
    """Send a message; the same ``key`` on the same route again is the first one, and no event.

    ``source`` is the execution of a worker that sends. Of one that has sent ``most`` messages
    nothing more is taken; 0 is without end.
    """

    sender: str
    recipient: str
    key: str
    subject: str
    body: str = ""
    urgency: Urgency = "normal"
    artifacts: dict[str, str] = {}
    reply_to: int = 0
    source: str = ""
    most: int = 0


class DeliverMail(Struct, frozen=True, kw_only=True):
    """An execution was handed messages; those that it has or that are over are left out."""

    execution: str
    epoch: int
    mails: tuple[int, ...]
    way: Literal["prompt", "send"]


class ShowMail(Struct, frozen=True, kw_only=True):
    """The agent of an execution has these messages before its eyes."""

    execution: str
    epoch: int
    mails: tuple[int, ...]


class DeferMail(Struct, frozen=True, kw_only=True):
    """Handing over a message failed: try it again after ``until_ms``, or never after so many."""

    execution: str
    epoch: int
    mail: int
    reason: str
    until_ms: int
    max_tries: int


class ActOnMail(Struct, frozen=True, kw_only=True):
    """The worker of an execution acknowledges messages to its task."""

    execution: str
    epoch: int
    mails: tuple[int, ...]
    note: str = ""


class AckMail(Struct, frozen=True, kw_only=True):
    """Somebody who is no worker acknowledges messages: a person, or the run for its own doing."""

    mails: tuple[int, ...]
    by: str
    note: str = ""


class BuryMail(Struct, frozen=True, kw_only=True):
    """Give up messages for a reason."""

    mails: tuple[int, ...]
    reason: str


class RequeueMail(Struct, frozen=True, kw_only=True):
    """Deliver dead messages after all."""

    mails: tuple[int, ...]


MailCommand = SendMail | AckMail | BuryMail | RequeueMail
"""Commands that quote no fencing token."""

MailOutcome = DeliverMail | ShowMail | DeferMail | ActOnMail
"""Commands that do."""
