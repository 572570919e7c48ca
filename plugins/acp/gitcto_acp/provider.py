"""Runs any agent that speaks the Agent Client Protocol, through a driver of ours."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import (
    INTERRUPT_MARK,
    AgentProvider,
    Dialect,
    Launch,
    Probe,
    agent_environment,
    agent_home,
    backend_of,
    find_program,
    letters_in,
    write_private,
)
from gitcto_acp.endings import meaning
from gitcto_acp.job import Job, Server
from gitcto_acp.journal import meanings
from gitcto_acp.settings import filled, filled_argv, read, values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitcto.api import LaunchRequest

_INSTALL = "pip install 'git-cto[acp]'"


class AcpProvider(AgentProvider):
    """Starts the driver, which starts the agent; the driver's journal is already in our words.

    The driver hands over a letter when the turn has ended, and cancels the turn. Of a session that
    goes on, agents count tokens anew, and cost not.
    """

    dialect = Dialect(name="acp", events=meanings, pieces=True, whole_cost=True, fault=meaning)

    def probe(self, settings: Mapping[str, object], host_env: Mapping[str, str]) -> Probe:
        """Tell whether the library and the agent's program are here."""
        argv = read(settings).started
        if find_spec("acp") is None:
            hint = f"the library of the Agent Client Protocol is not installed: {_INSTALL}"
            return Probe(available=False, hint=hint)
        backend = backend_of(argv, host_env)
        if backend is None:
            hint = f"{argv[0]!r} is not here: install it, or give its whole path in policy.toml"
            return Probe(available=False, hint=hint)
        return Probe(available=True, version=backend.version, backend=backend)

    def launch(self, request: LaunchRequest) -> Launch:
        """Write the agent's files and the driver's job into the scratch directory."""
        settings, known = read(request.settings), values(request)
        key = settings.agent.key(request.host_env)
        home = agent_home(request)
        for name, text in filled(settings.files, known, key):
            write_private(home / name, text)
        argv = list(filled_argv(settings, known))
        found = find_program(argv[0], request.host_env)
        job = Job(
            argv=[str(found.path) if found else argv[0], *argv[1:]],
            workspace=str(request.workspace),
            prompt_file=str(request.prompt_file),
            edits=request.edits,
            session=request.session,
            mode=settings.edit_mode if request.edits else settings.read_mode,
            auth=settings.auth,
            told=list(letters_in(request.scratch)),
            servers=[
                Server(name=one.name, command=one.argv[0], args=list(one.argv[1:]), env={**one.env})
                for one in request.tools
            ],
        )
        path = request.scratch / "acp" / "job.json"
        write_private(path, job.text())
        return Launch(
            argv=(sys.executable, "-I", "-m", "gitcto_acp.driver", str(path)),
            env=agent_environment(request, dict(filled(settings.env, known, key))),
            reads=tuple(dict.fromkeys(_reads(job.argv, request.host_env))),
            interrupt=INTERRUPT_MARK,
        )


def _reads(argv: Sequence[str], host_env: Mapping[str, str]) -> Iterator[Path]:
    """Yield what a worker is made of: the driver, the agent, and what its argv names besides."""
    yield Path(__file__).parent
    found, backend = find_program(argv[0], host_env), backend_of(argv, host_env)
    yield from found.reads if found else ()
    yield from (Path(word) for word in argv if word.startswith("/") and Path(word).is_file())
    yield from backend.files if backend else ()
