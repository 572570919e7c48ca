"""The driver's side of the mailbox: letters that came while the agent worked, and the mark."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

_NAME = re.compile(r"([1-9][0-9]{0,8})\.json\Z")


class Letter(NamedTuple):
    """A letter, as the agent is told it."""

    number: int
    text: str


class Mail:
    """A mailbox; ``told`` are the numbers of letters that the agent knows already."""

    def __init__(self, folder: Path, told: list[int]) -> None:
        self._folder = folder
        self._told = set(told)

    def next(self) -> Letter | None:
        """Return the oldest letter that the agent does not know."""
        for number in sorted(self._numbers() - self._told):
            self._told.add(number)
            letter = _letter(self._folder / "inbox" / f"{number}.json", number)
            if letter is not None:
                return letter
        return None

    def shown(self, letter: Letter) -> None:
        """Mark a letter as one that the agent has before its eyes."""
        with suppress(OSError):
            (self._folder / "shown" / str(letter.number)).touch()

    def interrupted(self) -> bool:
        """Tell whether the agent is to be stopped."""
        return (self._folder / "interrupt").exists()

    def _numbers(self) -> set[int]:
        try:
            names = [path.name for path in (self._folder / "inbox").iterdir()]
        except OSError:
            return set()
        return {int(found[1]) for name in names if (found := _NAME.match(name))}


def _letter(path: Path, number: int) -> Letter | None:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        lines = [f"Message {number} from {told['from']}: {told['subject']}"]
        lines += ["", str(told["body"]).rstrip()] if told["body"] else []
        artifacts = dict(told["artifacts"]).items()
    except (OSError, ValueError, TypeError, KeyError):
        return None
    lines += [f"artifact {name}: `git cat-file blob {oid}`" for name, oid in artifacts]
    lines += ["", f"When you have acted on it, run `git cto mail ack {number}`."]
    return Letter(number, "\n".join(lines))
