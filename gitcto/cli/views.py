"""How a run is told while it happens: lines for people and pipes, JSON lines for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.cli.log import words
from gitcto.cli.output import visible

if TYPE_CHECKING:
    from gitcto.cli.output import Output
    from gitcto.model.codec import Event
    from gitcto.model.state import State

QUIET = frozenset({"lease.renewed", "policy.adopted"})
"""Events that say nothing about a task; the log has them."""


class Lines:
    """One plain line per event."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def recorded(self, event: Event, state: State) -> None:
        """Write the event in words."""
        if event.kind not in QUIET:
            self._output.data(words(state, event))

    def note(self, text: str) -> None:
        """Say it on stderr."""
        self._output.talk(visible(text))


class JsonLines:
    """One JSON object per event, as the ledger has it; the last line is the result."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def recorded(self, event: Event, state: State) -> None:
        """Write the event as a line."""
        import json

        from gitcto.model.codec import encode

        del state
        self._output.json({"type": "event", "event": json.loads(encode(event))})

    def note(self, text: str) -> None:
        """Write the note as a line."""
        self._output.json({"type": "note", "text": text})
