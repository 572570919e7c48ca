"""``git cto mail`` inside a worker: its mailbox is a directory, and there is no ledger to ask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitcto import mailbox
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode
from gitcto.mail_contracts import ACKED, INBOX, OUTBOX, REFUSED, SHOWN, Found
from gitcto.model.ids import is_task_id
from gitcto.model.mail_records import LEAD, content_problem, task_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitcto.cli.app import App
    from gitcto.cli.mail_send import Draft


def send(app: App, draft: Draft, artifacts: Sequence[str]) -> None:
    """Leave a message in the outbox; whether it may be sent is for the run to say."""
    if artifacts:
        raise CtoError(
            "a worker's message takes no artifacts",
            "leave the file in the workspace and name it in the body",
            ExitCode.USAGE,
        )
    name = app.effects.new_id()
    problem = content_problem(draft.subject, draft.body, {}, draft.key or name)
    if problem:
        raise CtoError(problem, "write less; leave the rest in a file", ExitCode.USAGE)
    asked = {
        "to": _address(draft.to),
        "subject": draft.subject,
        "body": draft.body,
        "key": draft.key or name,
        "urgency": draft.urgency,
        "reply_to": draft.reply_to,
    }
    data = json.dumps(asked, ensure_ascii=False).encode()
    mailbox.put(_scratch(app), OUTBOX, f"{name}.json", data)
    app.output.data(f"Left for {visible(_address(draft.to))}")
    app.output.hint("it is sent while you go on; `git cto mail inbox` says if it was refused")


def inbox(app: App, *, as_json: bool) -> None:
    """Show the messages that wait here, and mark them as shown."""
    scratch = _scratch(app)
    found = [letter for each in mailbox.files(scratch, INBOX) if (letter := _read(each))]
    found.sort(key=lambda letter: int(letter["mail"]))
    refused = {
        each.name.removesuffix(".txt"): each.data.decode("utf-8", "replace").strip()
        for each in mailbox.files(scratch, REFUSED)
    }
    for letter in found:
        mailbox.put(scratch, SHOWN, str(letter["mail"]), b"")
    if as_json:
        app.output.json({"mail": found, "refused": refused})
        return
    for letter in found:
        _show(app, letter)
    for name, why in refused.items():
        app.output.data(f"Not sent ({visible(name)}): {visible(why)}")
    if not found and not refused:
        app.output.data("No mail")


def ack(app: App, numbers: Sequence[str], note: str) -> None:
    """Mark messages that wait here as acted on."""
    from gitcto.cli.mail_view import chosen, numbers_of

    scratch = _scratch(app)
    letters = (_read(each) for each in mailbox.files(scratch, INBOX))
    known = {int(letter["mail"]) for letter in letters if letter}
    wanted = chosen(numbers, known)
    missing = [number for number in wanted if number not in known]
    if missing:
        raise CtoError(
            f"no message {missing[0]} waits here",
            "`git cto mail inbox` lists those that do",
            ExitCode.USAGE,
        )
    for number in wanted:
        mailbox.put(scratch, ACKED, str(number), note.encode())
        mailbox.remove(scratch, INBOX, f"{number}.json")
    app.output.data(f"Acted on {numbers_of(wanted)}")
    app.output.hint("this stays; say more with `git cto mail send lead`")


def _scratch(app: App) -> Path:
    named = Path(app.host.environ[mailbox.VARIABLE])
    if named.name != mailbox.FOLDER or not named.is_dir():
        raise CtoError(
            f"{mailbox.VARIABLE} names no mailbox: {named}",
            f"unset {mailbox.VARIABLE} if this is not a worker",
        )
    return named.parent


def _address(wanted: str) -> str:
    is_address = wanted == LEAD or ":" in wanted
    return task_address(wanted) if not is_address and is_task_id(wanted) else wanted


def _read(found: Found) -> dict[str, Any] | None:
    try:
        letter = json.loads(found.data)
    except ValueError:
        return None
    return letter if isinstance(letter, dict) and isinstance(letter.get("mail"), int) else None


def _show(app: App, letter: dict[str, Any]) -> None:
    answers = f" (answers {letter['reply_to']})" if letter.get("reply_to") else ""
    head = f"Mail {letter['mail']} from {letter['from']}{answers}: {letter['subject']}"
    app.output.data(visible(head))
    for line in str(letter.get("body", "")).splitlines():
        app.output.data(visible(f"  {line}"))
    for name, oid in dict(letter.get("artifacts", {})).items():
        app.output.data(visible(f"  artifact {name}: git cat-file blob {oid}"))
