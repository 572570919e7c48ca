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

    from gitcto.agents.settings import AgentSettings
    from gitcto.contracts import Probe
    from gitcto.provider_contracts import LaunchRequest

_ENTER = Path(__file__).with_name("enter.cjs")
_WORDS = (
    "Your workspace is the directory {}: that is the current directory of the task, and your"
    " commands begin there. Give the path of every file as an absolute path in it."
)
"""It does not start where its work is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStart:
    """How a CLI is started.

    ``values`` are what its command template calls ``node``, ``enter`` (to be given to Node's
    ``--require``), ``script``, and ``words``, which it is to be told after its task; ``env`` are
    variables of its own; ``reads`` is what a sandbox shows.
    """

    values: Mapping[str, str]
    env: Mapping[str, str]
    reads: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCli:
    """A CLI that runs on Node and obeys the project that it is started in.

    ``version`` and ``node`` are the least of itself and of Node; ``install`` is the command that
    gets it. ``folder`` is where it looks for a project's configuration (``.gemini``). ``main`` is
    the script beside the one that its name leads to, where that one only starts another Node.

    A provider's table may name that Node in ``node``, as it may name the CLI in ``program``.
    """

    version: str
    node: str
    install: str
    folder: str
    main: str = ""

    def probe(
        self, settings: AgentSettings, table: Mapping[str, object], host_env: Mapping[str, str]
    ) -> Probe:
        """Tell whether it and a Node for it are here, and new enough. It runs nothing.

        Raises ``CtoError`` (exit 4) for a ``node`` that cannot be meant.
        """
        node = _node(table, settings)
        hint = (
            f"it runs on Node.js {self.node} or newer: put that first on PATH, or name it in node"
        )
        wanted = replace(settings, program=node)
        found = probe_program(wanted, host_env, install=hint, least=self.node)
        if not found.available:
            return found
        answer = probe_program(settings, host_env, install=self.install, least=self.version)
        cli = find_program(settings.program, host_env)
        if cli is None or answer.backend is None:
            return answer
        both = backend_of((node, str(cli.real)), host_env)
        return replace(answer, backend=both or answer.backend)

    def enter(
        self, request: LaunchRequest, settings: AgentSettings, secrets: Mapping[str, str]
    ) -> NodeStart:
        """Return how it starts in an empty project, with its prompt as its standard input.

        There a prompt may have any length, and is in no list of processes; every command of the
        CLI's bash begins in the workspace all the same. ``secrets`` are variables of the CLI, but
        not in the environment that other processes can read, and not in the one of what it starts.
        Until Node begins, a private file holds them, which it removes before the CLI begins.

        Raises ``CtoError`` when the CLI or its Node is not here, or no file can be written.
        """
        program = _node(request.settings, settings)
        cli = find_program(settings.program, request.host_env)
        node = find_program(program, request.host_env)
        if cli is None or node is None:
            message = f"{settings.program!r}, or {program!r} that runs it, is not here"
            raise settings.problem(message, self.install)
        beside = cli.real.with_name(self.main or cli.real.name)
        script = beside if beside.is_file() else cli.real
        note, begin = (agent_home(request) / name for name in (".enter.json", ".begin"))
        project = _bare(request, self.folder)
        told = {
            "directory": str(project),
            "stdin": str(request.prompt_file),
            "secrets": {**secrets},
        }
        write_private(note, json.dumps(told))
        there, workspace = (shlex.quote(str(path)) for path in (project, request.workspace))
        write_private(begin, f'if [ "$PWD" = {there} ]; then cd {workspace}; fi\n')
        return NodeStart(
            values={
                "node": str(node.path),
                "enter": str(_ENTER),
                "script": str(script),
                "words": _WORDS.format(request.workspace),
            },
            env={"CTO_ENTER": str(note), "BASH_ENV": str(begin)},
            reads=(*cli.reads, *node.reads),
        )


def _node(table: Mapping[str, object], settings: AgentSettings) -> str:
    node = table.get("node", "node")
    if not isinstance(node, str) or not node.isprintable() or not node.strip():
        raise settings.problem("node must be one line of text", 'write node = "/path/to/node"')
    if node[0] != "/" and "/" in node:
        hint = "give its name on PATH, or its absolute path"
        raise settings.problem(f"node {node!r} cannot be looked up", hint)
    return node


def _bare(request: LaunchRequest, folder: str) -> Path:
    """Return a project in which no repository has a say.

    It is made anew, whatever an earlier run has put there, with an empty ``.env``: a CLI looks for
    one in every directory above, and ends its search at the first.
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


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
