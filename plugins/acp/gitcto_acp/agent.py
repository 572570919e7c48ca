"""The agent's process, and the lines that go to and from it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

LONGEST_LINE = 64 << 20
"""Most bytes of one message of an agent; more is no message (bytes)."""

CLOSED_S = 2.0
"""How long an agent may take to end when its input is closed; some never do (seconds)."""

TERMINATED_S = 2.0
"""How long it may take when it is asked by a signal (seconds)."""


async def start(argv: Sequence[str], workspace: str) -> Process:
    """Start an agent in a process group of its own; raises ``OSError``.

    Its standard error is ours: a pipe that nobody reads would stop it one day.
    """
    return await asyncio.create_subprocess_exec(
        *argv, stdin=PIPE, stdout=PIPE, cwd=workspace, limit=LONGEST_LINE, start_new_session=True
    )


async def gone(process: Process) -> str:
    """Return one line on an agent that went away by itself."""
    await _ended(process, CLOSED_S)
    if process.returncode is None:
        return "it closed its output in the middle of its work"
    return f"it ended in the middle of its work, with code {process.returncode}"


async def end(process: Process) -> None:
    """Bring an agent to its end, and all that is in its process group."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    if not await _ended(process, CLOSED_S):
        _signal(process, signal.SIGTERM)
        await _ended(process, TERMINATED_S)
    _signal(process, signal.SIGKILL)
    await process.wait()


async def _ended(process: Process, seconds: float) -> bool:
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


class Wire:
    """A transport for ``acp.connection.Connection``: JSON objects, one a line, within bounds.

    The library's own collects a line without an end until the memory is full, and stops reading at
    a line that is JSON but no object.
    """

    def __init__(self, process: Process, warn: Callable[[str], None]) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("an agent is spoken to through pipes")
        self._writer, self._reader = process.stdin, process.stdout
        self._warn = warn
        self.too_long = False

    async def send(self, message: dict[str, Any]) -> None:
        """Send one message."""
        self._writer.write(json.dumps(message).encode() + b"\n")
        await self._writer.drain()

    async def receive(self) -> dict[str, Any] | None:
        """Return the next message, None at the end; what is none is passed over, with a warning."""
        while True:
            try:
                line = await self._reader.readline()
            except ValueError:
                self.too_long = True
                return None
            if not line:
                return None
            message = _parsed(line)
            if message is not None:
                return message
            if line.strip():
                self._warn("the agent printed a line that is no message")

    async def close(self) -> None:
        """Leave the pipes to whoever ends the process."""


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
