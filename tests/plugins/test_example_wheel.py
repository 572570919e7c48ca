"""The example is a stranger: its own wheel, in an environment that has nothing but wheels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from gitcto.testing.environment import hermetic

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "plugins" / "_example"

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(300)]


class Clean:
    """A virtual environment and an empty repository; commands run with nothing of ours around."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "venv" / "bin"
        self.repo = root / "repo"
        self.repo.mkdir(parents=True)
        venv.create(root / "venv", with_pip=True)
        (root / "home" / "tmp").mkdir(parents=True)
        self.environment = hermetic(root / "home")
        self.environment["PATH"] = os.pathsep.join((str(self.bin), os.defpath))

    def pip(self, *arguments: str) -> None:
        """Run pip with this machine's own configuration: it alone may reach an index."""
        names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HOME")
        keep = {name: os.environ[name] for name in os.environ if name in names or "PIP_" in name}
        keep["PATH"] = self.environment["PATH"]
        pip = (self.bin / "python", "-m", "pip", "--disable-pip-version-check", "-q")
        done = subprocess.run(
            (*pip, *arguments),
            env=keep,
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def run(self, *command: str) -> str:
        """Run a program of the environment in the repository; it must succeed."""
        done = subprocess.run(
            command,
            env=self.environment,
            cwd=self.repo,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def clean(tmp_path: Path) -> Clean:
    made = Clean(tmp_path / "clean")
    wheels = made.root / "wheels"
    made.pip("wheel", "--no-deps", "-w", str(wheels), str(ROOT), str(EXAMPLE))
    made.pip("install", *map(str, sorted(wheels.glob("*.whl"))), "pytest")
    made.run("git", "init", "-q")
    return made


def is_listed_as_a_third_party(clean: Clean) -> None:
    rows = json.loads(clean.run("git-cto", "plugins", "--json"))["plugins"]
    (row,) = [row for row in rows if row["name"] == "hello"]
    assert (row["distribution"], row["version"]) == ("git-cto-hello", "0.1.0")
    assert (row["source"], row["status"]) == ("third-party", "active")
    assert row["provides"] == ["command hello", "provider hello", "gate small-change"]
    assert [each["name"] for each in rows if each["status"] != "active"] == []
    assert "git-cto-hello 0.1.0" in clean.run("git-cto", "plugins")
    clean.run("git-cto", "plugins", "check", "hello")


def subcommand_works(clean: Clean) -> None:
    assert clean.run("git", "cto", "hello", "Ada") == "Hello, Ada!\n"
    assert "Greet somebody." in clean.run("git-cto", "-h")


def gate_and_provider_keep_the_contract(clean: Clean) -> None:
    tests = clean.root / "tests"
    tests.mkdir()
    source = EXAMPLE / "tests" / "test_contract.py"
    (tests / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    python = str(clean.bin / "python")
    report = clean.run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests))
    assert "passed" in report
    assert "failed" not in report


def needs_nothing_of_the_repository(clean: Clean) -> None:
    program = (
        "import gitcto, gitcto_hello, gitcto_tests.hooks as t; print(gitcto.__file__, t.__file__)"
    )
    places = clean.run(str(clean.bin / "python"), "-I", "-c", program).split()
    assert [str(clean.root) in place for place in places] == [True, True]
    assert sys.prefix not in "".join(places)


def test_the_example_works_from_its_own_wheel(clean: Clean) -> None:
    """One test, because building and installing is what takes the time."""
    is_listed_as_a_third_party(clean)
    subcommand_works(clean)
    gate_and_provider_keep_the_contract(clean)
    needs_nothing_of_the_repository(clean)
