from __future__ import annotations

import json
import os
import time
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


def kept(crew: Crew, name: str, days: int) -> Path:
    """Leave something that a room can be made of, unused for some days."""
    root = rooms_root(crew.host(), discover(crew.path, crew.environ)) / ".setups" / name
    root.mkdir(parents=True)
    marker = root / "kept.json"
    marker.write_text('{"size": 5242880}')
    then_s = time.time() - days * 24 * 3600
    os.utime(marker, (then_s, then_s))
    return root


def test_what_makes_rooms_faster_goes_when_it_is_old_or_asked_for(crew: Crew) -> None:
    old, new = kept(crew, "old", 8), kept(crew, "new", 1)
    rubbish = new.parents[1] / ".trash" / "x"
    rubbish.mkdir(parents=True)
    told = crew.cto("clean").out
    assert "kept set-up, 5 MiB" in told
    assert "not used for 7 days" in told
    assert "--caches removes it" in told
    assert "rubbish, 1" in told
    assert all(path.exists() for path in (old, new, rubbish))
    crew.cto("clean", "--apply")
    assert [path.exists() for path in (old, new, rubbish)] == [False, True, False]
    assert json.loads(crew.cto("clean", "--caches", "--json").out)["disk"] == [
        {"what": "kept set-up, 5 MiB", "goes": True, "why": "it can be made again"}
    ]
    crew.cto("clean", "--apply", "--caches")
    assert not new.exists()
    assert crew.cto("clean").out == "Nothing was left behind\n"


def test_a_ref_of_nobody_goes_once_others_hold_its_commit(crew: Crew) -> None:
    prefix = "refs/cto/teams/main/executions"
    crew.git("update-ref", "refs/heads/cto/main/integration", "HEAD")
    crew.git("update-ref", f"{prefix}/held", "HEAD")
    tree = crew.git("rev-parse", "HEAD^{tree}")
    commit = ("commit-tree", tree, "-p", "HEAD", "-m", "work")
    alone = crew.git("-c", "user.name=u", "-c", "user.email=u@x", *commit)
    crew.git("update-ref", f"{prefix}/alone", alone)
    told = json.loads(crew.cto("clean", "--apply", "--json").out)["items"]
    assert {item["execution"]: item["safe"] for item in told} == {"alone": False, "held": True}
    assert crew.git("for-each-ref", "--format=%(refname)", prefix).split() == [f"{prefix}/alone"]


def test_damaged_sidecars_that_were_put_aside_go(crew: Crew) -> None:
    aside = crew.path / ".git" / "cto" / "quarantine"
    aside.mkdir()
    (aside / "sidecar.db.1").write_text("broken")
    assert "damaged sidecar, 1" in crew.cto("clean").out
    assert aside.exists()
    crew.cto("clean", "--apply")
    assert not aside.exists()
