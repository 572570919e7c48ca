from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import PluginMaker, Room


def test_plugins_lists_who_offers_what(room: Room) -> None:
    rows = [line.split() for line in room.cto("plugins").out.splitlines()]
    assert rows[0] == ["PLUGIN", "FROM", "STATUS", "OFFERS"]
    assert ["tests", "first-party", "active", "gate", "tests"] in rows


def test_plugins_names_the_broken_one_and_goes_on(room: Room, extra_plugin: PluginMaker) -> None:
    extra_plugin("broken", "import nope")
    done = room.cto("plugins")
    line = next(line for line in done.out.splitlines() if line.startswith("broken"))
    assert line.split()[1:4] == ["broken", "1.0", "failed"]
    assert "nope" in line
    assert "clone" in done.out
    assert done.err == "hint: `git cto plugins check broken` says more\n"


def test_plugins_for_programs(room: Room) -> None:
    told = json.loads(room.cto("plugins", "--json").out)
    assert told["version"] == 1
    assert {"name", "status", "provides"} <= set(told["plugins"][0])


def test_check_says_yes_and_no_by_its_exit_code(room: Room, extra_plugin: PluginMaker) -> None:
    extra_plugin("broken", "import nope")
    room.cto("plugins", "check", "tests")
    done = room.cto("plugins", "check", "broken", "--json", expect=1)
    assert json.loads(done.out)["ok"] is False
    assert "there is no plugin 'absent'" in room.cto("plugins", "check", "absent", expect=2).error
