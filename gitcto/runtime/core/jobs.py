"""Work that takes time runs in threads; what it found comes back to the loop as messages."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gitcto.runtime.core.messages import Message
    from gitcto.runtime.core.queue_messages import QueueMessage

Post = Callable[["Message | QueueMessage"], None]
"""Hands one message to the loop; may be called from any thread."""

Job = Callable[[Post], None]
"""Something that takes time, and posts what came of it."""


class Runner(Protocol):
    """Runs jobs beside the loop."""

    def start(self, name: str, job: Job) -> None:
        """Run a job. An exception that leaves it is a bug and ends the loop."""

    def next(self, timeout_s: float) -> Message | QueueMessage | None:
        """Return the next message, or None after ``timeout_s`` seconds."""


class Jobs:
    """Starts jobs and collects their messages.

    Threads are daemons: an orchestrator that stops leaves them, and whatever they were doing is
    found by the next run's recovery exactly as after a kill.
    """

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[Message | QueueMessage | BaseException]
        self._messages = queue.SimpleQueue()

    def start(self, name: str, job: Job) -> None:
        """Run ``job`` in its own thread. An exception that leaves it is a bug and ends the loop."""

        def run() -> None:
            try:
                job(self._messages.put)
            except BaseException as error:  # noqa: BLE001  # crosses to the loop's thread
                self._messages.put(error)

        threading.Thread(target=run, name=name, daemon=True).start()

    def next(self, timeout_s: float) -> Message | QueueMessage | None:
        """Return the next message, or None after ``timeout_s`` seconds. Re-raises a job's bug."""
        try:
            message = (
                self._messages.get(timeout=timeout_s)
                if timeout_s > 0
                else (self._messages.get_nowait())
            )
        except queue.Empty:
            return None
        if isinstance(message, BaseException):
            raise message
        return message
