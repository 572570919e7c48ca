from __future__ import annotations

import pytest

from gitcto.versions import key, within


def test_versions_are_ordered() -> None:
    ordered = ["0.9", "1.0.dev1", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.10"]
    assert sorted(ordered, key=key) == ordered


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("0.1.0", "", True),
        ("0.1.0", ">=0.1", True),
        ("0.1.0", ">=0.1,<2", True),
        ("2.0", ">=0.1,<2", False),
        ("2.0rc1", ">=0.1,<2", False),
        ("1.9", "<2", True),
        ("1.10", ">1.9", True),
        ("1.0", "==1.0.0", True),
        ("1.0+local.1", "==1.0", True),
        ("1.0", "!=1.0", False),
        ("1.0rc1", ">=1.0", False),
    ],
)
def test_ranges(version: str, wanted: str, fits: bool) -> None:
    assert within(version, wanted) is fits


@pytest.mark.parametrize("wanted", ["0.1", "=>1", ">=", ">=1,", "~1", ">=one"])
def test_a_range_nobody_can_read_is_an_error(wanted: str) -> None:
    with pytest.raises(ValueError, match="is not a version"):
        within("1.0", wanted)


def test_a_version_nobody_can_read_satisfies_nothing() -> None:
    with pytest.raises(ValueError, match="'' is not a version"):
        within("", ">=0")
