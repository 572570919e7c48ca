"""Evolving messages: one event gives the messages that change. Pure and total."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from gitcto.model import mail_events as ev
from gitcto.model.mail_events import MailEventBody, numbers_in
from gitcto.model.mail_records import Mail, MailState, is_person
from gitcto.model.view import StateView


def evolve_mail(view: StateView, event: MailEventBody, ts: int) -> tuple[Mail, ...]:
    """Return the messages that an event replaces."""
    if isinstance(event, ev.MailSent):
        return (_sent(event, ts),)
    mails = ((event.mail, event.mail),) if isinstance(event, ev.MailDeferred) else event.mails
    known = (view.mail(number) for number in numbers_in(mails))
    return tuple(_CHANGES[type(event)](mail, event) for mail in known if mail is not None)


def _sent(e: ev.MailSent, ts: int) -> Mail:
    """Make the record; a person has what is in the inbox at once."""
    fields = {name: getattr(e, name) for name in e.__struct_fields__ if name != "mail"}
    there = MailState.DELIVERED if is_person(e.recipient) else MailState.QUEUED
    return Mail(number=e.mail, sent_ms=ts, state=there, **fields)


def _delivered(mail: Mail, e: ev.MailDelivered) -> Mail:
    return replace(mail, state=MailState.DELIVERED, execution=e.execution, not_before_ms=0)


def _shown(mail: Mail, e: ev.MailShown) -> Mail:
    return replace(mail, state=MailState.SHOWN, execution=e.execution)


def _deferred(mail: Mail, e: ev.MailDeferred) -> Mail:
    return replace(mail, tries=e.tries, not_before_ms=e.until_ms, reason=e.reason)


def _acted(mail: Mail, e: ev.MailActed) -> Mail:
    execution = e.execution or mail.execution or mail.ends
    return replace(
        mail, state=MailState.ACTED, acted_by=e.by, note=e.note, execution=execution, reason=""
    )


def _died(mail: Mail, e: ev.MailDied) -> Mail:
    return replace(mail, state=MailState.DEAD, reason=e.reason)


def _requeued(mail: Mail, e: ev.MailRequeued) -> Mail:
    del e
    there = MailState.DELIVERED if is_person(mail.recipient) else MailState.QUEUED
    return replace(mail, state=there, tries=0, not_before_ms=0, reason="", execution="")


_CHANGES: Mapping[type, Callable[[Mail, Any], Mail]] = {
    ev.MailDelivered: _delivered,
    ev.MailShown: _shown,
    ev.MailDeferred: _deferred,
    ev.MailActed: _acted,
    ev.MailDied: _died,
    ev.MailRequeued: _requeued,
}
