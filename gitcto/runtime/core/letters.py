"""A team's messages as agents get them: in a prompt, and one by one."""

from __future__ import annotations

from gitcto.context.records import Entry
from gitcto.mail_contracts import Letter
from gitcto.model.mail_records import UNDER_WAY, Mail, is_person


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


def entry_of(mail: Mail) -> Entry:
    """Return a message as it is in a prompt.

    Those of people stay whole while they wait. Those of workers may be shortened, or one could keep
    another from being started; their whole text is in the mailbox.
    """
    waits = mail.state in UNDER_WAY
    lines = [mail.subject]
    lines += ["", mail.body.rstrip()] if mail.body else []
    artifacts = mail.artifacts.items()
    lines += [f"artifact {name}: `git cat-file blob {oid}`" for name, oid in artifacts]
    lines += [f"(in answer to {mail.reply_to})"] if mail.reply_to else []
    lines += [] if waits else ["(an earlier attempt acted on this)"]
    return Entry(
        kind="message",
        name=f"{mail.sender}, message {mail.number}",
        text="\n".join(lines),
        open=waits and is_person(mail.sender),
    )
