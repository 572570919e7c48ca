from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from gitcto.cli.group import load
from gitcto.cli.root import COMMANDS, root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import PluginMaker, Room


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from walk(below, (*path, name))


ALL = list(walk(root))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_answers_h(room: Room, path: tuple[str, ...]) -> None:
    shown = room.cto(*path, "-h")
    assert shown.out.startswith(" ".join(("Usage: git cto", *path)))
    assert shown.err == ""


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_the_table_tells_the_truth(row: object) -> None:
    command = load(row.target)  # type: ignore[attr-defined]
    assert command.name == row.name  # type: ignore[attr-defined]
    assert command.help


def test_help_imports_no_command(room: Room) -> None:
    code = (
        "import sys; sys.argv = ['git-cto', '-h']; from gitcto.cli.entry import main; main();"
        "print(*sorted(m for m in sys.modules if m.startswith('gitcto.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=room.environ, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {row.target.partition(":")[0] for row in COMMANDS}


def test_a_mistyped_command_is_answered_with_the_nearest(room: Room) -> None:
    done = room.cto("inti", expect=2)
    assert done.error == "there is no command 'inti', did you mean `init`?"


def test_a_mistyped_subcommand_and_option_too(room: Room) -> None:
    assert "did you mean `import`" in room.cto("plan", "improt", expect=2).error
    assert "--json" in room.cto("plugins", "--jsn", expect=2).error


@pytest.mark.parametrize("arguments", [(), ("plan",), ("policy",)])
def test_a_missing_command_is_usage(room: Room, arguments: tuple[str, ...]) -> None:
    assert room.cto(*arguments, expect=2).error.endswith("needs a command")


def test_c_runs_elsewhere(room: Room) -> None:
    room.write("below/policy.toml", "version = 2\n")
    done = room.cto("-C", "below", "policy", "validate", "policy.toml", expect=4)
    assert "policy.toml:1:" in done.err
    assert "no directory" in room.cto("-C", "none", "plugins", expect=2).error


def test_commands_of_plugins_join_the_table(room: Room, extra_plugin: PluginMaker) -> None:
    extra_plugin(
        "greeter",
        "import click\nfrom gitcto.api import CommandPoint, hookimpl\n"
        "@hookimpl\ndef gitcto_register_commands(register):\n"
        "    for name in ('greet', 'init', 'odd'):\n"
        "        target = 'greeter:name' if name == 'odd' else 'greeter:greet'\n"
        "        register.add(CommandPoint(name=name, summary='Say hello.', target=target))\n"
        "@click.command()\ndef greet():\n    click.echo('hello')\n",
    )
    shown = room.cto("-h").out
    assert "Plugins:\n  greet  Say hello.\n" in shown
    assert shown.count("\n  init ") == 1
    assert room.cto("greet").out == "hello\n"
    assert "Make a team" in room.cto("init", "-h").out
    assert "is no click command" in room.cto("odd", expect=5).error
