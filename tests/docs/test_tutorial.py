"""The tutorial is a program: its files are written, its commands run, and each must succeed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/tutorial/first-team.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps() -> list[tuple[str, str]]:
    """Return the page's files (name, text) and commands ("$", command) in their order."""
    found: list[tuple[str, str]] = []
    for language, name, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if name:
            found.append((name, text))
        elif language == "console":
            found += [("$", line.removeprefix("$ ")) for line in text.splitlines()]
    return found


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_tutorial_works_as_it_is_written(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "HOME": str(tmp_path / "home")}
    where, said = tmp_path, ""
    for kind, text in steps():
        if kind != "$":
            (where / kind).write_text(text, encoding="utf-8")
        elif text.startswith("cd "):
            where /= text.removeprefix("cd ")
        else:
            done = subprocess.run(
                ["sh", "-c", text],
                cwd=where,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            said = f"$ {text}\n{done.stdout}{done.stderr}"
            assert done.returncode == 0, said
    landed = subprocess.run(
        ["git", "log", "--format=%s", "HEAD"], cwd=where, env=env, capture_output=True, check=True
    ).stdout.decode()
    assert sorted(landed.splitlines()) == [
        *("G-1: Say hello", "G-2: Say goodbye", "G-3: Declare it done", "start")
    ]
    assert "OK" in said, "the last command of the page runs the tests"


def test_the_page_has_files_and_commands() -> None:
    kinds = [kind for kind, _ in steps()]
    assert {"policy.toml", "plan.toml", "greet.py"} <= set(kinds)
    assert kinds.count("$") > 10
