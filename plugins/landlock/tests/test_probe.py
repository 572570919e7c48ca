"""The sandbox passes the test that every run puts it to, as root and as an ordinary user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from gitcto_landlock.sandbox import Landlock

from gitcto.plugins import Plugins
from gitcto.runtime.host.probing import MUST_STOP, choose_sandbox, run_probe

NOBODY = 65534
ALSO_STOPPED = {"read_secret", "proc_root", "proc_environ", "tcp"}
"""What the level does not promise and this machine's Landlock stops as well."""

AS_NOBODY = """\
import json, sys
from pathlib import Path
sys.path += json.loads(sys.argv[1])
from gitcto.plugins import Plugins
from gitcto.runtime.host.probing import run_probe
plugins = Plugins.load(sys.path)
print(json.dumps(run_probe(plugins, plugins.sandboxes()["landlock"], Path(sys.argv[2]))))
"""


@pytest.fixture(autouse=True)
def _needs_landlock() -> None:
    answer = Landlock().available({})
    if not answer.available:
        pytest.skip(answer.hint)


def stopped(results: dict[str, str]) -> set[str]:
    return {name for name, result in results.items() if result == "stopped"}


def test_its_version_is_the_kernels() -> None:
    assert Landlock().available({}).version.startswith("ABI ")


def test_every_attack_of_its_level_is_stopped(tmp_path: Path) -> None:
    plugins = Plugins.load(sys.path)
    results = run_probe(plugins, plugins.sandboxes()["landlock"], tmp_path)
    assert stopped(results) >= MUST_STOP["landlock"] | ALSO_STOPPED


def test_what_it_cannot_stop_is_known(tmp_path: Path) -> None:
    plugins = Plugins.load(sys.path)
    results = run_probe(plugins, plugins.sandboxes()["landlock"], tmp_path)
    assert set(results) - stopped(results) == {"chmod"}


def test_it_is_chosen(tmp_path: Path) -> None:
    isolation, failed = choose_sandbox(Plugins.load(sys.path), ("landlock",), tmp_path, {})
    assert (isolation.level, failed) == ("landlock", ())


@pytest.fixture
def place_of_nobody() -> Iterator[Path]:
    """A directory of a user without any privilege; pytest's own are closed to others."""
    place = Path(tempfile.mkdtemp(prefix="git-cto-nobody-"))
    os.chown(place, NOBODY, NOBODY)
    yield place
    shutil.rmtree(place)


def beside_the_library() -> list[str]:
    """Return where packages are found, without the standard library of this interpreter."""
    base = Path(sys.base_prefix)
    return [path for path in sys.path if path and base not in Path(path).parents]


def interpreter_of_nobody() -> str:
    """Return an interpreter of our version that an ordinary user can start; skip without one."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    code = (
        "import json, sys; sys.path += json.loads(sys.argv[1]); import gitcto.runtime.host.probing"
    )
    import_ours = ["-c", code, json.dumps(beside_the_library())]
    for program in (sys.executable, shutil.which(version, path=os.defpath)):
        if program is None:
            continue
        try:
            done = subprocess.run(
                [program, *import_ours],
                user=NOBODY,
                group=NOBODY,
                extra_groups=[],
                cwd="/",
                capture_output=True,
                check=False,
            )
        except PermissionError:
            continue
        if done.returncode == 0:
            return program
    return str(pytest.skip(f"no {version} that other users can start"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_gets_the_same(place_of_nobody: Path) -> None:
    done = subprocess.run(
        [
            interpreter_of_nobody(),
            "-c",
            AS_NOBODY,
            json.dumps(beside_the_library()),
            str(place_of_nobody),
        ],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert stopped(results) >= MUST_STOP["landlock"] | ALSO_STOPPED
