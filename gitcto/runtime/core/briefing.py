"""What a worker is started with, and the checkpoint of it that is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gitcto.mail_contracts import Letter
from gitcto.model.context_commands import RecordCheckpoint


@dataclass(frozen=True, slots=True)
class Briefing:
    """What a worker is told: its prompt, and the notes in it for whoever wants them.

    ``letters`` are the messages of the prompt that wait for it, for its mailbox.
    """

    prompt: bytes
    notes: tuple[str, ...] = ()
    letters: tuple[Letter, ...] = ()

    def along(self, letters: tuple[Letter, ...]) -> Briefing:
        """Return it with letters."""
        return replace(self, letters=letters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A checkpoint to record, with the object that it needs, and the briefing made of it.

    ``damaged`` says which checkpoints were not believed, if any.
    """

    command: RecordCheckpoint
    attachments: Mapping[str, str]
    briefing: Briefing
    damaged: str = ""
