"""What a command said, and the duty to look at it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A finished command: its exit code and both streams as text."""

    command: str
    code: int
    out: str
    err: str
    _appended: Callable[[], list[dict[str, Any]]]

    def json(self) -> Any:
        """Return standard output as one JSON value."""
        return json.loads(self.out)

    def lines(self) -> list[Any]:
        """Return standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """Return what the command appended to any team's ledger, oldest first.

        Read with plain git from the refs, so this is not git-cto's own word.

        :param kind: only events of this kind (``landing.done``).
        """
        events = self._appended()
        return [event for event in events if kind in ("", event["body"]["kind"])]

    def __str__(self) -> str:
        """Return the command and both streams, indented, for a failing test."""
        parts = [f"$ {self.command}", f"exit code {self.code}"]
        for name, text in (("stdout", self.out), ("stderr", self.err)):
            parts.append(f"{name}:")
            parts.extend(f"    {line}" for line in text.splitlines())
        return "\n".join(parts)
