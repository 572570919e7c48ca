"""What the pages say of gates is true: settings are taken, codes exist, and the reviewer works."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from gitcto.contracts import CommandResult
from gitcto.plugins import Plugins
from gitcto.policy.gates import gate_settings
from gitcto.policy.load import parse
from gitcto.testing import gate_context

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reference/gates.md"
HOW_TO = ROOT / "docs/how-to/have-every-change-reviewed.md"
BLOCK = re.compile(r"^ *```(\w+)(?: \S+)?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SHARED = ROOT / "gitcto/command_results.py"


def blocks(page: Path, language: str) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [dedent(text) for tag, text in found if tag == language]


def documented() -> list[tuple[str, str]]:
    """Return every policy on the pages about gates, those of the plugins' own included."""
    pages = [PAGE, HOW_TO, *sorted((ROOT / "plugins").glob("[!_]*/README.md"))]
    return [
        (
            f"{page.parent.name}/{page.name}",
            text if "version = 1" in text else "version = 1\n" + text,
        )
        for page in pages
        for text in blocks(page, "toml")
        if "[gates." in text
    ]


@pytest.mark.parametrize(("page", "text"), documented())
def test_every_gate_takes_the_settings_that_are_shown(page: str, text: str, tmp_path: Path) -> None:
    policy, plugins = parse(text.encode(), page), Plugins.load()
    for name, gate in policy.gates.items():
        judge: Any = plugins.instantiate(plugins.gates()[gate.plugin])
        context = gate_context(
            settings=gate_settings(policy, name),
            checkout=tmp_path,
            scratch=tmp_path,
            run=lambda _argv, _deadline_s: CommandResult(code=1, output=b""),
        )
        judge.judge(context)


def test_there_are_settings_to_check() -> None:
    assert len(documented()) >= 10


def test_every_reason_on_the_page_is_given_by_its_gate_and_every_one_given_is_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        gate = section.partition("\n")[0]
        folder = ROOT / "plugins" / gate.replace("-", "_")
        sources = "".join(path.read_text() for path in folder.glob("gitcto_*/*.py"))
        shown = set()
        for row in re.findall(r"^\| (?:pass|fail|not_run) \| ([^|]*) \|", section, re.MULTILINE):
            shown |= set(re.findall(r"`(\w+)`", row))
        known = sources + SHARED.read_text()
        assert [code for code in sorted(shown) if f'"{code}"' not in known] == [], gate
        given = set(re.findall(r'reason="(\w+)"', sources))
        assert given - shown <= {"no_checkout", "no_scratch"}, gate


AGENT = """\
#!/bin/sh
grep -q '^+bad' && verdict=reject || verdict=approve
echo "Here it is:"
echo "{\\"verdict\\": \\"$verdict\\", \\"summary\\": \\"So.\\", \\"findings\\": []}"
"""


@pytest.mark.parametrize(("line", "reason"), [("good", "approved"), ("bad", "rejected")])
def test_the_reviewer_of_the_how_to_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, reason: str
) -> None:
    gate = pytest.importorskip("gitcto_review.gate").ReviewGate()
    [program] = blocks(HOW_TO, "python")
    (tmp_path / "reviewer.py").write_text(program)
    agent = tmp_path / "bin" / "your-agent"
    agent.parent.mkdir()
    agent.write_text(AGENT)
    agent.chmod(0o755)
    monkeypatch.setenv("PATH", str(agent.parent), prepend=":")
    argv = [sys.executable, str(tmp_path / "reviewer.py"), "{request}", "{patch}", "{answer}"]
    context = gate_context(
        change="c1",
        checkout=tmp_path,
        scratch=tmp_path,
        patch=f"+{line}\n".encode,
        settings={"argv": argv},
    )
    result = gate.judge(context)
    assert (result.reason, result.detail) == (reason, "So."), result.log
