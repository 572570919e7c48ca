"""The subject lines of the events of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.model import mail_events as ev

if TYPE_CHECKING:
    from collections.abc import Callable


def mail_phrase(body: ev.MailEventBody, task: Callable[[str], str]) -> str:
    """Return what an event says; ``task`` gives the id of an execution's task."""
    match body:
        case ev.MailSent():
            urgent = "" if body.urgency == "normal" else f" ({body.urgency})"
            return f"mail {body.mail} {body.sender} to {body.recipient}{urgent}: {body.subject}"
        case ev.MailDelivered():
            return f"{task(body.execution)}: has mail {ranges(body.mails)} ({body.way})"
        case ev.MailShown():
            return f"{task(body.execution)}: was shown mail {ranges(body.mails)}"
        case ev.MailDeferred():
            return f"{task(body.execution)}: mail {body.mail} not taken yet ({body.reason})"
        case ev.MailActed():
            said = f" ({body.note})" if body.note else ""
            return f"mail {ranges(body.mails)} acted on by {body.by}{said}"
        case ev.MailDied():
            return f"mail {ranges(body.mails)} is dead ({body.reason})"
        case ev.MailRequeued():
            return f"mail {ranges(body.mails)} queued again"


def ranges(mails: ev.Ranges) -> str:
    """Return numbers of messages as people write them: ``3-5,9``."""
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in mails)
