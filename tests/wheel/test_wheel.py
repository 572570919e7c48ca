"""What users get: the wheel, its contents, and how it behaves in a clean environment."""

import json
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PLUGINS = PROJECT["entry-points"]["gitcto"]

# One worker builds the wheel, and all tests here use it.
pytestmark = [pytest.mark.wheel, pytest.mark.timeout(300), pytest.mark.xdist_group("wheel")]


def run(*command: str, cwd: Path | None = None) -> str:
    """Run a program, show what it said when it fails, and return its output."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def pip(*arguments: str) -> None:
    """Run the pip of the development environment."""
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments)


def build(source: Path, destination: Path) -> Path:
    """Build a wheel from a copy of what git tracks, so that nothing else gets in."""
    sources = destination / "sources"
    listing = run("git", "ls-files", "-z", "--", ".", cwd=source)
    for name in filter(None, listing.split("\0")):
        if (source / name).is_file():
            (sources / name).parent.mkdir(parents=True, exist_ok=True)
            (sources / name).write_bytes((source / name).read_bytes())
    built = destination / "wheel"
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(built), str(sources))
    (wheel,) = built.glob("*.whl")
    return wheel


def pinned_runtime() -> list[str]:
    """Return the pinned versions of what git-cto needs to run, and what those need."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.MULTILINE))
    wanted = [re.split(r"[<>=~! ]", need, maxsplit=1)[0] for need in PROJECT["dependencies"]]
    return [f"{name}=={pins[name]}" for name in wanted]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new environment that holds the wheel and what it needs, and nothing else."""
    directory = tmp_path_factory.mktemp("clean")
    venv.create(directory, with_pip=False, symlinks=True)
    python = str(directory / "bin/python")
    pip("--python", python, "install", "--quiet", str(wheel), *pinned_runtime())
    return directory


def test_the_wheel_holds_every_plugin_and_no_test(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.partition("/")[0] for name in names}
    packages = {target.partition(".")[0] for target in PLUGINS.values()}
    version = wheel.name.split("-")[1]
    assert tops == {"gitcto", *packages, f"git_cto-{version}.data", f"git_cto-{version}.dist-info"}
    assert not [name for name in names if "/tests/" in name or "test_" in name]
    assert {"gitcto/py.typed", *(f"{package}/hooks.py" for package in packages)} <= names
    assert f"git_cto-{version}.dist-info/licenses/LICENSE" in names
    scenarios = {path.name for path in (ROOT / "reliability/scenarios").iterdir()}
    folder = "gitcto/testing/chaos/scenarios/"
    assert {name.removeprefix(folder) for name in names if name.startswith(folder)} == scenarios


def test_git_finds_the_command_and_its_manual(clean: Path, tmp_path: Path) -> None:
    path = f"{clean / 'bin'}{os.pathsep}{os.environ['PATH']}"
    shown = run("env", f"PATH={path}", "git", "cto", "--version", cwd=tmp_path)
    assert re.fullmatch(r"git cto \d+\.\d+\.\d+\n", shown)
    manual = (clean / "share/man/man1/git-cto.1").read_text(encoding="utf-8")
    assert manual == (ROOT / "man/git-cto.1").read_text(encoding="utf-8")


def test_every_plugin_is_found_without_the_sources(clean: Path, tmp_path: Path) -> None:
    shown = json.loads(run(str(clean / "bin/git-cto"), "plugins", "--json", cwd=tmp_path))
    found = {row["name"]: row["status"] for row in shown["plugins"]}
    assert found == dict.fromkeys(PLUGINS, "active")


def test_every_declared_dependency_is_enough(clean: Path) -> None:
    pip("--python", str(clean / "bin/python"), "check")
    modules = sorted({"gitcto.api", "gitcto.cli.root", *PLUGINS.values()})
    run(str(clean / "bin/python"), "-I", "-c", f"import {', '.join(modules)}")
