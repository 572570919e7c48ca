"""What workers put into their mailboxes: messages to send, and what they read and acted on.

A worker is believed in nothing but that it wrote this. Who it is comes from whose mailbox it is,
and what it may send from policy; a message is taken out of its box only once it is in the ledger.
"""

from __future__ import annotations

from hashlib import sha256
from json import loads
from typing import Any

from gitcto.errors import CtoError
from gitcto.mail_contracts import ACKED, OUTBOX, SHOWN, Found
from gitcto.model.commands import SingleCommand
from gitcto.model.mail_commands import ActOnMail, SendMail, ShowMail
from gitcto.model.mail_records import LEAD, Mail, MailState, task_address, task_of
from gitcto.model.mail_rules import FLOOD
from gitcto.model.records import Execution
from gitcto.runtime.core.book import Book

A_LOOK = 8
"""Most messages that are taken at a look: each is a transaction of the ledger."""

NOTE = 500
"""Most characters of a note that come with an acknowledgement."""

_KEYS = {"to": str, "subject": str, "body": str, "key": str, "urgency": str, "reply_to": int}


class Collection:
    """Looks into the mailboxes of one run's workers."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._doubtful: dict[str, dict[str, bytes]] = {}
        self._complained: set[str] = set()
        self._full: set[str] = set()

    def collect(self, x: Execution, place: str, *, last: bool = False) -> None:
        """Take up what a worker sent and marked. After its end (``last``) nothing is waited for.

        ``place`` is the name of its room.
        """
        try:
            self._take_marks(x, place, SHOWN)
            while self._take_messages(x, place, last=last) and last:
                pass
            self._take_marks(x, place, ACKED)
        except CtoError as error:
            self._complain(x, f"its mailbox cannot be used: {error.message}")

    def _complain(self, x: Execution, problem: str) -> None:
        """Tell once for each worker: one that floods must not flood people."""
        if x.id not in self._complained:
            self._complained.add(x.id)
            self._book.listener.note(f"{x.task}: {problem}")

    def _take_marks(self, x: Execution, place: str, box: str) -> None:
        """Record what was read or acted on; a mark of what is not handed over yet stays."""
        boxes = self._book.world.mail
        for number, found in sorted(boxes.marks(place, box).items()):
            mail = self._book.state.open_mail.get(number)
            if mail is not None and task_of(mail.recipient) == x.task and not mail.is_with(x.id):
                continue
            if mail is not None and not (box == SHOWN and mail.state is MailState.SHOWN):
                self._book.record(_marked(x, box, mail, found))
                self._book.world.effects.crash_point(f"mail.{box}")
            boxes.remove(place, box, found.name)

    def _take_messages(self, x: Execution, place: str, *, last: bool) -> bool:
        """Take a few messages; tell whether there may be more to take."""
        if x.task in self._full:
            return False
        found = self._book.world.mail.messages(place)
        doubtful = self._doubtful.pop(place, {})
        for each in found[:A_LOOK]:
            if self._send(x, place, self._command(x, each), each):
                continue
            if last or doubtful.get(each.name) == each.data:
                self._refuse(x, place, each, str(self._command(x, each)))
            else:  # it may be half written: look once more
                self._doubtful.setdefault(place, {})[each.name] = each.data
        return bool(found)

    def _send(self, x: Execution, place: str, command: SendMail | str, found: Found) -> bool:
        """Record a message and take it out of its box; False when it is none."""
        if isinstance(command, str):
            return False
        refusal = self._book.record(command)
        self._book.world.effects.crash_point("mail.collected")
        if refusal is None:
            self._book.world.mail.remove(place, OUTBOX, found.name)
        else:
            self._refuse(x, place, found, refusal.detail)
            if refusal.code == FLOOD:
                self._full.add(x.task)
        return True

    def _refuse(self, x: Execution, place: str, found: Found, reason: str) -> None:
        self._book.world.mail.refuse(place, found.name, reason)
        self._complain(x, f"mail {found.name} not sent: {reason}")

    def _command(self, x: Execution, found: Found) -> SendMail | str:
        """Return the command that sends a worker's message, or why it is none."""
        fields = found.problem or _fields(found.data)
        if isinstance(fields, str):
            return fields
        settings = self._book.world.policy.mail
        urgency = fields.get("urgency", "normal")
        if urgency not in {"normal", "interrupt", "stop"}:
            return "urgency is normal, interrupt or stop"
        if urgency != "normal" and not settings.interrupts_by_workers:
            return "policy lets no worker interrupt another (mail.interrupts_by_workers)"
        return SendMail(
            sender=task_address(x.task),
            recipient=fields.get("to", LEAD),
            key=fields.get("key") or _key_of(x, found),
            subject=fields.get("subject", ""),
            body=fields.get("body", ""),
            urgency=urgency,
            reply_to=fields.get("reply_to", 0),
            source=x.id,
            most=settings.per_task,
        )


def _key_of(x: Execution, found: Found) -> str:
    """Return a key for a message without one: another text under the same name is another."""
    return f"{x.id}/{sha256(found.name.encode() + found.data).hexdigest()[:32]}"


def _fields(data: bytes) -> dict[str, Any] | str:
    try:
        fields = loads(data)
    except (ValueError, RecursionError):
        return "it is not JSON"
    if not isinstance(fields, dict):
        return "it is not a JSON object"
    for key, value in fields.items():
        kind = _KEYS.get(key)
        if kind is None:
            return f"it has the unknown key {key[:40]!r}; the keys are {', '.join(_KEYS)}"
        if type(value) is not kind:
            return f"{key!r} must be {'a number' if kind is int else 'text'}"
    return fields


def _marked(x: Execution, box: str, mail: Mail, found: Found) -> SingleCommand:
    if box == SHOWN:
        return ShowMail(execution=x.id, epoch=x.epoch, mails=(mail.number,))
    note = "" if found.name.endswith(".json") else found.data.decode("utf-8", "replace")
    line = "".join(letter if letter.isprintable() else " " for letter in note)
    said = " ".join(line.split())[:NOTE]
    return ActOnMail(execution=x.id, epoch=x.epoch, mails=(mail.number,), note=said)
