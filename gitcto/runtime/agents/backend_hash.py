"""The identity of a backend: the SHA-256 of every file that would be executed."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from gitcto.errors import CtoError
from gitcto.git.durable import replace_file, storage_errors

MOST_FILES = 200_000
"""A backend of more is none: somebody named a whole disk."""

_SETTLED_MS = 2000
"""A file that changed since may change again within the same time stamp, so nothing is kept."""

_BLOCK = 1 << 20

Entry = tuple[str, Path, os.stat_result]


def digest_of(files: Sequence[Path], cache: Path, now_ms: int) -> str:
    """Return the SHA-256 over names, contents and executable bits of files and directories.

    What was hashed before is not read again while device, inode, size and both time stamps of
    every file are what they were: ``cache`` is a directory that keeps one line for each backend.
    Links inside a directory count as links. Raises ``CtoError`` for what cannot be read.
    """
    with storage_errors("read a backend's files"):
        entries = list(_entries(files))
        stamp = _stamp(entries)
        kept = cache / hashlib.sha256("\0".join(map(str, files)).encode()).hexdigest()
        known = _kept(kept, stamp)
        if known:
            return known
        digest = _digest(entries)
        newest = max(found.st_ctime_ns for _, _, found in entries) // 1_000_000
        if _stamp(list(_entries(files))) == stamp and newest < now_ms - _SETTLED_MS:
            cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(kept, f"{stamp} {digest}\n".encode())
        return digest


def _entries(files: Sequence[Path]) -> Iterator[Entry]:
    """Yield every file below ``files`` under a name that no place of installation is part of."""
    count = 0
    for root in sorted(files, key=_label):
        for entry in _below(root, _label(root)):
            count += 1
            if count > MOST_FILES:
                raise CtoError(
                    f"a backend of more than {MOST_FILES} files cannot be admitted",
                    "let its provider name the program's own files only",
                )
            yield entry


def _label(root: Path) -> str:
    """Return a name for a root: what follows the last ``node_modules``, else its own name."""
    return str(root).rpartition("/node_modules/")[2] if "/node_modules/" in str(root) else root.name


def _below(path: Path, name: str) -> Iterator[Entry]:
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        yield name, path, found
        return
    for child in sorted(path.iterdir()):
        yield from _below(child, f"{name}/{child.name}")


def _stamp(entries: Sequence[Entry]) -> str:
    summed = hashlib.sha256()
    for name, _, s in entries:
        seen = (s.st_mode, s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns)
        summed.update(f"{name}\0{seen}\n".encode(errors="surrogateescape"))
    return summed.hexdigest()


def _kept(kept: Path, stamp: str) -> str:
    try:
        known, _, digest = kept.read_text("ascii").strip().partition(" ")
    except (FileNotFoundError, ValueError):
        return ""
    return digest if known == stamp else ""


def _digest(entries: Sequence[Entry]) -> str:
    summed = hashlib.sha256()
    for name, path, found in entries:
        line = f"{name}\0{_kind(found.st_mode)}\0{_content(path, found.st_mode)}\n"
        summed.update(line.encode(errors="surrogateescape"))
    return summed.hexdigest()


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return "program" if mode & 0o111 else "file"
    return "link" if stat.S_ISLNK(mode) else "special"


def _content(path: Path, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return hashlib.sha256(os.fsencode(path.readlink())).hexdigest()
    if not stat.S_ISREG(mode):
        return ""
    summed = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            summed.update(block)
    return summed.hexdigest()
