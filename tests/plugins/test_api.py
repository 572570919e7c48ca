from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from gitcto import api, api_homes

HEAVY = {"msgspec", "subprocess", "dulwich", "click", "rich", "sqlite3", "pathlib", "tomlkit"}


def loaded_by(program: str) -> set[str]:
    program = f"import sys; {program}; print(*sys.modules)"
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"sys_path = {sys.path!r}; import sys; sys.path[:] = sys_path; {program}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_importing_the_api_is_light() -> None:
    loaded = loaded_by("import gitcto.api")
    assert HEAVY & loaded == set()
    assert {name for name in loaded if name.startswith("gitcto")} == {
        "gitcto",
        "gitcto.api",
        "gitcto.api_homes",
        "gitcto.descriptors",
    }


def test_listing_plugins_is_light() -> None:
    loaded = loaded_by(
        "from gitcto.plugins import Plugins; p = Plugins.load(); p.commands(); assert p.gates()"
    )
    assert {"msgspec", "subprocess", "dulwich", "click", "rich", "sqlite3"} & loaded == set()
    works = {name for name in loaded if name.startswith("gitcto_") and "." in name}
    assert {name.partition(".")[2] for name in works} == {"hooks"}


@pytest.mark.parametrize("name", api.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(api, name) is not None
    assert name in dir(api)


def test_no_other_name_is_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        api.nope  # noqa: B018


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(api.__file__).read_text(encoding="utf-8"))
    imported: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gitcto"):
            imported.update({alias.name: node.module or "" for alias in node.names})
    del imported["HOME"]
    assert set(imported) | {"hookimpl"} == set(api.__all__)
    lazy = {name: home for name, home in imported.items() if home != "gitcto.descriptors"}
    assert lazy == api_homes.HOME
