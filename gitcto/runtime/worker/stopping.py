"""Ending commands from another thread than the one that waits for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitcto.runtime.worker.workers import request_stop


class Stop:
    """Ends the commands that are run with it, those under way and those to come."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: set[Path] = set()
        self._reason = ""

    @property
    def reason(self) -> str:
        """Why they are ended; empty as long as they are not."""
        return self._reason

    def ask(self, reason: str) -> None:
        """Ask for the end of all of them, for a reason that is not empty. Returns at once.

        The first reason stands. Raises ``OSError`` when it cannot be asked for.
        """
        with self._changed:
            self._reason = self._reason or reason
            for run_dir in self._running:
                request_stop(run_dir)

    @contextmanager
    def ends(self, run_dir: Path) -> Iterator[None]:
        """Let the command of a run directory be ended while the block lasts."""
        with self._changed:
            self._running.add(run_dir)
            if self._reason:
                request_stop(run_dir)
        try:
            yield
        finally:
            with self._changed:  # afterwards nobody writes into the directory any more
                self._running.discard(run_dir)
                self._changed.notify_all()

    def await_idle(self, wait_s: float) -> bool:
        """Wait until none is under way, at most ``wait_s`` seconds; tell whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, wait_s)
