"""Git's ``<ref>.lock`` protocol, so that no kill of ours leaves a lock that blocks others.

The new value is written and synced in a file of our own that carries an ``flock``, and only then
linked to ``<ref>.lock``: the lock is held for microseconds, never during a sync. After a kill in
between, the next writer of any ref sees that the lock is one of our files and that nobody holds its
``flock``: it is removed at once. A lock of somebody else is moved away only inside our namespace
and only when it is older than 10 s (git's own waits are 0.1 s and 1 s).
"""

# Every event passes here; plain strings and os calls cost a third of Path.
# ruff: noqa: PTH103, PTH104, PTH108, PTH116, PTH119, PTH120

from __future__ import annotations

import fcntl
import itertools
import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.git.durable import sync_directory, write_all

if TYPE_CHECKING:
    from collections.abc import Iterator

STALE_AFTER_S = 10.0
OUR_REFS = ("refs/cto/", "refs/heads/cto/")

_FIRST_PAUSES_S = (0.001, 0.005, 0.02)
_PAUSE_S = 0.05
_PATIENCE_S = 1.0
_LONGEST_NAME = 200  # of a file's 255
_serial = itertools.count()


class RefLock:
    """Makes lock files in ``<cto_dir>/locks`` and clears those that dead processes left."""

    def __init__(self, common_dir: str, cto_dir: str) -> None:
        self._common = common_dir
        self._ours = f"{cto_dir}/locks"
        self._quarantine = f"{cto_dir}/quarantine"
        self._swept = False

    @contextmanager
    def held(self, name: str, content: bytes) -> Iterator[str]:
        """Hold ``<name>.lock`` holding ``content``; yields its path, to be renamed to the ref.

        Raises ``CtoError`` when somebody else keeps the lock, ``OSError`` for the file system.
        """
        lock = f"{self._common}/{name}.lock"
        with self._prepared(content, name) as (prepared, descriptor):
            self._link(prepared, lock, name)
            try:
                yield lock
            finally:
                # Renamed by the caller, or given up: either way it is ours until the flock goes.
                if _given_up(lock, descriptor) and not name.startswith(OUR_REFS):
                    sync_directory(os.path.dirname(lock))  # before what tells that it is ours goes

    def clear(self, name: str) -> bool:
        """Remove ``<name>.lock`` if provably nobody holds it, without waiting; tell whether."""
        with self._prepared(b"", "") as (prepared, _):
            return self._clear(prepared, f"{self._common}/{name}.lock", name)

    @contextmanager
    def prepared(self, content: bytes) -> Iterator[str]:
        """Give the path of a durable file that holds ``content``, to be renamed to where it goes.

        What is not renamed is removed; what a kill leaves, the next writer removes.
        """
        with self._prepared(content, "") as (path, _):
            yield path

    @contextmanager
    def _prepared(self, content: bytes, name: str) -> Iterator[tuple[str, int]]:
        path, descriptor = self._prepare(content, name)
        try:
            yield path, descriptor
        except _LockStaysError:  # so does what tells that it is ours, for the next writer to find
            raise
        except BaseException:
            _unlink(path)
            raise
        else:
            _unlink(path)
        finally:
            os.close(descriptor)

    def _prepare(self, content: bytes, name: str) -> tuple[str, int]:
        self._sweep_once()
        suffix = f"@{name.replace('/', '%')}" if len(name) <= _LONGEST_NAME else ""
        while True:
            path = f"{self._ours}/{os.getpid()}-{next(_serial)}{suffix}"
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            except FileExistsError:
                continue
            except FileNotFoundError:
                os.makedirs(self._ours, exist_ok=True)
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if os.fstat(descriptor).st_nlink == 0:  # swept before it had its flock
                    os.close(descriptor)
                    continue
                write_all(descriptor, content)
                os.fsync(descriptor)
                if name and not name.startswith(OUR_REFS):
                    # Its lock outlives a power cut only together with what tells that it is ours.
                    sync_directory(self._ours)
            except BaseException:
                _unlink(path)
                os.close(descriptor)
                raise
            return path, descriptor

    def _link(self, prepared: str, lock: str, name: str) -> None:
        pause = threading.Event()
        patience_s = STALE_AFTER_S + _PATIENCE_S if name.startswith(OUR_REFS) else _PATIENCE_S
        for wait_s in (*_FIRST_PAUSES_S, *(_PAUSE_S,) * int(patience_s / _PAUSE_S)):
            try:
                os.link(prepared, lock)
            except FileNotFoundError:
                _make_parents(lock)
            except FileExistsError:
                if not self._clear(prepared, lock, name):
                    pause.wait(wait_s)
            else:
                return
        raise CtoError(
            f"{name} is locked by another git process ({lock})",
            "wait for it to end; if no git process runs, delete that file",
            ExitCode.GIT,
        )

    def _clear(self, prepared: str, lock: str, name: str) -> bool:
        """Remove a lock that provably nobody holds; True when it is worth trying again at once."""
        try:
            descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            found = os.fstat(descriptor)
            if self._is_ours(found.st_ino):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _unlink_if_same(lock, descriptor)
                return True
            age_s = os.stat(prepared).st_mtime - found.st_mtime  # both by the file system's clock
            if age_s < STALE_AFTER_S or not name.startswith(OUR_REFS):
                return False
            os.makedirs(self._quarantine, exist_ok=True)
            os.rename(lock, f"{self._quarantine}/{found.st_ino}-{name.replace('/', '%')}.lock")
        except (BlockingIOError, FileNotFoundError):
            return False
        finally:
            os.close(descriptor)
        return True

    def _is_ours(self, inode: int) -> bool:
        with os.scandir(self._ours) as entries:
            return any(entry.inode() == inode for entry in entries)

    def _sweep_once(self) -> None:
        """Remove what dead processes prepared and locked, once in the life of this object."""
        if self._swept:
            return
        self._swept = True
        try:
            with os.scandir(self._ours) as entries:
                paths = [entry.path for entry in entries]
        except FileNotFoundError:
            return
        for path in paths:
            self._remove_if_abandoned(path)

    def _remove_if_abandoned(self, path: str) -> None:
        """Remove a prepared file that nobody holds, and the lock that it was linked to.

        Its name says which lock that may be. While it is linked elsewhere it stays, for that lock
        must remain recognisable as ours.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            name = os.path.basename(path).partition("@")[2].replace("%", "/")
            if name:
                _unlink_if_same(f"{self._common}/{name}.lock", descriptor)
            if os.fstat(descriptor).st_nlink == 1:
                _unlink(path)
        except BlockingIOError:
            return
        finally:
            os.close(descriptor)


class _LockStaysError(OSError):
    """The file system did not let go of a lock."""


def _given_up(lock: str, descriptor: int) -> bool:
    try:
        return _unlink_if_same(lock, descriptor)
    except OSError as error:
        raise _LockStaysError(error.errno, error.strerror, error.filename) from error


def _make_parents(path: str) -> None:
    """Make the directory of a ref; git removes empty ones at any time, also while we are at it."""
    with suppress(FileNotFoundError):
        os.makedirs(os.path.dirname(path), exist_ok=True)


def _unlink(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def _unlink_if_same(path: str, descriptor: int) -> bool:
    """Remove ``path`` when it is still the open file; its ``flock`` keeps others from doing so."""
    try:
        if os.stat(path).st_ino != os.fstat(descriptor).st_ino:
            return False
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
