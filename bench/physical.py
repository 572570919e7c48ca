"""What the disk allows: the file operations of one durable git event, and nothing besides them.

The probe of a ledger append: a new object (write, fsync, rename) and a moved ref (lock file, fsync,
rename). git-cto also syncs both directories, so that the names survive a power cut; ``with_names``
is the probe that does so too.
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

_OBJECT = os.urandom(300)
_REF = b"0" * 40 + b"\n"
_numbers = count()


def event(folder: Path) -> None:
    """Do what the disk has to do for one durable event."""
    _write(folder / "objects", f"object-{os.getpid()}-{next(_numbers)}", _OBJECT)
    _write(folder / "refs", "ledger", _REF)


def event_with_names(folder: Path) -> None:
    """Do the same, and make both names durable."""
    event(folder)
    for name in ("objects", "refs"):
        _sync(folder / name)


def prepare(folder: Path) -> Path:
    """Make the folder that the probes write to."""
    for name in ("objects", "refs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return folder


def _write(folder: Path, name: str, data: bytes) -> None:
    fresh = folder / f"{name}.{os.getpid()}.lock"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
    fresh.rename(folder / name)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
