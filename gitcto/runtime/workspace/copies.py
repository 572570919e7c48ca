"""Copying directory trees as they stand: links as links, never what they point to."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from typing import TYPE_CHECKING

from gitcto.git.durable import storage_errors
from gitcto.runtime.worker.processes import LINUX

if TYPE_CHECKING:
    from pathlib import Path

_FICLONE = 0x40049409
_CANNOT_SHARE = frozenset({errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS})
_BLOCK_BYTES = 512


def copy_tree(source: Path, target: Path) -> int:
    """Copy a directory to ``target``, which does not exist; return its size on disk (bytes).

    Modes and times are kept, contents share their blocks where the file system can do that.
    Sockets, pipes and devices are left out. Raises ``CtoError``.
    """
    with storage_errors(f"copy {source}"):
        return _Copying(str(source), str(target)).run()


class _Copying:
    """One copy; ``shares`` until the file system says that it cannot share blocks."""

    def __init__(self, source: str, target: str) -> None:
        self._source = source
        self._target = target
        self._shares = LINUX

    def run(self) -> int:
        size = 0
        pending = [""]
        directories = []
        while pending:
            folder = pending.pop()
            os.mkdir(self._target + folder)  # noqa: PTH102
            directories.append((folder, os.lstat(self._source + folder)))
            with os.scandir(self._source + folder) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}"
                    status = entry.stat(follow_symlinks=False)
                    size += status.st_blocks * _BLOCK_BYTES
                    if stat.S_ISDIR(status.st_mode):
                        pending.append(path)
                    else:
                        self._copy(path, status)
        for folder, status in reversed(directories):  # a directory's time changes with its entries
            _dress(self._target + folder, status)
        return size

    def _copy(self, path: str, status: os.stat_result) -> None:
        source, target = self._source + path, self._target + path
        if stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(source), target)  # noqa: PTH115, PTH211
        elif stat.S_ISREG(status.st_mode):
            if not self._shares or not self._share(source, target):
                shutil.copyfile(source, target, follow_symlinks=False)
            _dress(target, status)

    def _share(self, source: str, target: str) -> bool:
        with open(source, "rb") as reading, open(target, "wb") as writing:  # noqa: PTH123
            try:
                fcntl.ioctl(writing.fileno(), _FICLONE, reading.fileno())
            except OSError as error:
                if error.errno not in _CANNOT_SHARE:
                    raise
                self._shares = False
        return self._shares


def _dress(path: str, status: os.stat_result) -> None:
    os.chmod(path, stat.S_IMODE(status.st_mode) & 0o777)  # noqa: PTH101
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
