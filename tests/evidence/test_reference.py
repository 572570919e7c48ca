"""The page of reference names every file, field and reason code, and no other."""

from __future__ import annotations

import json
import re
from pathlib import Path

from gitcto.evidence.report import outline
from gitcto.evidence.verify import ALWAYS
from tests.evidence.conftest import account

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reference/evidence.md").read_text(encoding="utf-8")
CODE = re.compile(r'Refusal\(\s*"([a-z_]+)"')


def first_cells(heading: str) -> set[str]:
    """Return the words in code of the first cells of the table under a heading."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = re.findall(r"^\|([^|]*)\|", section, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def codes() -> set[str]:
    """Return every reason code of the sources."""
    pure, proving = ROOT / "gitcto/evidence", ROOT / "gitcto/runtime/proving"
    files = [*pure.glob("*.py"), *proving.glob("*evidence.py"), ROOT / "gitcto/store/bundle.py"]
    found = {code for path in files for code in CODE.findall(path.read_text(encoding="utf-8"))}
    verify = (pure / "verify.py").read_text(encoding="utf-8")
    followed = re.findall(r'^    [A-Z]+: "(\w+)",$', verify, re.MULTILINE)
    expected = (proving / "expected.py").read_text(encoding="utf-8")
    facts = re.findall(r'^        "(\w+)": ', expected, re.MULTILINE)
    leased = ("execution", "task", "epoch", "attempt", "base")
    odd = {"larger", "smaller", "symlink"}  # chosen by an expression
    return found | set(followed) | set(facts) | {f"report_{key}" for key in leased} | odd


def test_the_page_names_every_file() -> None:
    assert {*ALWAYS, "manifest.json", "gates/<gate>.log", "gates/<gate>/<name>"} == first_cells(
        "Files"
    )


def test_the_page_names_every_field_of_the_report() -> None:
    assert {*json.loads(json.dumps(outline(account()))), "artifacts"} == first_cells("report.json")


def test_the_page_names_every_reason_code() -> None:
    assert codes() == first_cells("Why a bundle is refused")
