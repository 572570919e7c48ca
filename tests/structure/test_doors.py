"""The linter knows the doors to the world, and that everything else must not open them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def findings(where: str, source: str) -> str:
    """Return what the linter says about banned names if ``source`` stood in the file ``where``."""
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--no-cache"]
    command += ["--output-format", "concise", "--stdin-filename", where, "-"]
    return subprocess.run(
        command, cwd=ROOT, input=source, capture_output=True, text=True, check=False
    ).stdout


@pytest.mark.parametrize(
    ("line", "banned"),
    [
        ("import time; time.time()", "time.time"),
        ("from time import sleep; sleep(1)", "time.sleep"),
        ("import time; time.monotonic()", "time.monotonic"),
        ("from datetime import datetime; datetime.now()", "datetime.datetime.now"),
        ("import random", "random"),
        ("import uuid", "uuid"),
        ("from secrets import token_hex", "secrets"),
        ("import subprocess", "subprocess"),
        ("import os; os.environ['HOME']", "os.environ"),
        ("from os import getenv", "os.getenv"),
        ("from pathlib import Path; Path.home()", "pathlib.Path.home"),
    ],
)
def test_the_runtime_opens_no_door_itself(line: str, banned: str) -> None:
    assert f"`{banned}` is banned" in findings("gitcto/runtime/loop/mail.py", line)


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("gitcto/effects.py", "import time; time.time_ns()"),
        ("gitcto/git/process.py", "import subprocess"),
        ("gitcto/cli/host.py", "import os; os.environ"),
        ("tests/runtime/test_loop.py", "import subprocess"),
    ],
)
def test_the_doors_are_open_where_they_belong(where: str, line: str) -> None:
    assert "All checks passed" in findings(where, line)
