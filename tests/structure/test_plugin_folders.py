"""pyproject.toml and the folders under plugins/ say the same."""

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def folder_of(name: str) -> str:
    """Return the folder of the first-party plugin ``name``."""
    return name.replace("-", "_")


def problems_with(pyproject: dict[str, Any], root: Path) -> list[str]:
    """Return every difference between what is declared and what is there."""
    declared = pyproject["project"]["entry-points"]["gitcto"]
    build = pyproject["tool"]["hatch"]["build"]
    folders = {path.name for path in (root / "plugins").iterdir() if path.is_dir()}
    folders = {name for name in folders if not name.startswith(("_", "."))}
    problems = [
        f"plugins/{name} has no entry point"
        for name in sorted(folders - set(map(folder_of, declared)))
    ]
    for name, target in sorted(declared.items()):
        folder = folder_of(name)
        package = f"plugins/{folder}/gitcto_{folder}"
        if target != f"gitcto_{folder}.hooks":
            problems.append(f"entry point {name} names {target}")
        wanted = [f"{package}/hooks.py", f"plugins/{folder}/README.md", f"plugins/{folder}/tests"]
        problems += [f"{path} is missing" for path in wanted if not (root / path).exists()]
        if package not in build["targets"]["wheel"]["packages"]:
            problems.append(f"{package} is not in the wheel")
        if f"plugins/{folder}" not in build["dev-mode-dirs"]:
            problems.append(f"plugins/{folder} is not importable in development")
    listed = {Path(path).name for path in build["dev-mode-dirs"]} - {""}
    listed |= {Path(path).parent.name for path in build["targets"]["wheel"]["packages"]} - {""}
    return problems + [
        f"plugins/{name} is built but not there" for name in sorted(listed - folders)
    ]


def test_every_plugin_is_declared_and_complete() -> None:
    assert problems_with(PYPROJECT, ROOT) == []


def test_every_plugin_has_tests() -> None:
    names = map(folder_of, PYPROJECT["project"]["entry-points"]["gitcto"])
    assert [
        name for name in names if not list((ROOT / "plugins" / name / "tests").glob("test_*.py"))
    ] == []


def sample(entry_points: dict[str, str], folders: list[str]) -> dict[str, Any]:
    """Return the parts of a pyproject that declare plugins."""
    packages = ["gitcto", *(f"plugins/{name}/gitcto_{name}" for name in folders)]
    dirs = [".", *(f"plugins/{name}" for name in folders)]
    build = {"dev-mode-dirs": dirs, "targets": {"wheel": {"packages": packages}}}
    return {
        "project": {"entry-points": {"gitcto": entry_points}},
        "tool": {"hatch": {"build": build}},
    }


def make(root: Path, name: str) -> None:
    """Make a complete plugin folder."""
    (root / "plugins" / name / f"gitcto_{name}").mkdir(parents=True)
    (root / "plugins" / name / f"gitcto_{name}" / "hooks.py").touch()
    (root / "plugins" / name / "tests").mkdir()
    (root / "plugins" / name / "README.md").touch()


def test_differences_are_found(tmp_path: Path) -> None:
    make(tmp_path, "some_gate")
    good = {"some-gate": "gitcto_some_gate.hooks"}
    assert problems_with(sample(good, ["some_gate"]), tmp_path) == []
    assert problems_with(sample({}, ["some_gate"]), tmp_path) == [
        "plugins/some_gate has no entry point"
    ]
    assert problems_with(sample(good, []), tmp_path) == [
        "plugins/some_gate/gitcto_some_gate is not in the wheel",
        "plugins/some_gate is not importable in development",
    ]
    assert problems_with(sample(good, ["some_gate", "gone"]), tmp_path) == [
        "plugins/gone is built but not there"
    ]
    assert problems_with(sample({"some-gate": "elsewhere.hooks"}, ["some_gate"]), tmp_path)
    (tmp_path / "plugins/some_gate/README.md").unlink()
    assert problems_with(sample(good, ["some_gate"]), tmp_path) == [
        "plugins/some_gate/README.md is missing"
    ]
