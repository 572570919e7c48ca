"""``git cto mail``: messages between the people and the workers of a team."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gitcto.cli.group import HELP_NAMES, LazyGroup, Row
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitcto.cli.app import App

_TALK, _DEAD = "Talk", "Clear up"
ROOM = "CTO_MAIL"
"""The variable that a worker's mailbox is named by: there, commands use that and no ledger."""


@click.group(
    cls=LazyGroup,
    rows=(
        Row("send", "Send a message.", "gitcto.cli.mail_send:send", _TALK),
        Row("inbox", "List messages, and how far they came.", f"{__name__}:inbox", _TALK),
        Row("show", "Show one message.", f"{__name__}:show", _TALK),
        Row("ack", "Say that messages were acted on.", f"{__name__}:ack", _TALK),
        Row("drop", "Take messages back.", f"{__name__}:drop", _DEAD),
        Row("dead", "List what will not be delivered.", f"{__name__}:dead", _DEAD),
        Row("requeue", "Deliver dead messages after all.", f"{__name__}:requeue", _DEAD),
    ),
    context_settings={"help_option_names": HELP_NAMES},
)
def mail() -> None:
    """Write to the workers of a team and to those who lead it, and read what they write.

    A message to a task goes to its worker at once, where its provider can do that, and in any case
    to the next attempt, until somebody acts on it. Inside a worker the same commands use its own
    mailbox.
    """


@click.command()
@click.argument("address", required=False)
@click.option("--all", "every", is_flag=True, help="The last messages of the whole team.")
@click.option("-n", "limit", type=click.IntRange(min=1), default=50, help="How many at most.")
@team_option
@json_option
@pass_app
def inbox(  # noqa: PLR0913 - one parameter for each option
    app: App, address: str | None, *, every: bool, limit: int, team: str | None, as_json: bool
) -> None:
    """List the messages that wait for you, or all to ADDRESS: a task, `lead` or `person:NAME`.

    A message is `queued` until its recipient has it, then `delivered`, then `shown` when the
    recipient has read it, and at last `acted` or `dead`.
    """
    if ROOM in app.host.environ:
        from gitcto.cli import mail_room

        mail_room.inbox(app, as_json=as_json)
        return
    from gitcto.cli import mail_view

    with app.reader(team) as reader:
        found = mail_view.listed(app, reader, address, every=every)
    mail_view.table(app, found[-limit:][::-1], as_json=as_json, mine=not (address or every))


@click.command()
@click.argument("number", type=click.IntRange(min=1))
@team_option
@json_option
@pass_app
def show(app: App, number: int, *, team: str | None, as_json: bool) -> None:
    """Show message NUMBER, and what became of it."""
    _not_in_a_room(app, "`git cto mail inbox` shows yours")
    from gitcto.cli import mail_view

    with app.reader(team) as reader:
        found = reader.view().mail(number)
    if found is None:
        raise CtoError(
            f"there is no message {number}",
            "`git cto mail inbox --all` lists the last ones",
            ExitCode.USAGE,
        )
    mail_view.one(app, found, as_json=as_json)


@click.command()
@click.argument("numbers", nargs=-1, required=True)
@click.option("--note", metavar="TEXT", default="", help="What was done, for the ledger.")
@team_option
@pass_app
def ack(app: App, numbers: Sequence[str], *, note: str, team: str | None) -> None:
    """Say that you acted on messages: NUMBERS such as `3`, `3-7` or `3,5-6`.

    Of a range, those that wait for you are meant; a single number must be one of them.
    """
    if ROOM in app.host.environ:
        from gitcto.cli import mail_room

        mail_room.ack(app, numbers, note)
        return
    from gitcto.cli import mail_view
    from gitcto.cli.record import record
    from gitcto.model.mail_commands import AckMail

    with app.ledger(team) as ledger:
        mine = {each.number for each in mail_view.listed(app, ledger, None, every=False)}
        wanted = mail_view.chosen(numbers, mine)
        by = f"person:{app.host.actor}"
        done = record(ledger, AckMail(mails=wanted, by=by, note=note)).events
    told = mail_view.numbers_of(wanted)
    app.output.data(f"Acted on {told}" if done else f"{told} was acted on already")
    app.output.hint("this stays; say more with `git cto mail send`")


@click.command()
@click.argument("numbers", nargs=-1, required=True)
@click.option("--reason", metavar="TEXT", default="", help="Why, for the ledger.")
@team_option
@pass_app
def drop(app: App, numbers: Sequence[str], *, reason: str, team: str | None) -> None:
    """Take messages back that nobody has acted on: NUMBERS such as `3` or `3-7`."""
    _not_in_a_room(app, "send another message")
    from gitcto.cli import mail_view
    from gitcto.cli.record import record
    from gitcto.model.mail_commands import BuryMail
    from gitcto.model.mail_records import UNDER_WAY

    with app.ledger(team) as ledger:
        known = {each.number for each in ledger.mail_in(*UNDER_WAY)}
        wanted = mail_view.chosen(numbers, known)
        why = reason or f"taken back by {app.host.actor}"
        done = record(ledger, BuryMail(mails=wanted, reason=why)).events
    told = mail_view.numbers_of(wanted)
    app.output.data(f"Took back {told}" if done else f"{told} is over already")
    if done:
        app.output.hint(f"have it delivered after all with `git cto mail requeue {told}`")


@click.command()
@team_option
@json_option
@pass_app
def dead(app: App, *, team: str | None, as_json: bool) -> None:
    """List the messages that will not be delivered, and why."""
    _not_in_a_room(app, "`git cto mail inbox` shows yours")
    from gitcto.cli import plain
    from gitcto.model.mail_records import MailState

    with app.reader(team) as reader:
        found = reader.mail_in(MailState.DEAD)
    if as_json:
        app.output.json({"mail": [plain.mail(each) for each in found]})
        return
    if not found:
        app.output.data("No message is dead")
        return
    rows = [(str(m.number), m.sender, m.recipient, m.reason, m.subject) for m in found]
    app.output.table(("MAIL", "FROM", "TO", "WHY", "SUBJECT"), rows)
    app.output.hint("have one delivered after all with `git cto mail requeue NUMBER`")


@click.command()
@click.argument("numbers", nargs=-1, required=True)
@team_option
@pass_app
def requeue(app: App, numbers: Sequence[str], *, team: str | None) -> None:
    """Deliver dead messages after all: NUMBERS such as `3` or `3-7`."""
    _not_in_a_room(app, "send the message again")
    from gitcto.cli import mail_view
    from gitcto.cli.record import record
    from gitcto.model.mail_commands import RequeueMail
    from gitcto.model.mail_records import MailState

    with app.ledger(team) as ledger:
        known = {each.number for each in ledger.mail_in(MailState.DEAD)}
        wanted = mail_view.chosen(numbers, known)
        record(ledger, RequeueMail(mails=wanted))
    told = mail_view.numbers_of(wanted)
    app.output.data(f"Queued again: {told}")
    app.output.hint(f"take it back with `git cto mail drop {visible(told)}`")


def _not_in_a_room(app: App, hint: str) -> None:
    """Refuse what is not a worker's to do."""
    if ROOM in app.host.environ:
        raise CtoError(f"a worker cannot do this ({ROOM} is set)", hint)
