"""What a killed run left running: ended and verified before its directory is removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from gitcto.errors import CtoError
from gitcto.git.durable import discard, storage_errors
from gitcto.git.lock import exclusive
from gitcto.runtime.worker import workers
from gitcto.runtime.worker.run_files import COMMAND

_SCENE = ".probe."
_HELD = "held"
_LOCK = ".probe-lock"
"""Scenes are made and removed under it, so that one that nobody holds is nobody's."""


def end_commands(scratch: Path) -> None:
    """End the commands that a process which is gone had started in ``scratch``; remove their files.

    Their supervisors end them when that process dies, but may need a moment, or be killed as well.
    Raises ``CtoError`` when something cannot be removed. Absent is fine.
    """
    for private in sorted(scratch.glob(f"{COMMAND}*")):
        _end(private / "run")
        discard(private)


@contextmanager
def scene(place: Path) -> Iterator[Path]:
    """Make a directory in ``place`` to try a sandbox in, and remove it afterwards.

    So are those whose process is gone, with what still runs in them. Raises ``CtoError``.
    """
    lock = place / _LOCK
    with ExitStack() as held:
        with storage_errors(f"use {place}"):
            place.mkdir(parents=True, exist_ok=True)
            with exclusive(lock):
                _clear(place)
                made = Path(mkdtemp(prefix=_SCENE, dir=place))
                held.enter_context(exclusive(made / _HELD))
        try:
            yield made
        finally:
            with exclusive(lock):
                discard(made)


def _clear(place: Path) -> None:
    for path in sorted(place.iterdir()):
        if path.name.startswith(f".{_SCENE}"):  # its removal was cut short
            discard(place / path.name.removeprefix(".").removesuffix(".removing"))
        elif path.name.startswith(_SCENE):
            # Its prober lives, or it cannot be removed: no reason not to start a run.
            with suppress(CtoError), exclusive(path / _HELD, wait_s=0):
                _end(path / "run")
                discard(path)


def _end(run_dir: Path) -> None:
    """End what is supervised from ``run_dir``, whether its supervisor lives or not."""
    if run_dir.is_dir():
        workers.request_stop(run_dir)
        workers.wait(run_dir)
