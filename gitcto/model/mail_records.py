"""A message between the people and the workers of a team, and who can send and get one."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Literal

from msgspec import Struct

Urgency = Literal["normal", "interrupt", "stop"]

LEAD = "lead"
"""The address that everybody shares who leads the team."""

MAX_BODY_BYTES = 16_384
"""Most bytes of a body (UTF-8): what is longer goes along as an artifact."""

MAX_SUBJECT = 200
MAX_ARTIFACTS = 16
MAX_KEY = 128
MAX_AT_ONCE = 1000
"""Most characters of a subject and of a key, artifacts of a message, messages of one command."""

_OBJECT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


class MailState(StrEnum):
    """How far a message came."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    SHOWN = "shown"
    ACTED = "acted"
    DEAD = "dead"


UNDER_WAY = frozenset({MailState.QUEUED, MailState.DELIVERED, MailState.SHOWN})
"""States of a message that somebody still has to act on."""

HANDED = frozenset({MailState.DELIVERED, MailState.SHOWN})
"""States in which its recipient has it."""


class Mail(Struct, frozen=True, kw_only=True):
    """A message and what has become of it.

    ``number`` counts the team's messages from 1 and orders those of a route, which is a ``sender``
    and a ``recipient``; ``key`` is sent once on a route. ``execution`` is the attempt that has it,
    ``source`` the one that sent it, ``ends`` the one that an urgent one ends. ``tries`` is how
    often handing it over failed, ``not_before_ms`` when that is tried again; ``acted_by`` and
    ``note`` are who acted on it and what that one said, ``reason`` why it is dead.
    """

    number: int
    sender: str
    recipient: str
    key: str
    subject: str
    body: str = ""
    urgency: Urgency = "normal"
    artifacts: dict[str, str] = {}
    reply_to: int = 0
    source: str = ""
    ends: str = ""
    sent_ms: int = 0
    state: MailState = MailState.QUEUED
    execution: str = ""
    tries: int = 0
    not_before_ms: int = 0
    acted_by: str = ""
    note: str = ""
    reason: str = ""

    def is_with(self, execution: str) -> bool:
        """Tell whether an attempt has it and has not acted on it yet."""
        return self.execution == execution and self.state in HANDED


def task_address(task: str) -> str:
    """Return the address of whoever works on a task."""
    return f"task:{task}"


def task_of(address: str) -> str:
    """Return the id of the task that an address names, or nothing for a person's."""
    return address.removeprefix("task:") if address.startswith("task:") else ""


def is_person(address: str) -> bool:
    """Tell whether an address is a person's, or the one that all who lead the team share."""
    return address == LEAD or address.startswith("person:")


def address_problem(address: str) -> str:
    """Return what is wrong with an address, or nothing."""
    kind, _, name = address.partition(":")
    if address == LEAD:
        return ""
    if kind not in {"person", "task"} or not name or name != name.strip():
        return f"{address!r} is no address"
    if not name.isprintable() or len(name) > MAX_SUBJECT:
        return f"an address has at most {MAX_SUBJECT} printable characters"
    return ""


def content_problem(subject: str, body: str, artifacts: dict[str, str], key: str) -> str:
    """Return why a message is not one that can be sent, or nothing."""
    if not subject.strip() or not subject.isprintable() or len(subject) > MAX_SUBJECT:
        return f"a subject is one line of 1 to {MAX_SUBJECT} printable characters"
    if not key.isprintable() or not 0 < len(key) <= MAX_KEY:
        return f"a key is one line of 1 to {MAX_KEY} printable characters"
    if len(body.encode("utf-8", "surrogatepass")) > MAX_BODY_BYTES or not _is_text(body):
        return f"a body is text of at most {MAX_BODY_BYTES} bytes"
    if len(artifacts) > MAX_ARTIFACTS:
        return f"a message has at most {MAX_ARTIFACTS} artifacts"
    for name, oid in artifacts.items():
        if not _NAME.match(name) or not _OBJECT.match(oid):
            return f"artifact {name!r} is no plain name with the id of a git object"
    return ""


def _is_text(body: str) -> bool:
    """Tell whether a terminal and JSON can show it: no NUL, no lone surrogates."""
    return "\0" not in body and not any("\ud800" <= letter <= "\udfff" for letter in body)
