"""Loose objects, written durably and read with their id checked.

Measured reasons (dulwich 1.2.21, git 2.39): git's and dulwich's defaults do not survive a power
cut, and dulwich's loose writer leaves lock files behind that block the same content for ever.
"""

# Every event passes here; plain strings and os calls cost a third of Path.
# ruff: noqa: PTH102, PTH104, PTH108, PTH110, PTH120, PTH123

from __future__ import annotations

import hashlib
import itertools
import os
import re
import zlib

from gitcto.errors import CtoError, ExitCode
from gitcto.git.durable import storage_errors, sync_directory, write_all

_ATTEMPTS = 100
_HEADER = re.compile(rb"(commit|tree|blob|tag) (0|[1-9][0-9]*)\0")


class CorruptObject(CtoError):  # noqa: N818  # named for what happened
    """An object's bytes are not what its id promises."""

    def __init__(self, oid: str, reason: str) -> None:
        super().__init__(
            f"object {oid} is damaged: {reason}",
            "run `git fsck --full`, then fetch the object again from a good copy",
            ExitCode.GIT,
        )
        self.oid = oid


class LooseObjects:
    """The loose objects below ``root``."""

    def __init__(self, root: str, object_format: str) -> None:
        self._root = root
        self._hash = hashlib.sha256 if object_format == "sha256" else hashlib.sha1
        self._serial = itertools.count()

    def path(self, oid: str) -> str:
        """Return where the object lies, or would lie."""
        return f"{self._root}/{oid[:2]}/{oid[2:]}"

    def has(self, oid: str) -> bool:
        """Tell whether there is a file for this object."""
        return os.path.exists(self.path(oid))

    def read(self, oid: str) -> tuple[str, bytes] | None:
        """Return kind and content, or None; raises ``CorruptObject``."""
        path = self.path(oid)
        try:
            with open(path, "rb") as file:
                packed = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CorruptObject(oid, f"cannot read {path}: {error.strerror}") from error
        try:
            raw = zlib.decompress(packed)
        except zlib.error as error:
            raise CorruptObject(oid, f"{path} cannot be unpacked ({error})") from error
        header = _HEADER.match(raw)
        if not header or len(raw) - header.end() != int(header[2]):
            raise CorruptObject(oid, f"{path} has a wrong header")
        if self._hash(raw).hexdigest() != oid:
            raise CorruptObject(oid, f"{path} holds another object")
        return header[1].decode(), raw[header.end() :]

    def write(self, kind: str, data: bytes) -> str:
        """Store an object so that it survives a power cut, and return its id."""
        raw = b"%s %d\0" % (kind.encode(), len(data)) + data
        oid = self._hash(raw).hexdigest()
        with storage_errors(f"write object {oid}"):
            if not self._settled(oid):
                self._store(self.path(oid), raw)
        return oid

    def _settled(self, oid: str) -> bool:
        """Make an object that is there durable: others do not write as carefully as we do."""
        try:
            if self.read(oid) is None:
                return False
        except CorruptObject:
            return False  # what a power cut leaves of a file that nobody synced: write it anew
        path = self.path(oid)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            os.fsync(descriptor)
            sync_directory(os.path.dirname(path))
        except FileNotFoundError:
            return False  # gc took the file and its directory between our steps
        finally:
            os.close(descriptor)
        return True

    def _store(self, path: str, raw: bytes) -> None:
        directory = os.path.dirname(path)
        for attempt in range(_ATTEMPTS):
            name = f"tmp_obj_cto_{os.getpid()}_{next(self._serial)}"
            temporary = f"{directory}/{name}"
            try:
                _write_and_rename(temporary, path, raw)
                sync_directory(directory)
            except FileNotFoundError:  # git gc removes empty directories at any time
                if attempt + 1 == _ATTEMPTS:
                    raise
                self._make_directory(directory)
            except FileExistsError:  # left behind by a killed process that had our pid
                if attempt + 1 == _ATTEMPTS:
                    raise
            else:
                return

    def _make_directory(self, directory: str) -> None:
        try:
            os.mkdir(directory)
        except FileExistsError:
            return
        sync_directory(self._root)


def _write_and_rename(temporary: str, path: str, raw: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o444)
    try:
        try:
            write_all(descriptor, zlib.compress(raw, 1))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
