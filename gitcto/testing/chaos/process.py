"""A ``git cto run`` as a real process, and what it says of what it recorded."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 90.0
"""How long to wait for what must happen (seconds)."""

_LOOK_S = 0.01


class Overdue(Exception):  # noqa: N818 - a finding, not a fault of this program
    """What must happen did not happen in time."""


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for what must become true. Raises :class:`Overdue`, which says ``what``."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise Overdue(f"waited {PATIENCE_S:.0f} s in vain: {what}")
        time.sleep(_LOOK_S)


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as a run told it: when it was heard of (monotonic seconds), and its body."""

    at_s: float
    body: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The event's kind."""
        return str(self.body["kind"])

    @property
    def execution(self) -> str:
        """The execution it is about, or nothing."""
        return str(self.body.get("execution", ""))


class Run:
    """A started ``git cto run --json``: its events are told after they are durable."""

    def __init__(
        self, argv: Sequence[str], cwd: Path, environ: Mapping[str, str], said: Path
    ) -> None:
        self._said = said
        self.clone = cwd
        self._changed = threading.Condition()
        self.seen: list[Seen] = []
        self.killed = False
        self.began_s = time.monotonic()
        with said.open("wb") as errors:
            self.process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                told = json.loads(line)
            except ValueError:  # killed amid a line
                continue
            if told.get("type") == "event":
                with self._changed:
                    self.seen.append(Seen(time.monotonic(), told["event"]["body"]))
                    self._changed.notify_all()
        self.process.stdout.close()
        with self._changed:
            self._changed.notify_all()

    @property
    def said(self) -> str:
        """What it wrote to standard error so far."""
        return self._said.read_text(encoding="utf-8", errors="replace")

    def first(self, wanted: Callable[[Seen], bool]) -> Seen | None:
        """Wait for the first event like that; None when the run ended without one.

        Raises :class:`Overdue`.
        """
        return self.nth(1, wanted)

    def nth(self, number: int, wanted: Callable[[Seen], bool]) -> Seen | None:
        """Wait for the n-th event like that; None when the run ended before. Raises Overdue."""
        deadline = time.monotonic() + PATIENCE_S
        with self._changed:
            while True:
                found = [each for each in self.seen if wanted(each)]
                if len(found) >= number:
                    return found[number - 1]
                if not self._reader.is_alive():
                    return None
                if time.monotonic() > deadline:
                    raise Overdue(f"event {number} that was waited for did not come: {self.said}")
                self._changed.wait(0.2)

    def wait(self) -> int:
        """Wait for its end and return its exit code. Raises :class:`Overdue`."""
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired as error:
            raise Overdue(f"a run did not end within {PATIENCE_S:.0f} s: {self.said}") from error
        self._reader.join(PATIENCE_S)
        return code

    def kill(self) -> None:
        """Kill it, as ``kill -9`` does, and wait until it is gone."""
        self.killed = True
        self.process.send_signal(signal.SIGKILL)
        self.wait()
