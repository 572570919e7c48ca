from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AGENTS = sorted(path.parent.name for path in (ROOT / "agents").glob("*/package.json"))
EXACT = re.compile(r"(npm:[a-z0-9-]+@)?[0-9]+\.[0-9]+\.[0-9]+")


def test_the_agents_that_we_drive_are_pinned() -> None:
    assert {"codex", "gemini", "opencode", "qwen", "pi", "claude"} <= set(AGENTS)


@pytest.mark.parametrize("agent", AGENTS)
def test_a_lock_names_hashes_and_no_address(agent: str) -> None:
    wanted = json.loads((ROOT / "agents" / agent / "package.json").read_text())["dependencies"]
    lock = json.loads((ROOT / "agents" / agent / "package-lock.json").read_text())
    assert all(EXACT.fullmatch(version) for version in wanted.values())
    assert lock["packages"].pop("")["dependencies"] == wanted
    for name in wanted:
        assert f"node_modules/{name}" in lock["packages"]
    for package in lock["packages"].values():
        assert package.get("inBundle") or package["integrity"].startswith("sha512-")
        assert "resolved" not in package


def test_an_agent_that_is_not_known_is_refused() -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "agents", "nope"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 or "npm is not here" in done.stderr
    assert "agents: " in done.stderr
