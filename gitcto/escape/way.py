"""What the two ways of going through an attempt have in common: the real one and the naive one."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gitcto.escape.observe import stopped

_LOOK_S = 0.05

UNREADABLE = "the ledger cannot be read"
"""What is found when a run would stop at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What became of an attempt, as the one who ran it sees it.

    ``code`` is the exit code of the attack, ``output`` the file with what it printed, ``hung`` why
    the way would never have ended by itself, ``believed`` which lies of the worker's were taken
    for true, ``noticed`` what the comparison after the run found different outside the room.
    ``taken`` is ``app.py`` as it was taken up, ``passed`` whether the project's tests passed on it.
    """

    code: int
    output: Path
    error: str = ""
    hung: str = ""
    believed: tuple[str, ...] = ()
    noticed: tuple[str, ...] = ()
    taken: bytes = b""
    passed: bool = False


class Way(Protocol):
    """One way to go through an attempt, for one attack."""

    @property
    def place(self) -> Path:
        """The directory with the attacker's room and scratch space."""

    @property
    def records(self) -> Path:
        """The directory with the records of the attacker's process."""

    def act(self, name: str, at: Mapping[str, object]) -> Trail:
        """Make the room, let the attack run, and take its work up. The room stays."""

    def finish(self) -> str:
        """Remove the room; return why it could not be removed, or nothing."""

    def misled(self) -> list[str]:
        """Return what is read differently now by whoever trusts what is left, after ``finish``."""

    def is_ours(self, path: str) -> bool:
        """Tell whether a path of the world is changed by this way itself."""

    def may_add(self, path: str) -> bool:
        """Tell whether this way itself may make such a path."""


@contextmanager
def thawing() -> Iterator[tuple[Callable[[int], None], Callable[[], bool]]]:
    """Let a process that is stopped by a signal go on.

    The first function names the process, the second tells whether that was ever needed.
    """
    watched: list[int] = []
    over, needed = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_S):
            for pid in watched:
                if stopped(pid):
                    needed.set()
                    os.kill(pid, signal.SIGCONT)

    watcher = threading.Thread(target=watch, name="thaw")
    watcher.start()
    try:
        yield watched.append, needed.is_set
    finally:
        over.set()
        watcher.join()
