"""Tests that are run as an ordinary user who is made for it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CAN_MAKE_ONE = os.geteuid() == 0 and shutil.which("useradd") and shutil.which("runuser")


def as_user(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (str(ROOT / "scripts" / "as-user"), *arguments),
        capture_output=True,
        text=True,
        check=False,
    )


def users() -> set[str]:
    return {line.partition(":")[0] for line in Path("/etc/passwd").read_text().splitlines()}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not CAN_MAKE_ONE, reason="no user can be made here")
@pytest.mark.skipif(not (ROOT / ".venv").exists(), reason="there is no .venv to copy")
def test_tests_that_root_cannot_run_are_run() -> None:
    before = users()
    done = as_user("-rs", "tests/cli/test_init.py")
    if done.stdout.startswith("skipped: "):
        pytest.skip(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "root may write everywhere" not in done.stdout
    assert users() <= before


@pytest.mark.skipif(os.geteuid() == 0, reason="root can make one")
def test_who_cannot_make_a_user_is_told() -> None:
    done = as_user()
    assert done.returncode == 0
    assert done.stdout.startswith("skipped: not run as an ordinary user, because only root can")
