"""What tells one file from another: its kind, its permissions and what it holds."""

# Thousands of files pass here; plain strings and os calls cost a third of Path.
# ruff: noqa: PTH115

from __future__ import annotations

import hashlib
import os
import stat

ABSENT = ""
UNREADABLE = "unreadable"
_READ_BYTES = 16 << 20


def identity(path: str, algorithm: str, most_bytes: int = _READ_BYTES) -> str:
    """Return ``<mode> <blob id>`` of a file or link; never raises, never follows a link.

    The blob id is what git would give the bytes as they stand. Files of more than ``most_bytes``
    are told by size, times and inode instead. ``ABSENT`` when there is nothing.
    """
    try:
        found = os.lstat(path)
        mode = f"{found.st_mode:o}"
        if stat.S_ISLNK(found.st_mode):
            return f"{mode} {blob_id(os.fsencode(os.readlink(path)), algorithm)}"
        if not stat.S_ISREG(found.st_mode):
            return f"{mode} {'directory' if stat.S_ISDIR(found.st_mode) else 'special'}"
        if found.st_size > most_bytes:
            return f"{mode} {_stamp(found)}"
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError:
        return UNREADABLE
    try:
        with os.fdopen(descriptor, "rb") as file:
            return f"{mode} {blob_id(file.read(found.st_size), algorithm)}"
    except OSError:
        return UNREADABLE


def blob_id(data: bytes, algorithm: str) -> str:
    """Return the object id that git gives to a blob of these bytes."""
    return hashlib.new(algorithm, b"blob %d\0" % len(data) + data).hexdigest()


def tree_stamp(root: str) -> str:
    """Return what changes when anything below a directory does: names, kinds, sizes and times.

    Contents are not read: the time of a file's last change cannot be set by its owner.
    """
    lines: list[str] = []
    pending = [root]
    while pending:
        directory = pending.pop()
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    lines.append(f"{entry.path}\0{found.st_mode:o} {_stamp(found)}")
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except OSError as error:
            lines.append(f"{directory}\0{error.errno}")
    text = "\n".join(sorted(lines)).encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()


def _stamp(found: os.stat_result) -> str:
    size = 0 if stat.S_ISDIR(found.st_mode) else found.st_size
    return f"{size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
