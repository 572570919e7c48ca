from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gitcto.cli.requests import rooms_root
from gitcto.git.repository import discover
from gitcto.model.records import TaskSpec

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Crew


def room_of(crew: Crew, execution: str) -> Path:
    """Leave something as if an attempt's room had not been removed."""
    rooms = rooms_root(crew.host(), discover(crew.path, crew.environ)) / "main"
    room = rooms / execution / "room"
    room.mkdir(parents=True)
    return room


def test_nothing_left_is_said(crew: Crew) -> None:
    assert crew.cto("clean").out == "Nothing was left behind\n"


def test_what_is_unknown_is_shown_and_kept(crew: Crew) -> None:
    room = room_of(crew, "stranger")
    (room / "work.txt").write_text("mine")
    for option in ("--plan", "--apply"):
        assert "stranger" in crew.cto("clean", option).out
        assert (room / "work.txt").read_text() == "mine"


def test_plan_removes_nothing_and_says_how_to(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a"))
    crew.fail("A")
    room = room_of(crew, "e1")
    told = json.loads(crew.cto("clean", "--json").out)
    assert told["applied"] is False
    assert [item["execution"] for item in told["items"]] == ["e1"]
    assert room.exists()
