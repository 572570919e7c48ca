"""A driver's side of the mailbox: letters that came while its agent worked, and the mark.

A driver is a program of a plugin that is the worker itself and speaks with an agent in the agent's
own protocol. It runs in the sandbox, as the agent's equal, and finds its mailbox by ``CTO_MAIL``.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from gitcto.mail_contracts import INBOX, SHOWN
from gitcto.mailbox import FOLDER
from gitcto.provider_contracts import StopNote

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MARK = "interrupt"
INTERRUPT_MARK = StopNote(path=f"{FOLDER}/{_MARK}")
"""What :meth:`DriverMail.interrupted` looks for: a driver's ``Launch.interrupt``."""

_NAME = re.compile(r"([1-9][0-9]{0,8})\.json\Z")


class DriverLetter(NamedTuple):
    """A letter; ``text`` is what an agent is told of it."""

    number: int
    text: str


class DriverMail:
    """A mailbox; ``told`` are the numbers of letters that the agent knows already."""

    def __init__(self, folder: Path, told: Iterable[int] = ()) -> None:
        self._folder = folder
        self._told = set(told)

    @property
    def told(self) -> tuple[int, ...]:
        """The numbers of the letters that the agent knows."""
        return tuple(sorted(self._told))

    def next(self) -> DriverLetter | None:
        """Return the oldest letter that the agent does not know, and take it that it will."""
        for number in sorted(self._numbers() - self._told):
            self._told.add(number)
            letter = _letter(self._folder / INBOX / f"{number}.json", number)
            if letter is not None:
                return letter
        return None

    def shown(self, letter: DriverLetter) -> None:
        """Mark a letter as one that the agent has before its eyes."""
        with suppress(OSError):
            (self._folder / SHOWN / str(letter.number)).touch()

    def interrupted(self) -> bool:
        """Tell whether the agent is to be stopped."""
        return (self._folder / _MARK).exists()

    def _numbers(self) -> set[int]:
        try:
            names = [path.name for path in (self._folder / INBOX).iterdir()]
        except OSError:
            return set()
        return {int(found[1]) for name in names if (found := _NAME.match(name))}


def _letter(path: Path, number: int) -> DriverLetter | None:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        lines = [f"Message {number} from {told['from']}: {told['subject']}"]
        lines += ["", str(told["body"]).rstrip()] if told["body"] else []
        lines += [
            f"artifact {name}: `git cat-file blob {oid}`"
            for name, oid in dict(told["artifacts"]).items()
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    lines += ["", f"When you have acted on it, run `git cto mail ack {number}`."]
    return DriverLetter(number, "\n".join(lines))
