"""A copy of our sources with one bug in it, and the programs that have to find it there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import gitcto
from gitcto.testing.planted.bug import Bug

DETECTORS = {
    "explorer": ("gitcto.testing.explorer",),
    "store": ("gitcto.testing.planted.store",),
    "simulation": ("gitcto.testing.simulation", "--seeds", "0-999", "--stop-at-first"),
}
"""What finds bugs, the cheapest first; each ends with 1 when it found something."""

DEADLINE_S = 900


class DoesNotApplyError(ValueError):
    """The source has changed under a bug: bring it up to date, never leave it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of a bug: the detector that found it, what that said last, and seconds of CPU."""

    bug: str
    unsafe: bool
    found_by: str
    said: str
    cpu_s: float


def plant(bug: Bug, into: Path) -> Path:
    """Copy our sources into an empty directory, with a bug; return what to import them from.

    Raises :class:`DoesNotApplyError`, and ``SyntaxError`` for a bug that is no program.
    """
    source = Path(gitcto.__file__).parent
    skipped = shutil.ignore_patterns("__pycache__", "escape")
    shutil.copytree(source, into / "gitcto", ignore=skipped)
    for name, old, new in bug.swaps:
        file = into / "gitcto" / name
        text = file.read_text(encoding="utf-8")
        if text.count(old) != 1:
            message = f"{bug.name}: {name} holds its text {text.count(old)} times:\n{old}"
            raise DoesNotApplyError(message)
        spoiled = text.replace(old, new)
        compile(spoiled, name, "exec")
        file.write_text(spoiled, encoding="utf-8")
    return into


def available() -> tuple[str, ...]:
    """Return the detectors there are here: a missing one must not pass for one that found."""
    return tuple(name for name, words in DETECTORS.items() if find_spec(words[0]) is not None)


def try_bug(bug: Bug, scratch: Path, detectors: tuple[str, ...] = ()) -> Trial:
    """Plant a bug in ``scratch`` and run detectors until one finds it; all there are, by default.

    What finds it is anything that does not end well: a violation or an error.
    """
    place = plant(bug, scratch)
    before, said = _children_s(), ""
    for detector in detectors or available():
        code, said = _run(DETECTORS[detector], place)
        if code:
            return _trial(bug, detector, said, before)
    return _trial(bug, "", said, before)


def _trial(bug: Bug, found_by: str, said: str, before: float) -> Trial:
    return Trial(
        bug=bug.name,
        unsafe=not bug.harmless,
        found_by=found_by,
        said=said,
        cpu_s=round(_children_s() - before, 1),
    )


def _run(program: tuple[str, ...], place: Path) -> tuple[int, str]:
    environ = {**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, "-m", *program]
    try:
        done = subprocess.run(
            argv,
            cwd=place,
            env=environ,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 0, f"nothing was found in {DEADLINE_S} s"
    lines = done.stderr.splitlines()
    traced = "Traceback (most recent call last):" in lines
    return done.returncode, lines[-1 if traced else 0] if lines else ""


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system
