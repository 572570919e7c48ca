"""What a worker is told: its task, its limits, why earlier attempts failed, and its messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gitcto.model.mail_records import Mail, MailState
from gitcto.model.records import Task, TaskSpec


class Told(NamedTuple):
    """What an attempt is told besides its task: why earlier ones failed, and messages to it."""

    notes: tuple[str, ...] = ()
    mail: tuple[Mail, ...] = ()


def notes_of(task: Task) -> tuple[str, ...]:
    """Return why earlier attempts at a task failed."""
    if not task.reason:
        return ()
    return (f"the attempt before this one failed: {task.reason}: {task.detail}",)


def render(task: TaskSpec, allowed: tuple[str, ...], told: Told) -> str:
    """Return the prompt of one attempt as Markdown; the same inputs give the same bytes."""
    parts = [f"# {task.id}: {task.title}", ""]
    if task.prompt:
        parts += [task.prompt.rstrip(), ""]
    parts += [
        "## Rules",
        "",
        "- Work only in the current directory. Leave your changes in files; you need not commit.",
        "- What counts is the tree you leave: it is merged, tested and judged after you end.",
        "- Messages may come while you work. `git cto mail inbox` shows them,",
        "  `git cto mail ack NUMBER` says that you acted on one, and",
        "  `git cto mail send lead --subject TEXT` asks or tells the people who lead the team.",
    ]
    if allowed:
        parts.append(f"- Change only these paths: {', '.join(f'`{path}`' for path in allowed)}.")
    if told.notes:
        parts += ["", "## Earlier attempts", "", *(f"- {note}" for note in told.notes)]
    if told.mail:
        parts += ["", "## Messages", "", *_messages(told.mail)]
    return "\n".join([*parts, ""])


def _messages(mail: tuple[Mail, ...]) -> Iterator[str]:
    yield "What others wrote to this task, quoted, the oldest first."
    for each in mail:
        acted = ", which an earlier attempt acted on" if each.state is MailState.ACTED else ""
        answer = f", in answer to {each.reply_to}" if each.reply_to else ""
        yield ""
        yield f"Message {each.number} from {each.sender}{answer}{acted}:"
        yield ""
        yield f"> {each.subject}"
        if each.body:
            yield ">"
            yield from (f"> {line}".rstrip() for line in each.body.splitlines())
        for name, oid in each.artifacts.items():
            yield f"> artifact {name}: `git cat-file blob {oid}`"
