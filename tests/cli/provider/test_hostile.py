"""What an agent prints can be anything: it harms neither the ledger nor what others may spend."""

from __future__ import annotations

import json

import pytest

from tests.cli.provider.conftest import SAID, Shop

pytestmark = pytest.mark.timeout(120)

CODEX = """#!/bin/sh
echo "made by $CTO_TASK" > "$CTO_TASK.txt"
cat <<'END'
{lines}
END
"""
USED = {"input_tokens": 9, "cached_input_tokens": 0, "output_tokens": 3}
RECORDS = [
    {"type": "thread.started", "thread_id": ["no", "text"]},
    {"type": "thread.started", "thread_id": "half a character: \ud800"},
    {"type": "turn.completed", "usage": {**USED, "output_tokens": 1.5}},
    {"type": "turn.completed", "usage": {**USED, "input_tokens": float("nan")}},
    {"type": "turn.completed", "usage": {**USED, "output_tokens": 10**30}},
    {"type": "turn.completed", "usage": {**USED, "output_tokens": -(10**9)}},
    {"type": "item.completed", "item": {"type": "agent_message", "text": "Done \udfff."}},
    {"type": "turn.completed", "usage": USED},
]


def test_nothing_that_an_agent_prints_ends_a_ledger(shop: Shop) -> None:
    shop.engine.write_text(CODEX.format(lines="\n".join(map(json.dumps, RECORDS))))
    codex = f'[providers.codex]\nprogram = "{shop.engine}"\nkey_env = ""\n'
    shop.adopt(role='provider = "codex"', more=codex)
    shop.cto("provider", "admit", "codex", *SAID)
    shop.task("A")
    shop.cto("run")
    assert shop.state("A")["state"] == "done"
    [ended] = shop.events("step.ended")
    assert ended["session"] == "half a character: ?"
    assert ended["usage"] == {"input_tokens": 9, "output_tokens": 3}
    drafted = shop.cto("plan", "draft", "do more", "--provider", "codex", expect=1)
    assert "there is no JSON in the answer" in drafted.err
