"""What crosses between the core and a provider when a running agent gets a message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INBOX, OUTBOX, SHOWN, ACKED, REFUSED = "inbox", "outbox", "shown", "acked", "refused"
"""The boxes of a worker's mailbox; see :mod:`gitcto.mailbox`."""

SENT = ("taken", "shown", "not_supported", "failed")
"""What a provider may answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message, as an agent gets it.

    ``number`` tells it from every other of the team, also when it comes twice. ``artifacts`` are
    ids of git objects by name; ``reply_to`` is the number of the message it answers, or 0.
    """

    number: int
    sender: str
    subject: str
    body: str = ""
    artifacts: Mapping[str, str] = field(default_factory=dict)
    reply_to: int = 0
    sent_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest:
    """Hand a letter to the agent of an execution that is running.

    ``scratch`` is its private directory, which the agent can write: nothing in it is to be
    believed, and a link in it leads anywhere. ``settings`` is the provider's table in policy.
    """

    letter: Letter
    execution: str
    scratch: Path
    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """What became of a letter.

    ``taken``: the agent can see it from now on. ``shown``: it is in its context. ``not_supported``:
    this kind of agent takes nothing while it runs; the letter waits for the next attempt.
    ``failed`` is tried again later; ``reason`` is one line for a person.
    """

    status: Literal["taken", "shown", "not_supported", "failed"]
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse an answer that is none of the four; raises ``ValueError``."""
        if self.status not in SENT:
            raise ValueError(f"SendResult.status must be one of {SENT}, not {self.status!r}")


class Found(NamedTuple):
    """A file of a box: its bytes, or why it is none that we read."""

    name: str
    data: bytes
    problem: str = ""
