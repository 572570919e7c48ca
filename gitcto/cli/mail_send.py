"""``git cto mail send``: a person's message, or a worker's."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gitcto.cli.mail import ROOM
from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.errors import CtoError, ExitCode
from gitcto.runtime.worker.run_files import MARKER, interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitcto.cli.app import App
    from gitcto.model.mail_records import Urgency
    from gitcto.store.ledger import Ledger

_MAX_ARTIFACT = 16 << 20


class Draft(NamedTuple):
    """A message as it was asked for on the command line."""

    to: str
    subject: str
    body: str
    key: str
    urgency: Urgency
    reply_to: int


_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("-s", "--subject"), {"metavar": "TEXT", "help": "One line; else the first of the body."}),
    (("-b", "--body"), {"metavar": "TEXT", "help": "What to say; `-` reads standard input."}),
    (("--file", "path"), {"metavar": "PATH", "help": "Read the body from a file."}),
    (
        ("--artifact", "artifacts"),
        {"metavar": "PATH", "multiple": True, "default": (), "help": "A file to go along."},
    ),
    (("--key",), {"metavar": "KEY", "help": "Send it once, however often this is run."}),
    (
        ("--interrupt",),
        {"is_flag": True, "default": False, "help": "End its worker; the next attempt reads this."},
    ),
    (
        ("--stop",),
        {"is_flag": True, "default": False, "help": "End its worker; its task waits for a person."},
    ),
    (
        ("--reply-to",),
        {
            "metavar": "NUMBER",
            "type": click.IntRange(min=1),
            "default": None,
            "help": "Which message it answers.",
        },
    ),
)


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for names, settings in reversed(_OPTIONS):
        command = click.option(*names, **({"default": ""} | settings))(command)
    return command


@click.command()
@click.argument("to")
@_options
@team_option
@json_option
@pass_app
def send(app: App, /, to: str, *, team: str | None, as_json: bool, **given: Any) -> None:
    """Send a message to TO: a task, `lead` (all who lead the team) or `person:NAME`.

    A worker that runs gets it in the order in which it was sent, the next attempt in its prompt. It
    is kept in the team's ledger for good, so write no secret.
    """
    draft = _draft(app.host.cwd, to, given)
    artifacts: Sequence[str] = given["artifacts"]
    if ROOM in app.host.environ:
        from gitcto.cli import mail_room

        mail_room.send(app, draft, artifacts)
        return
    if MARKER in app.host.environ:
        raise CtoError(
            f"this is the environment of a gate ({MARKER} is set), not a person's",
            "let a person send it from a terminal of their own",
        )
    with app.ledger(team) as ledger:
        sent = _record(app, ledger, draft, artifacts)
    if as_json:
        app.output.json({"mail": sent.number, "to": sent.to, "new": sent.new, "ends": sent.ends})
        return
    _tell(app, sent)


class _Sent(NamedTuple):
    number: int
    to: str
    new: bool
    ends: str


def _draft(here: Path, to: str, given: dict[str, Any]) -> Draft:
    if given["body"] and given["path"]:
        raise click.UsageError("give the body once: --body or --file")
    if given["interrupt"] and given["stop"]:
        raise click.UsageError("--stop ends the worker too: leave --interrupt out")
    body = _text(here, given["path"]) if given["path"] else given["body"]
    if body == "-":
        body = sys.stdin.read()
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    subject = given["subject"] or (lines[0][:200] if lines else "")
    if not subject:
        raise click.UsageError("say something: --subject or --body")
    urgency: Urgency = "interrupt" if given["interrupt"] else "normal"
    if given["stop"]:
        urgency = "stop"
    if not given["subject"] and len(lines) == 1:
        body = "" if body.strip() == subject else body
    return Draft(to, subject, body, given["key"], urgency, given["reply_to"] or 0)


def _text(here: Path, path: str) -> str:
    try:
        return (here / path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CtoError(
            f"cannot read {path}: {error}", "name a text file (UTF-8)", ExitCode.USAGE
        ) from error


def _record(app: App, ledger: Ledger, draft: Draft, artifacts: Sequence[str]) -> _Sent:
    from gitcto.cli.mail_view import recipient
    from gitcto.cli.record import record
    from gitcto.model.mail_commands import SendMail
    from gitcto.model.mail_events import MailSent
    from gitcto.runtime.core.seats import runs
    from gitcto.runtime.host.layout import Layout

    blobs = _blobs(app, artifacts)
    command = SendMail(
        sender=f"person:{app.host.actor}",
        recipient=recipient(ledger, draft.to),
        key=draft.key or app.effects.new_id(),
        subject=draft.subject,
        body=draft.body,
        urgency=draft.urgency,
        artifacts=blobs,
        reply_to=draft.reply_to,
    )
    kept = {f"mail/{name}": oid for name, oid in blobs.items()}
    events = record(ledger, command, kept).events
    for event in events:
        if isinstance(event.body, MailSent):
            body = event.body
            layout = Layout(app.repository, ledger.team, Path())
            execution = ledger.view().execution(body.ends)
            for run in runs(execution) if execution else ():
                if layout.records(run).is_dir():  # at once: the run may be busy
                    interrupt(str(layout.records(run)))
            return _Sent(body.mail, body.recipient, True, body.ends)
    known = ledger.view().mail_by_key(command.sender, command.recipient, command.key)
    number = known.number if known else 0
    return _Sent(number, command.recipient, False, known.ends if known else "")


def _blobs(app: App, artifacts: Sequence[str]) -> dict[str, str]:
    from gitcto.git.objects import Objects

    found: dict[str, str] = {}
    for path in artifacts:
        name = Path(path).name
        try:
            data = (app.host.cwd / path).read_bytes()
        except OSError as error:
            raise CtoError(
                f"cannot read {path}: {error.strerror}", "name a file", ExitCode.USAGE
            ) from error
        if name in found or len(data) > _MAX_ARTIFACT:
            raise CtoError(
                f"{path} cannot go along: "
                + ("another has its name" if name in found else "it has more than 16 MiB"),
                "rename it, or name a commit in the body instead",
                ExitCode.USAGE,
            )
        found[name] = Objects(app.repository).write_blob(data)
    return found


def _tell(app: App, sent: _Sent) -> None:
    to = visible(sent.to)
    if not sent.new:
        app.output.data(f"Mail {sent.number} to {to} was sent with this key already")
        return
    app.output.data(f"Sent mail {sent.number} to {to}")
    if sent.ends:
        app.output.data("Its worker is being ended, and its work is kept")
        app.output.hint("`git cto run` goes on with it; `git cto status` shows how it stands")
        return
    app.output.hint(
        f"`git cto mail show {sent.number}` says how far it came; "
        f"take it back with `git cto mail drop {sent.number}`"
    )
