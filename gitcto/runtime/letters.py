"""A team's messages as agents get them."""

from __future__ import annotations

from collections.abc import Iterable

from gitcto.mail_contracts import Letter
from gitcto.model.mail_records import UNDER_WAY, Mail


def letter_of(mail: Mail) -> Letter:
    """Return a message as an agent gets it."""
    return Letter(
        number=mail.number,
        sender=mail.sender,
        subject=mail.subject,
        body=mail.body,
        artifacts=mail.artifacts,
        reply_to=mail.reply_to,
        sent_ms=mail.sent_ms,
    )


def waiting(mail: Iterable[Mail]) -> list[Mail]:
    """Return those that somebody still has to act on."""
    return [each for each in mail if each.state in UNDER_WAY]
