"""Only the system and what was asked for is readable, and nothing hidden in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from gitcto_landlock import grants
from gitcto_landlock.grants import closed_to_others, readable


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small machine of its own, where everybody is at home in ``opt``."""
    for name in ("etc", "usr/bin", "opt/ada/.ssh", "opt/ada/src", "opt/bob", "srv"):
        (tmp_path / name).mkdir(parents=True)
    system = tuple(tmp_path / name for name in ("etc", "usr", "opt"))
    monkeypatch.setattr(grants, "SYSTEM", system)
    return tmp_path


def below(root: Path, paths: tuple[Path, ...]) -> set[str]:
    assert all(path.is_relative_to(root) for path in paths)
    return {str(path.relative_to(root)) for path in paths}


def test_the_system_is_readable_and_nothing_else(root: Path) -> None:
    assert below(root, readable([], [], [])) == {"etc", "usr", "opt"}


def test_a_hidden_directory_in_the_system_is_left_out(root: Path) -> None:
    assert below(root, readable([root / "opt" / "ada"], [], [])) == {"etc", "usr", "opt/bob"}


def test_one_that_does_not_exist_yet_is_left_out_as_well(root: Path) -> None:
    found = below(root, readable([root / "opt" / "later"], [], []))
    assert found == {"etc", "usr", "opt/ada", "opt/bob"}


def test_links_are_not_followed(root: Path) -> None:
    (root / "opt" / "way").symlink_to(root / "opt" / "ada")
    assert "opt/way" not in below(root, readable([root / "opt" / "ada"], [], []))


def test_the_more_specific_path_wins(root: Path) -> None:
    ada = root / "opt" / "ada"
    found = below(root, readable([ada, ada / ".ssh"], [ada / "src"], []))
    assert found == {"etc", "usr", "opt/bob", "opt/ada/src"}
    found = below(root, readable([ada, ada / ".ssh"], [ada], []))
    assert found == {"etc", "usr", "opt/bob", "opt/ada/src"}
    assert ada in readable([ada], [ada], [])


def test_places_of_programs_are_readable_unless_something_hidden_is_in_them(root: Path) -> None:
    ada = root / "opt" / "ada"
    found = readable([ada / ".ssh"], [], [root / "srv", ada, root, Path("/")])
    assert below(root, found) == {"etc", "usr", "opt/bob", "opt/ada/src", "srv"}


def test_of_a_crowd_on_the_way_nothing_is_readable(root: Path) -> None:
    for number in range(grants.CROWD):
        (root / "opt" / f"user{number}").mkdir()
    assert below(root, readable([root / "opt" / "ada"], [], [])) == {"etc", "usr"}


@pytest.mark.parametrize("home", ["/", "/usr", "/etc"])
def test_a_home_that_holds_the_system_does_not_hide_it(home: str) -> None:
    found = readable([Path(home)], [], [])
    assert {Path("/usr"), Path("/etc")} <= set(found)
    assert Path("/") not in found


def test_what_only_root_may_read_is_found_at_any_depth(tmp_path: Path) -> None:
    for name, mode in {"open": 0o644, "shadow": 0o640, "keys/deep": 0o600, "both": 0o666}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        path.chmod(mode)
    (tmp_path / "closed").mkdir(mode=0o711)
    (tmp_path / "link").symlink_to("shadow")
    found = {str(path.relative_to(tmp_path)) for path in closed_to_others(tmp_path)}
    assert found == {"shadow", "keys/deep", "closed"}
