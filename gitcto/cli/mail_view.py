"""How messages are chosen and shown on the command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitcto.cli import plain, wording
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode
from gitcto.model.mail_events import in_ranges
from gitcto.model.mail_records import (
    LEAD,
    MAX_AT_ONCE,
    UNDER_WAY,
    Mail,
    address_problem,
    task_address,
    task_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gitcto.cli.app import App
    from gitcto.store.reader import LedgerReader

_NUMBERS = re.compile(r"([1-9][0-9]{0,8})(?:-([1-9][0-9]{0,8}))?\Z")


def own_addresses(app: App) -> tuple[str, ...]:
    """Return the addresses whose messages wait for the person who runs this."""
    return LEAD, f"person:{app.host.actor}", f"person:{app.host.user}"


def recipient(reader: LedgerReader, wanted: str) -> str:
    """Return the address that is meant; raises ``CtoError`` (exit 2) with the nearest ones."""
    if wanted == LEAD or wanted.startswith("person:"):
        problem = address_problem(wanted)
        if problem:
            raise CtoError(problem, "write `person:NAME`", ExitCode.USAGE)
        return wanted
    task_id = task_of(wanted) or wanted
    if reader.view().task(task_id) is None:
        from gitcto.cli.group import closest

        guess = closest(task_id, [LEAD, *(task.spec.id for task in reader.tasks())])
        raise CtoError(
            f"nobody has the address {wanted!r}{guess}",
            "write to a task of `git cto status --all`, to `lead` or to `person:NAME`",
            ExitCode.USAGE,
        )
    return task_address(task_id)


def listed(app: App, reader: LedgerReader, address: str | None, *, every: bool) -> list[Mail]:
    """Return messages, the oldest first: what waits for the caller, all to an address, or all."""
    if every:
        return reader.newest_mail(MAX_AT_ONCE)[::-1]
    if address is not None:
        return list(reader.view().mail_to(recipient(reader, address)))
    mine = own_addresses(app)
    return [mail for mail in reader.mail_in(*UNDER_WAY) if mail.recipient in mine]


def chosen(words: Sequence[str], known: Collection[int]) -> tuple[int, ...]:
    """Return the numbers that words such as ``3``, ``3-7`` and ``3,5-6`` name.

    Of a range only ``known`` ones; raises ``CtoError`` (exit 2) for what names nothing.
    """
    found: list[int] = []
    for word in (part for words_ in words for part in words_.split(",") if part):
        named = _NUMBERS.match(word)
        if named is None or (named[2] and int(named[2]) < int(named[1])):
            raise CtoError(
                f"{word!r} names no messages", "write numbers such as 3 or 3-7", ExitCode.USAGE
            )
        low, high = int(named[1]), int(named[2] or named[1])
        found += sorted(n for n in known if low <= n <= high) if named[2] else [low]
    if not found:
        raise CtoError(
            f"none of {', '.join(words)} is such a message",
            "`git cto mail inbox` and `git cto mail dead` list them",
            ExitCode.USAGE,
        )
    return tuple(dict.fromkeys(found))


def numbers_of(numbers: Sequence[int]) -> str:
    """Return numbers as people write them."""
    from gitcto.store.mail_subjects import ranges

    return ranges(in_ranges(tuple(numbers)))


def state(mail: Mail) -> str:
    """Return how far a message came, in a word or two."""
    if mail.tries and mail.state in UNDER_WAY:
        return f"{mail.state.value}, tried {mail.tries}x"
    return mail.state.value


def table(app: App, found: Sequence[Mail], *, as_json: bool, mine: bool) -> None:
    """Write a list of messages."""
    if as_json:
        app.output.json({"mail": [plain.mail(each) for each in found]})
        return
    if not found:
        app.output.data("No mail waits for you" if mine else "No mail")
        return
    now = app.effects.now_ms()
    app.output.table(
        ("MAIL", "STATE", "FROM", "TO", "AGE", "SUBJECT"),
        [
            (
                str(mail.number),
                state(mail),
                mail.sender,
                mail.recipient,
                wording.age(mail.sent_ms, now),
                mail.subject,
            )
            for mail in found
        ],
    )
    if mine:
        first = found[-1]
        app.output.hint(
            f"read with `git cto mail show {first.number}`, answer with `git cto mail send "
            f"{visible(first.sender)} --reply-to {first.number}`, then `git cto mail ack "
            f"{first.number}`"
        )


def one(app: App, mail: Mail, *, as_json: bool) -> None:
    """Write one message with all that is known of it."""
    if as_json:
        app.output.json(plain.mail(mail))
        return
    facts = [
        ("mail", str(mail.number)),
        ("from", mail.sender),
        ("to", mail.recipient),
        ("sent", wording.moment(mail.sent_ms)),
        ("state", state(mail)),
    ]
    facts += [("urgent", mail.urgency)] if mail.urgency != "normal" else []
    facts += [("answers", str(mail.reply_to))] if mail.reply_to else []
    facts += [("by", mail.acted_by)] if mail.acted_by else []
    facts += [("note", mail.note)] if mail.note else []
    facts += [("why", mail.reason)] if mail.reason else []
    facts += [("artifact", f"{name} {oid}") for name, oid in mail.artifacts.items()]
    for label, value in (*facts, ("subject", mail.subject)):
        app.output.data(f"{label:<8} {visible(value)}")
    if mail.body:
        app.output.data()
        for line in mail.body.splitlines():
            app.output.data(visible(line))
