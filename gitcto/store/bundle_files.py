"""Bundles as plain files, for people and programs without git: a directory, or a tar file."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Mapping
from pathlib import Path

from gitcto.errors import CtoError, ExitCode
from gitcto.evidence.manifest import FILE_MODE, Found
from gitcto.git.durable import storage_errors

_READ = 0o644
_EXECUTABLE = 0o111


def export(files: Mapping[str, bytes], place: Path) -> None:
    """Write a bundle to a new directory, or to a new file when ``place`` ends with ``.tar``.

    The same bundle gives the same tar file. It is there whole or not at all: who is killed leaves a
    hidden directory beside it. Raises ``CtoError`` when something is there already, or cannot be
    written.
    """
    import tempfile  # costs a command that only looks more than its look

    with storage_errors(f"write {place}"):
        if os.path.lexists(place):
            raise CtoError(
                f"{place} is there already, and nothing is written over it",
                "name a place that does not exist yet",
                ExitCode.USAGE,
            )
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as beside:
            fresh = Path(beside) / place.name
            write = _tar if place.suffix == ".tar" else _directory
            write(files, fresh)
            fresh.rename(place)


def _directory(files: Mapping[str, bytes], place: Path) -> None:
    place.mkdir()
    for path, data in files.items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def _tar(files: Mapping[str, bytes], place: Path) -> None:
    with (
        place.open("xb") as out,
        tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path, data in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), _READ
            tar.addfile(entry, io.BytesIO(data))


def from_directory(place: Path) -> list[Found]:
    """Return everything below a directory. No link is followed and nothing but files is opened.

    Raises ``CtoError`` when it cannot be read.
    """
    if not place.is_dir():
        raise CtoError(
            f"{place} is no directory",
            "`git cto evidence export TASK DIR` makes one",
            ExitCode.USAGE,
        )
    with storage_errors(f"read {place}"):
        return [_found(place, path) for path in _below(place)]


def _below(place: Path) -> list[Path]:
    found: list[Path] = []
    for directory, names, files in os.walk(place):
        here = Path(directory)
        found += [here / name for name in files]
        found += [here / name for name in names if (here / name).is_symlink()]
    return sorted(found)


def _found(place: Path, path: Path) -> Found:
    name = path.relative_to(place).as_posix()
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return Found(name, "120000", os.fsencode(path.readlink()))
    if not stat.S_ISREG(mode):
        return Found(name, "special", b"")
    return Found(name, "100755" if mode & _EXECUTABLE else FILE_MODE, path.read_bytes())
