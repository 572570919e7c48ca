"""The files of one run directory, and how its records are made durable.

Shared by the supervisor, which starts without site-packages and counts every import, and by the
orchestrator. So: standard library only, and no ``pathlib`` here.
"""
# pathlib costs the supervisor 8 ms of CPU at each start:
# ruff: noqa: PTH104, PTH108, PTH118, PTH123

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LAUNCH = "launch.json"
STARTED = "started.json"
EXITED = "exited.json"
ALIVE = "alive"
STOP = "stop"
STDOUT = "stdout.log"
STDERR = "stderr.log"
SUPERVISOR_LOG = "supervisor.log"
HELPER_LOG = "helper.log"
"""The file that the standard error of a worker's helper goes to."""

COMMAND = "command."
"""What the name of a directory begins with that a short-lived command is supervised from."""

HASTE_S = 0.6
"""Between two signals to a worker that is interrupted (seconds): a deaf one ends within 2 s."""

MARKER = "CTO_EXECUTION_DIR"
"""Name of the environment variable that every process of a worker carries."""


def write_record(run_dir: str, name: str, value: Mapping[str, object]) -> None:
    """Write ``value`` as JSON so that it survives a power cut and is never seen half-written.

    Raises ``OSError``.
    """
    path = os.path.join(run_dir, name)
    scratch = f"{path}.{os.getpid()}.tmp"
    try:
        fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write_all(fd, json.dumps(value).encode())
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(scratch, path)
    except BaseException:
        _remove(scratch)
        raise
    sync_directory(run_dir)


def interrupt(run_dir: str) -> None:
    """Ask for the worker's end, :data:`HASTE_S` between the signals. Any process may.

    Raises ``OSError``.
    """
    write_record(run_dir, STOP, {"grace_s": HASTE_S})


def _write_all(fd: int, data: bytes) -> None:
    """Write every byte: a disk that is nearly full takes a part of them and says so only then."""
    while data:
        data = data[os.write(fd, data) :]


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def sync_directory(path: str) -> None:
    """Make the names in the directory ``path`` durable."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read_record(run_dir: str, name: str) -> dict[str, object] | None:
    """Return a record, or None when it was never written (or is not a JSON object)."""
    try:
        with open(os.path.join(run_dir, name), "rb") as file:
            value = json.loads(file.read())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
        return None
    return value if isinstance(value, dict) else None
