"""Security events and kept rooms, as the commands show them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gitcto.model.commands import RecordOutside
from gitcto.model.records import TaskSpec
from tests.cli.test_clean import room_of

if TYPE_CHECKING:
    from tests.cli.conftest import Crew

HOOK = "hook /repo/.git/hooks/pre-commit appeared"


@pytest.fixture
def alarmed(crew: Crew) -> Crew:
    crew.plan(TaskSpec(id="A", title="first"))
    crew.lease("A")
    changes = (HOOK, "refs/heads/main was \x1b[2Jmoved")
    crew.record(RecordOutside(execution="e1", changes=changes, blocking=True))
    crew.end(crew.git("rev-parse", "HEAD"))
    return crew


def test_every_command_that_shows_a_task_shows_what_changed_outside(alarmed: Crew) -> None:
    assert f"A: SECURITY: while attempt 1 ran, {HOOK} (and 1 more); not landed for it" in (
        alarmed.cto("status").out.splitlines()
    )
    shown = alarmed.cto("show", "A").out
    assert f"attempt 1 SECURITY, outside its room: {HOOK}" in shown.splitlines()
    assert all(line.isprintable() for line in shown.split("\n"))
    assert "A: SECURITY: changed outside its room, which blocks its landing" in (
        alarmed.cto("log").out
    )
    (attempt,) = json.loads(alarmed.cto("show", "A", "--json").out)["executions"]
    assert attempt["outside"][0] == HOOK
    assert attempt["outside_blocks"] is True


def test_doctor_counts_them(alarmed: Crew) -> None:
    found = [
        each["found"]
        for each in json.loads(alarmed.cto("doctor", "--json").out)["checks"]
        if each["subject"] == "team main"
    ]
    assert "1 time something changed outside a worker's room while it ran" in found


def test_nothing_is_said_when_nothing_changed(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="first"))
    crew.fail("A")
    for command in (("status",), ("show", "A"), ("doctor",)):
        out = crew.cto(*command).out
        assert "SECURITY" not in out
        assert "worker's room" not in out
        assert "is kept:" not in out


def test_a_kept_room_is_named_until_it_is_gone(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="first"))
    crew.fail("A")
    room, strange = room_of(crew, "e1"), room_of(crew, "stranger")
    shown = crew.cto("status")
    assert f"The room of A, attempt 1 is kept: {room}" in shown.out.splitlines()
    assert f"The room of stranger is kept: {strange}" in shown.out.splitlines()
    assert "git cto clean" in shown.err
    kept = json.loads(crew.cto("status", "--json").out)["kept_rooms"]
    assert [(each["task"], each["path"]) for each in kept] == [("A", str(room)), ("", str(strange))]
    assert f"  its room is kept at {room}" in crew.cto("show", "A").out.splitlines()
    room.rmdir()
    assert "The room of A" not in crew.cto("status").out
    assert "room" not in crew.cto("show", "A").out


def test_the_room_of_a_live_attempt_is_nothing_to_look_at(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="first"))
    crew.lease("A")
    room_of(crew, "e1")
    assert "kept" not in crew.cto("status").out
