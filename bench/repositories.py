"""Repositories to measure on."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.measure import environment, run
from gitcto.git.repository import Repository, discover

_FILES_IN_FOLDER, _LINES_IN_FILE = 50, 60


class Place(NamedTuple):
    """A scratch repository at ``path``, and the environment that its programs get."""

    path: Path
    env: Mapping[str, str]

    def git(self, *arguments: str) -> str:
        """Run git to prepare or to ask."""
        return run(("git", *arguments), self.path, self.env)

    def repository(self) -> Repository:
        """Return it as git-cto sees it."""
        return discover(self.path, self.env)

    def beside(self, name: str) -> Path:
        """Return a path outside the repository that goes with it."""
        return self.path.parent / name


@contextmanager
def scratch(files: int = 1) -> Iterator[Place]:
    """Make a repository of ``files`` files of about 2 kB with one commit, checked out."""
    with stored(files, _LINES_IN_FILE) as place:
        place.git("reset", "--quiet", "--hard")
        yield place


@contextmanager
def stored(files: int, lines: int) -> Iterator[Place]:
    """Make a repository with one commit of ``files`` files of ``lines`` lines, not checked out."""
    with tempfile.TemporaryDirectory(prefix="git-cto-bench-") as root:
        place = Place(Path(root).resolve() / "repository", environment(Path(root)))
        place.path.mkdir()
        place.git("init", "--quiet", "--initial-branch=main")
        place.git("config", "gc.auto", "0")
        fast_import(place, _first_commit(files, lines))
        yield place


def fast_import(place: Place, stream: Iterator[bytes]) -> None:
    """Feed ``git fast-import``; everything ends in one pack."""
    command = ["git", "-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--done"]
    with subprocess.Popen(
        command, cwd=place.path, env=dict(place.env), stdin=subprocess.PIPE
    ) as importer:
        if importer.stdin is not None:
            importer.stdin.writelines(stream)
            importer.stdin.write(b"done\n")
    if importer.returncode:
        raise RuntimeError(f"git fast-import ended with {importer.returncode}")


def _first_commit(files: int, lines: int) -> Iterator[bytes]:
    yield b"commit refs/heads/main\ncommitter Ada <ada@example.com> 1700000000 +0000\n"
    yield b"data 5\nstart\n"
    for number in range(files):
        text = b"".join(b"file %d, line %d: it says little\n" % (number, n) for n in range(lines))
        folder = number // _FILES_IN_FOLDER
        yield b"M 100644 inline part%d/file%d.txt\ndata %d\n" % (folder, number, len(text))
        yield text + b"\n"
