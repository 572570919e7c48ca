"""Which Python a fresh clone is set up with, and what a person is told when there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "find-python"
REAL = f'exec "{sys.executable}" "$@"'
SHIM = "echo 'not installed' >&2; exit 127"
OLD = "exit 1"
NO_VENV = f"""case "$2" in *ensurepip*) exit 1 ;; esac; {REAL}"""


@pytest.fixture
def bin_(tmp_path: Path) -> Path:
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "sed").symlink_to(shutil.which("sed") or "")
    program(directory, "git", "echo git version 2.38.0.windows.1")
    return directory


def program(directory: Path, name: str, body: str) -> None:
    """Put a program on PATH."""
    (directory / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    (directory / name).chmod(0o755)


def find(directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the script with nothing else on PATH."""
    env = {key: value for key, value in os.environ.items() if key != "PATH"}
    return subprocess.run(
        ["/bin/sh", str(SCRIPT)],
        env=env | {"PATH": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_newest_that_works_is_taken(bin_: Path) -> None:
    program(bin_, "python3.14", SHIM)
    program(bin_, "python3.13", NO_VENV)
    program(bin_, "python3.12", REAL)
    program(bin_, "python3", REAL)
    assert find(bin_).stdout == f"{bin_}/python3.12\n"


def test_a_plain_python3_will_do(bin_: Path) -> None:
    program(bin_, "python3.11", OLD)
    program(bin_, "python3", REAL)
    assert find(bin_).stdout == f"{bin_}/python3\n"


@pytest.mark.parametrize(
    ("programs", "message"),
    [
        ({}, "no Python 3.11 or later was found"),
        ({"python3": OLD, "python3.13": SHIM}, "no Python 3.11 or later was found"),
        ({"python3": NO_VENV}, "cannot make virtual environments"),
        ({"python3": REAL, "git": "echo git version 2.37.9"}, "git 2.37 is too old"),
        ({"python3": REAL, "git": "exit 127"}, "git was not found"),
    ],
)
def test_what_is_missing_is_said_in_two_lines(bin_: Path, programs, message: str) -> None:
    for name, body in programs.items():
        program(bin_, name, body)
    done = find(bin_)
    assert (done.returncode, done.stdout) == (1, "")
    first, second = done.stderr.splitlines()
    assert first.startswith("error: ")
    assert message in first
    assert second.startswith("hint: ")


@pytest.mark.parametrize("version", ["2.38.0", "2.39.5 (Apple Git-154)", "3.0.0-rc1", "10.1.2"])
def test_a_git_that_is_new_enough_is_accepted(bin_: Path, version: str) -> None:
    program(bin_, "python3", REAL)
    program(bin_, "git", f"echo 'git version {version}'")
    assert find(bin_).returncode == 0
