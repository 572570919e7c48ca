from __future__ import annotations

from typing import Any

import pytest
from gitcto_diff_size.gate import DiffSizeGate

from gitcto.api import CtoError, GateResult
from gitcto.testing import gate_context


def text(path: str, removed: int, added: int) -> bytes:
    """Return what git writes for a text file."""
    body = b"-old\n" * removed + b"+new\n" * added
    head = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n"
    return head.encode() + f"@@ -1,{removed} +1,{added} @@\n".encode() + body


def binary(path: str, size: int) -> bytes:
    """Return the outline of what git writes for a binary file; its content is not looked at."""
    head = f"diff --git a/{path} b/{path}\nGIT binary patch\n"
    return f"{head}literal {size}\nAa\n\nliteral 0\nHcmV?d00001\n\n".encode()


def judged(patch: bytes, **settings: Any) -> GateResult:
    return DiffSizeGate().judge(gate_context(patch=lambda: patch, settings=settings))


PATCH = text("a.py", 2, 3) + text("b.py", 0, 10) + binary("c.png", 500)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"max_files": 3}, "small"),
        ({"max_files": 2}, "too_many_files"),
        ({"max_lines": 15}, "small"),
        ({"max_lines": 14}, "too_many_lines"),
        ({"max_file_bytes": 500}, "small"),
        ({"max_file_bytes": 499}, "file_too_big"),
        ({"max_file_bytes": 0}, "file_too_big"),
        ({"max_files": 2, "max_lines": 0, "max_file_bytes": 0}, "too_many_files"),
        ({"max_lines": 0, "max_file_bytes": 0}, "too_many_lines"),
        ({"max_lines": 5, "exempt": ("b.py",)}, "small"),
        ({"max_files": 1, "exempt": ("b.py", "*.png")}, "small"),
        ({"max_file_bytes": 0, "exempt": ("*.png",)}, "small"),
    ],
)
def test_each_limit_has_its_reason(settings: dict[str, Any], reason: str) -> None:
    result = judged(PATCH, **settings)
    assert (result.reason, result.status) == (reason, "pass" if reason == "small" else "fail")


def test_the_detail_says_how_much_and_where() -> None:
    assert judged(PATCH, max_lines=14).detail == "15 lines; 14 allowed; 10 of 'b.py'"
    assert judged(PATCH, max_file_bytes=1).detail == "'c.png' has 500 bytes; 1 allowed"
    assert judged(text("a", 1, 0), max_files=1).detail == "1 file, 1 line"
    assert judged(PATCH, max_files=9).log.decode().split() == [
        *("5", "lines", "'a.py'", "10", "lines", "'b.py'", "500", "bytes", "'c.png'")
    ]


def test_a_path_whose_type_changes_is_one_file() -> None:
    assert judged(text("a", 1, 0) + text("a", 0, 1), max_files=1).reason == "small"


def test_without_a_limit_nothing_is_green() -> None:
    result = judged(PATCH, exempt=("**",))
    assert (result.status, result.reason) == ("not_run", "no_limit")


@pytest.mark.parametrize(
    "settings",
    [{"max_line": 1}, {"max_lines": "1"}, {"max_lines": True}, {"max_files": -1}, {"exempt": "a"}],
)
def test_bad_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(CtoError, match="gate diff-size: "):
        judged(PATCH, **settings)
