from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.entrypoints import Source, normalised, scan

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def put(info: Path, entry_points: str, metadata: str, name: str = "METADATA") -> None:
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(entry_points)
    (info / name).write_text(metadata)


def test_reads_our_group_and_only_that(tmp_path: Path) -> None:
    put(
        tmp_path / "My_Pkg-0.3.dist-info",
        "[console_scripts]\nhello = my:main\n\n[gitcto]\n# a comment\nhello = my.hooks [extra]\n"
        "[other]\nnothing = to.see\n",
        "Metadata-Version: 2.4\nName: My_Pkg\nVersion: 0.3\n\nVersion: 7 in the description\n",
    )
    assert scan([str(tmp_path)]) == (
        Source(plugin="hello", module="my.hooks", distribution="my-pkg", version="0.3"),
    )


def test_reads_the_metadata_of_a_legacy_editable_install(tmp_path: Path) -> None:
    put(
        tmp_path / "old.egg-info",
        "[gitcto]\nold = old.hooks\n",
        "Name: old\nVersion: 2\n",
        "PKG-INFO",
    )
    assert [str(source) for source in scan([str(tmp_path)])] == ["old (old 2)"]


def test_the_first_distribution_on_the_path_wins(tmp_path: Path) -> None:
    for folder, version in (("first", "1"), ("second", "2")):
        put(
            tmp_path / folder / f"x-{version}.dist-info",
            "[gitcto]\nx = x.hooks\n",
            f"Name: x\nVersion: {version}\n",
        )
    found = scan([str(tmp_path / "first"), str(tmp_path / "second")])
    assert [source.version for source in found] == ["1"]


def test_a_relative_folder_brings_no_plugins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "x-1.dist-info", "[gitcto]\nx = x.hooks\n", "Name: x\nVersion: 1\n")
    monkeypatch.chdir(tmp_path)
    assert scan(["", "."]) == ()
    assert len(scan([str(tmp_path)])) == 1


def test_what_is_no_folder_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "python311.zip").write_bytes(b"PK")
    assert scan([str(tmp_path / "python311.zip"), str(tmp_path / "gone")]) == ()


def test_first_party_plugins_come_first(tmp_path: Path) -> None:
    put(tmp_path / "a-1.dist-info", "[gitcto]\naaa = a.hooks\n", "Name: a\nVersion: 1\n")
    put(tmp_path / "g-1.dist-info", "[gitcto]\nzzz = g.hooks\n", "Name: git-cto\nVersion: 1\n")
    found = scan([str(tmp_path)])
    assert [(source.plugin, source.first_party) for source in found] == [
        ("zzz", True),
        ("aaa", False),
    ]


def test_names_compare_as_packaging_compares_them() -> None:
    assert normalised("My_Pkg.Name--x") == "my-pkg-name-x"
