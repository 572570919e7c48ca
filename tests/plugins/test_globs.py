from __future__ import annotations

import pytest

from gitcto.api import covers


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("src", "src"),
        ("src", "src/a/b.py"),
        ("src/", "src/a.py"),
        ("./src", "src/a.py"),
        ("**", "a/b/c"),
        (".", "a/b"),
        ("src/**", "src/a/b"),
        ("*.py", "a.py"),
        ("**/*.py", "a.py"),
        ("**/*.py", "a/b/c.py"),
        ("src/**/test_*.py", "src/test_a.py"),
        ("src/**/test_*.py", "src/x/y/test_a.py"),
        ("a?c", "abc"),
        ("[ab].py", "a.py"),
        ("[!ab].py", "c.py"),
        ("[]].py", "].py"),
        ("a.b", "a.b"),
        ("näme\n*", "näme\nx"),
    ],
)
def test_covers(pattern: str, path: str) -> None:
    assert covers(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("src", "srcs/a.py"),
        ("src/**", "src2/a"),
        ("*.py", "a/b.py"),
        ("src/*.py", "src/a/b.py"),
        ("a?c", "a/c"),
        ("[!a]b", "/b"),
        ("[ab].py", "c.py"),
        ("a.b", "axb"),
        ("src/*.py", "src/a.pyc"),
        ("x**/y", "xa"),
    ],
)
def test_does_not_cover(pattern: str, path: str) -> None:
    assert not covers(pattern, path)
