"""The profile's text; and, on a Mac, what it does."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from gitcto_seatbelt.profile import SYSTEM, Places, profile
from gitcto_seatbelt.sandbox import SANDBOX_EXEC, Seatbelt

from gitcto.api import ConfineRequest
from gitcto.plugins import Plugins
from gitcto.runtime.host.probing import MUST_STOP, run_probe

HOME = Path("/Users/ada")
PLACES = Places(
    writes=(HOME / "rooms" / "1" / "room", HOME / "rooms" / "1" / "scratch"),
    reads=(HOME / "shop" / ".git" / "objects",),
    fixed=(HOME / "rooms" / "1" / "room" / ".git",),
    hides=(HOME, HOME / "shop"),
)


def line(lines: list[str], start: str) -> int:
    """Return the number of the one line that begins so."""
    (found,) = [number for number, text in enumerate(lines) if text.startswith(f"({start}")]
    return found


def test_later_rules_open_what_earlier_ones_close() -> None:
    lines = profile(PLACES, one_port=False).lines
    assert lines[:2] == ["(version 1)", "(allow default)"]
    denied = line(lines, "deny file-write*)")
    opened = line(lines, 'allow file-write* (subpath (param "WRITE_0"))')
    closed = line(lines, 'deny file-write* (subpath (param "FIXED_0"))')
    assert denied < opened < closed
    assert opened < line(lines, "deny file-write-create file-write-unlink")


def test_the_more_specific_path_wins() -> None:
    shop = HOME / "shop"
    places = replace(PLACES, hides=(shop / ".git", HOME), reads=(shop, shop / ".git" / "objects"))
    made = profile(places, one_port=False)
    read = re.compile(r"\((\w+) file-read\* \(subpath \(param \"(\w+)\"\)\)\)")
    found = [match for text in made.lines if (match := read.fullmatch(text))]
    seen = [(match[1], made.paths[match[2]]) for match in found]
    assert seen[:4] == [
        ("deny", str(HOME)),
        ("allow", str(shop)),
        ("deny", str(shop / ".git")),
        ("allow", str(shop / ".git" / "objects")),
    ]
    assert {path for verdict, path in seen[4:]} == {str(path) for path in PLACES.writes}
    way = [number for number, text in enumerate(made.lines) if "file-read-metadata" in text]
    assert way > [made.lines.index(found[-1][0])]


def test_each_path_is_a_parameter_and_each_parameter_a_path() -> None:
    made = profile(PLACES, one_port=True)
    text = "\n".join(made.lines)
    named = set(re.findall(r'\(param "(\w+)"\)', text))
    assert named == {*made.paths, "PORT"}
    assert "Users" not in text
    assert set(made.paths.values()) >= {str(path) for path in (*PLACES.writes, *PLACES.fixed)}


def test_parentheses_are_balanced() -> None:
    for text in profile(PLACES, one_port=True).lines:
        depth = 0
        for character in text:
            depth += {"(": 1, ")": -1}.get(character, 0)
            assert depth >= 0
        assert depth == 0
        assert text.count('"') % 2 == 0


def test_a_hostile_name_stays_one_argument(tmp_path: Path) -> None:
    room = tmp_path / 'x") (allow file-write* (subpath "'
    room.mkdir()
    confined = Seatbelt().confine(request(tmp_path, room))
    text = confined.argv[confined.argv.index("-p") + 1]
    assert "allow file-write* (subpath (param" in text
    assert str(room) not in text
    assert f"WRITE_0={room}" in confined.argv


def test_the_way_to_what_is_shown_can_be_passed_and_not_listed() -> None:
    made = profile(PLACES, one_port=False)
    way = {path for name, path in made.paths.items() if name.startswith("WAY")}
    assert way == {str(HOME / part) for part in (".", "rooms", "rooms/1", "shop", "shop/.git")}


@pytest.mark.parametrize("home", [Path("/"), *SYSTEM])
def test_the_system_is_never_hidden(home: Path) -> None:
    made = profile(replace(PLACES, hides=(home,)), one_port=False)
    assert not any(name.startswith("HIDDEN") for name in made.paths)


def test_without_a_proxy_no_rule_allows_a_network() -> None:
    lines = profile(PLACES, one_port=False).lines
    assert "(deny network*)" in lines
    assert not any("allow network" in text for text in lines)


def test_with_a_proxy_one_port_of_this_machine_is_allowed() -> None:
    lines = profile(PLACES, one_port=True).lines
    (allowed,) = [text for text in lines if "allow network" in text]
    assert lines.index(allowed) > lines.index("(deny network*)")
    assert '(string-append "localhost:" (param "PORT"))' in allowed


def request(tmp_path: Path, room: Path) -> ConfineRequest:
    return ConfineRequest(
        argv=("prog", "-p", "--"),
        env={"PATH": os.defpath},
        cwd=room,
        writes=(room,),
        hides=(tmp_path / "home",),
        run_dir=tmp_path / "run",
    )


def test_the_program_comes_last_and_unchanged(tmp_path: Path) -> None:
    room = tmp_path / "room"
    room.mkdir()
    confined = Seatbelt().confine(request(tmp_path, room))
    assert confined.argv[0] == str(SANDBOX_EXEC)
    assert confined.argv[-4:] == ("--", "prog", "-p", "--")
    assert confined.env == {"PATH": os.defpath}
    hidden = {each.partition("=")[2] for each in confined.argv if each.startswith("HIDDEN")}
    assert hidden == {str(tmp_path / "home"), str(tmp_path / "run")}


def test_a_room_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    room = tmp_path / "room"
    room.symlink_to(tmp_path / "home")
    assert f"WRITE_0={room}" in Seatbelt().confine(request(tmp_path, room)).argv


@pytest.mark.skipif(sys.platform == "darwin", reason="this is a Mac")
def test_it_says_where_it_is_at_home() -> None:
    answer = Seatbelt().available({})
    assert (answer.available, answer.hint) == (
        False,
        "seatbelt is part of macOS; Linux has landlock",
    )


@pytest.mark.skipif(sys.platform != "darwin", reason="seatbelt is part of macOS")
def test_every_attack_of_its_level_is_stopped(tmp_path: Path) -> None:
    plugins = Plugins.load(sys.path)
    results = run_probe(plugins, plugins.sandboxes()["seatbelt"], tmp_path)
    stopped = {name for name, result in results.items() if result == "stopped"}
    assert stopped >= MUST_STOP["seatbelt"]
