from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Room

CHECK = Path(__file__).parents[2] / "scripts" / "check-demo"


@pytest.mark.slow
def test_the_demo_ends_green_and_its_claims_hold(room: Room) -> None:
    done = room.cto("demo", "--directory", "d")
    assert "7 tasks: 7 done" in done.out
    result = json.loads((room.path / "d" / "result.json").read_text())
    assert result["done"] is True
    assert {row["task"] for row in result["table"]} >= {"CART", "RECEIPT"}
    checked = subprocess.run(
        [sys.executable, CHECK, room.path / "d" / "result.json"], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout.decode()
    assert sorted(path.name for path in room.path.iterdir()) == ["d"]


def test_the_demo_writes_over_nothing(room: Room) -> None:
    room.write("d/mine", "")
    assert "exists already" in room.cto("demo", "--directory", "d", expect=2).error
