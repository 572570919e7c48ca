"""Commands load what their list says, not one module more (`make imports` renews the lists)."""

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEVER = {
    "asyncio",
    "dulwich",
    "importlib.metadata",
    "rich",
    "sqlite_utils",
    "tomlkit",
    "urllib.request",
}
"""What is too dear for any of these commands, whatever the lists say."""


def script(name: str) -> ModuleType:
    """Import a program of scripts/."""
    loader = SourceFileLoader(f"scripts_{name}", str(ROOT / "scripts" / name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


imports = script("imports")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("repository")
    imports.prepare(directory)
    return directory


@pytest.mark.parametrize("name", imports.COMMANDS)
def test_a_command_loads_what_its_list_says(repository: Path, name: str) -> None:
    loaded, wanted = imports.comparable(name, imports.loaded(imports.COMMANDS[name], repository))
    assert {"new": sorted(loaded - wanted), "gone": sorted(wanted - loaded)} == {
        "new": [],
        "gone": [],
    }


@pytest.mark.parametrize("name", imports.COMMANDS)
def test_no_list_allows_what_is_too_dear(name: str) -> None:
    _, modules = imports.allowed(name)
    assert {module for module in modules if module in NEVER} == set()


def test_version_needs_nothing_but_the_entry() -> None:
    _, modules = imports.allowed("version")
    ours = {module for module in modules if not imports.is_standard(module)}
    assert ours == {"gitcto", "gitcto.cli", "gitcto.cli.entry"}


def test_help_opens_no_room_of_the_house() -> None:
    _, modules = imports.allowed("help")
    rooms = {"git", "policy", "runtime", "store"}
    assert {m for m in modules if m.startswith("gitcto.") and m.split(".")[1] in rooms} == set()


def test_a_module_too_many_is_seen(repository: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(imports, "LISTS", tmp_path)
    (tmp_path / "version.txt").write_text(
        f"{imports.HEAD}{imports.PYTHON}\ngitcto\n", encoding="utf-8"
    )
    loaded, wanted = imports.comparable("version", imports.loaded(("--version",), repository))
    assert "gitcto.cli.entry" in loaded - wanted


def test_another_python_is_compared_by_what_is_not_its_own(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(imports, "LISTS", tmp_path)
    monkeypatch.setattr(imports, "PYTHON", "2.7")
    (tmp_path / "x.txt").write_text(f"{imports.HEAD}3.11\nclick\njson\n", encoding="utf-8")
    assert imports.comparable("x", {"click", "os", "rich"}) == ({"click", "rich"}, {"click"})


def test_a_failing_command_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="git cto"):
        imports.loaded(("no-such-command",), tmp_path)
