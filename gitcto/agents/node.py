"""Starting an agent that is a program for Node: where it starts, what it reads, what it keeps."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.agents.programs import find_program, probe_program
from gitcto.agents.rooms import agent_home, write_private
from gitcto.backends import backend_of
from gitcto.git.durable import storage_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.agents.programs import InstalledProgram
    from gitcto.agents.settings import AgentSettings
    from gitcto.contracts import Probe
    from gitcto.provider_contracts import LaunchRequest

_ENTER = Path(__file__).with_name("enter.cjs")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProgram:
    """A CLI that is a script, and the Node that runs it; ``script`` is what that is to be given."""

    node: InstalledProgram
    cli: InstalledProgram
    script: Path

    @property
    def reads(self) -> tuple[Path, ...]:
        """What a sandbox has to show of both."""
        return (*self.cli.reads, *self.node.reads)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeNeeds:
    """The least ``version`` of a CLI and of its ``node``, and the command to ``install`` it."""

    version: str
    node: str
    install: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEntry:
    """What Node runs before a CLI: ``script`` is to be given to its ``--require``."""

    script: Path
    env: Mapping[str, str]


def read_node(table: Mapping[str, object], settings: AgentSettings) -> str:
    """Return the key ``node`` of a provider's table: its name on ``PATH``, or its absolute path.

    Raises ``CtoError`` (exit 4) for anything else.
    """
    node = table.get("node", "node")
    if not isinstance(node, str) or not node.isprintable() or not node.strip():
        raise settings.problem("node must be one line of text", 'write node = "/path/to/node"')
    if node[0] != "/" and "/" in node:
        hint = "give its name on PATH, or its absolute path"
        raise settings.problem(f"node {node!r} cannot be looked up", hint)
    return node


def find_node_program(
    settings: AgentSettings, node: str, host_env: Mapping[str, str], *, main: str = ""
) -> NodeProgram | None:
    """Return a CLI and its Node, by their names on ``PATH`` or absolute paths; None for neither.

    :param main: the script beside the one that its name leads to, where that one only starts
        another Node for it.
    """
    cli, found = find_program(settings.program, host_env), find_program(node, host_env)
    if cli is None or found is None:
        return None
    beside = cli.real.with_name(main or cli.real.name)
    return NodeProgram(node=found, cli=cli, script=beside if beside.is_file() else cli.real)


def probe_node_program(
    settings: AgentSettings, node: str, host_env: Mapping[str, str], needs: NodeNeeds
) -> Probe:
    """Tell whether a CLI and a Node that it runs on are here, and new enough. It runs nothing."""
    hint = f"it runs on Node.js {needs.node} or newer: put that first on PATH, or name it in `node`"
    wanted = replace(settings, program=node)
    found = probe_program(wanted, host_env, install=hint, least=needs.node)
    if not found.available:
        return found
    answer = probe_program(settings, host_env, install=needs.install, least=needs.version)
    cli = find_program(settings.program, host_env)
    if cli is None or answer.backend is None:
        return answer
    both = backend_of((node, str(cli.real)), host_env)
    return replace(answer, backend=both or answer.backend)


def enter_node(request: LaunchRequest, *, directory: Path, secrets: Mapping[str, str]) -> NodeEntry:
    """Return how a CLI starts in ``directory``, with its prompt as its standard input.

    There a prompt may have any length, and is in no list of processes. ``secrets`` are variables of
    the CLI, but not in the environment that other processes can read, and not in the one of what it
    starts. Until Node begins, a private file holds them, which it removes before the CLI begins.
    Raises ``CtoError``.
    """
    note = agent_home(request) / ".enter.json"
    told = {
        "directory": str(directory),
        "stdin": str(request.prompt_file),
        "secrets": {name: value for name, value in secrets.items() if value},
    }
    write_private(note, json.dumps(told))
    return NodeEntry(script=_ENTER, env={"CTO_ENTER": str(note)})


def bare_directory(request: LaunchRequest, folder: str) -> Path:
    """Return a directory to start a CLI in, so that no repository's configuration is its project's.

    ``folder`` is where the CLI looks for a project's configuration (``.gemini``). It is made anew,
    whatever an earlier run has put there, with an empty ``.env``: a CLI looks for one in every
    directory above, and ends its search at the first. Raises ``CtoError``.
    """
    place = request.scratch / "project"
    with storage_errors(f"use {place}"):
        if place.is_symlink():
            place.unlink()
        place.mkdir(parents=True, exist_ok=True)
        for name in (folder, ".env"):
            _remove(place / name)
    write_private(place / folder / ".env", "")
    write_private(place / ".env", "")
    return place


def shell_start(request: LaunchRequest, directory: Path) -> dict[str, str]:
    """Return the environment in which every command of a CLI's bash begins in the workspace.

    That is where it would begin had the CLI not been started in another ``directory``. Raises
    ``CtoError``.
    """
    start = agent_home(request) / ".begin"
    there, workspace = (shlex.quote(str(path)) for path in (directory, request.workspace))
    write_private(start, f'if [ "$PWD" = {there} ]; then cd {workspace}; fi\n')
    return {"BASH_ENV": str(start)}


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
