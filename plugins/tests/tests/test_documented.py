"""What the documents tell people to write is what the gate takes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from gitcto_tests.settings import Settings, read

ROOT = Path(__file__).resolve().parents[3]
README = ROOT / "plugins/tests/README.md"
HOW_TO = ROOT / "docs/how-to/name-failing-tests.md"
CORE = {"plugin", "deadline_s", "toolchain", "env"}


def tables() -> list[dict[str, object]]:
    """Return every section of a gate ``tests`` that a page shows."""
    pages = README.read_text() + HOW_TO.read_text()
    blocks = re.findall(r"^```toml\n(.*?)^```$", pages, re.MULTILINE | re.DOTALL)
    gates = [table for block in blocks for table in tomllib.loads(block).get("gates", {}).values()]
    return [{key: x for key, x in table.items() if key not in CORE} for table in gates]


@pytest.mark.parametrize("table", tables())
def test_settings_that_are_shown_are_taken(table: dict[str, object]) -> None:
    assert read(table).argv


def test_every_key_has_its_row() -> None:
    table = README.read_text().partition("| key |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(rows) == sorted(Settings.__slots__)


def test_every_reason_is_explained() -> None:
    package = ROOT / "plugins/tests/gitcto_tests"
    source = "".join((package / name).read_text() for name in ("gate.py", "verdict.py"))
    told = re.findall(r'says\(\s*"\w+",\s*"(\w+)"', source)
    told += re.findall(r'reason="(\w+)"', source)
    told += re.findall(r'^        \(\S+, "(\w+)"\),$', source, re.MULTILINE)
    told += ["quarantined", "deadline", "limit"]
    assert len(set(told)) >= 14
    page = README.read_text()
    assert [reason for reason in set(told) if f"`{reason}`" not in page] == []
