"""A program confined as a worker is, run to its end."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from gitcto_landlock.sandbox import Landlock

from gitcto.api import ConfineRequest

OWN = (Path(sys.prefix), Path(sys.base_prefix))


@dataclass(frozen=True)
class Scene:
    """A home with a room in it, and the request that confines a program to the room."""

    home: Path
    room: Path
    request: ConfineRequest

    def run(self, *argv: str, **changes: object) -> subprocess.CompletedProcess[str]:
        request = replace(self.request, argv=argv, **changes)  # type: ignore[arg-type]
        confined = Landlock().confine(request)
        return subprocess.run(
            confined.argv,
            env=confined.env,
            cwd=request.cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def python(self, code: str, **changes: object) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-I", "-S", "-c", code, **changes)

    def prints(self, code: str, **changes: object) -> str:
        """Run Python code that has to succeed; return what it printed."""
        done = self.python(code, **changes)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    answer = Landlock().available({})
    if not answer.available:
        pytest.skip(answer.hint)
    root = tmp_path / ("deep" * 30)
    home, room, private = root / "home", root / "home" / "rooms" / "room", root / "run"
    for directory in (room, private):
        directory.mkdir(parents=True)
    (home / "secret").write_text("hidden\n")
    request = ConfineRequest(
        argv=("true",),
        env={"PATH": os.defpath},
        cwd=room,
        writes=(room,),
        reads=OWN,
        hides=(home,),
        run_dir=private,
    )
    return Scene(home, room, request)
