"""An agent with a protocol of its own, whose run was killed, is still asked to stop in it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import MAIN
from tests.cli.provider.conftest import SAID, Shop

AGENT = Path(__file__).parents[3] / "plugins" / "acp" / "tests" / "acp_agent.py"
PRESERVED = "refs/cto/teams/main/preserved"
PATIENCE_S = 60.0


def await_file(path: Path, running: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < end, "the agent did not begin"
        assert running.poll() is None, "the run ended"
        time.sleep(0.05)


@pytest.mark.timeout(120)
def test_it_is_asked_in_its_protocol(shop: Shop, tmp_path: Path) -> None:
    waiting = tmp_path / "waiting"
    script = json.dumps({"turns": [[{"do": "wait", "path": str(waiting)}]]})
    argv = json.dumps([sys.executable, str(AGENT), script.replace("{", "{{").replace("}", "}}")])
    shop.adopt(role='provider = "acp"', more=f"[providers.acp]\nargv = {argv}\n")
    shop.cto("provider", "admit", "acp", *SAID)
    shop.task("A")
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "run"], cwd=shop.path, env=shop.environ
    ) as running:
        try:
            await_file(waiting, running)
        finally:
            running.kill()
    assert "worker ended (stopped" in shop.cto("stop").out
    [kept] = shop.git("for-each-ref", "--format=%(refname)", PRESERVED).splitlines()
    assert "session/cancel" in shop.git("show", f"{kept}:heard.methods")
