"""The mailbox of a worker: a directory in its scratch space, one file for each message.

``inbox/N.json`` is a message for the worker; it makes ``shown/N`` when it has read it and
``acked/N`` when it has acted on it, with a note as the content if it likes. It sends by writing
``outbox/NAME.json``, under another name first, and renaming it; what is not taken is explained in
``refused/NAME.txt``. The variable ``CTO_MAIL`` names the directory.

The worker can write all of it, so we go from one opened directory to the next, never through a
link, and read no more than we must.
"""

from __future__ import annotations

import json
import os
import re
import stat
from itertools import islice
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.durable import storage_errors
from gitcto.mail_contracts import ACKED, INBOX, OUTBOX, REFUSED, SHOWN, Found, SendResult
from gitcto.untrusted_files import opened_below, remove_below, write_below

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gitcto.mail_contracts import Letter, SendRequest

VARIABLE = "CTO_MAIL"
FOLDER = "mail"
BOXES = (INBOX, OUTBOX, SHOWN, ACKED, REFUSED)

MAX_FILE = 64 * 1024
"""Most bytes of a message that a worker sends, as JSON."""

AT_ONCE = 64
"""Most files of one box that are looked at, at a time."""

_MESSAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.json\Z")
_MARK = re.compile(r"([1-9][0-9]{0,8})(?:\.json)?\Z")
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def path_in(scratch: Path) -> Path:
    """Return the directory that ``CTO_MAIL`` names."""
    return scratch / FOLDER


def make_mailbox(scratch: Path, letters: Iterable[Letter] = ()) -> None:
    """Make a mailbox before the worker starts, with letters in it. Raises ``CtoError``."""
    with storage_errors(f"use {path_in(scratch)}"):
        for box in BOXES:
            (path_in(scratch) / box).mkdir(parents=True, exist_ok=True)
    for letter in letters:
        put(scratch, INBOX, f"{letter.number}.json", letter_text(letter))


def leave_in_mailbox(request: SendRequest) -> SendResult:
    """Put a letter into the inbox of a running worker; what a provider's ``send`` may come down to.

    The same letter again replaces the first. A mailbox that the worker has spoilt takes nothing.
    """
    letter = request.letter
    try:
        put(request.scratch, INBOX, f"{letter.number}.json", letter_text(letter))
    except CtoError as error:
        return SendResult(status="failed", reason=error.message)
    return SendResult(status="taken")


def letters_in(scratch: Path) -> tuple[int, ...]:
    """Return the numbers of the letters in an inbox: at a launch, those that are in its prompt."""
    return tuple(sorted(marks(scratch, INBOX)))


def letter_text(letter: Letter) -> bytes:
    """Return a letter as the JSON that a worker finds in its inbox."""
    told = {
        "mail": letter.number,
        "from": letter.sender,
        "subject": letter.subject,
        "body": letter.body,
        "artifacts": dict(letter.artifacts),
        "reply_to": letter.reply_to,
        "sent_ms": letter.sent_ms,
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n"


def refuse(scratch: Path, name: str, reason: str) -> None:
    """Take a message out of the outbox and say why it was not sent. Raises ``CtoError``."""
    text = "".join(letter if letter.isprintable() else "?" for letter in reason) + "\n"
    put(scratch, REFUSED, f"{name.removesuffix('.json')}.txt", text.encode("utf-8", "replace"))
    remove(scratch, OUTBOX, name)


def remove(scratch: Path, box: str, name: str) -> None:
    """Remove a file of a box; one that is gone is fine. Raises ``CtoError``."""
    remove_below(scratch, f"{FOLDER}/{box}/{name}")


def messages(scratch: Path) -> list[Found]:
    """Return what a worker wants to send, in the order of the names. Raises ``CtoError``."""
    return [found for found in files(scratch, OUTBOX) if _MESSAGE.match(found.name)]


def marks(scratch: Path, box: str) -> dict[int, Found]:
    """Return what a worker marked as shown or as acted on, by number. Raises ``CtoError``."""
    found: dict[int, Found] = {}
    for each in files(scratch, box):
        named = _MARK.match(each.name)
        if named:
            found[int(named[1])] = each
    return found


def files(scratch: Path, box: str, limit: int = MAX_FILE) -> list[Found]:
    """Read some files of a box, by name; a box that is gone or is no directory is empty."""
    try:
        with opened_below(scratch, FOLDER, box) as folder:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in islice(entries, AT_ONCE)]
            return [_read(folder, name, limit) for name in sorted(names) if name[:1] != "."]
    except OSError:
        return []


def _read(folder: int, name: str, limit: int) -> Found:
    try:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except OSError:
        return Found(name, b"", "it is not a file that can be read")
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return Found(name, b"", "it is not a regular file")
        data = b""
        while len(data) <= limit and (more := os.read(descriptor, limit + 1 - len(data))):
            data += more
    finally:
        os.close(descriptor)
    if len(data) > limit:
        return Found(name, b"", f"it has more than {limit} bytes")
    return Found(name, data)


def put(scratch: Path, box: str, name: str, data: bytes) -> None:
    """Write a file of a box in one step, whatever had its name. Raises ``CtoError``."""
    write_below(scratch, f"{FOLDER}/{box}/{name}", data)
