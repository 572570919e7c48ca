"""Keeping programs that we do not trust in their rooms, at the level a run was begun with."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto import proxying
from gitcto.containment import Crashed, TimedOut
from gitcto.errors import CtoError, ExitCode
from gitcto.git.durable import storage_errors
from gitcto.model.isolation import Level
from gitcto.room_contracts import Confined, ConfineRequest
from gitcto.runtime.host.ask import ask
from gitcto.runtime.worker.worker_values import Program, Way

if TYPE_CHECKING:
    from gitcto.descriptors import Sandbox
    from gitcto.plugins import Plugins
    from gitcto.provider_contracts import StopNote
    from gitcto.registry import Registered
    from gitcto.runtime.host.context import Context

CONFINE_DEADLINE_S = 30.0
"""How long a sandbox may take to say how a program is started in it (seconds)."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """The sandbox of a run; ``probe`` is what it did with each attack when the run began."""

    sandbox: Registered[Sandbox]
    probe: Mapping[str, str]

    @property
    def level(self) -> Level:
        """What the sandbox promises, and proved."""
        return self.sandbox.descriptor.level

    def record(self) -> dict[str, object]:
        """Return what is recorded with the start of a program."""
        return {
            "level": self.level,
            "sandbox": self.sandbox.name,
            "probe": dict(self.probe),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Inmate:
    """A program on its way into a sandbox, and what it may touch; see ``ConfineRequest``.

    ``interrupt`` as in ``Program``.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    writes: tuple[Path, ...]
    reads: tuple[Path, ...] = ()
    fixed: tuple[Path, ...] = ()
    interrupt: tuple[Path, StopNote] | None = None


def confine(context: Context, inmate: Inmate, private: Path) -> Program:
    """Return how to start a program in the run's sandbox.

    ``private`` is an empty directory of ours, for this program alone. Raises ``CtoError``.
    """
    settings = context.policy.sandbox
    home = context.environ.get("HOME", "")
    reads = tuple(_expanded(path, home) for path in settings.reads)
    repository = context.repository
    hides = (Path(home) if home else None, repository.work_tree, repository.common_dir)
    request = ConfineRequest(
        argv=inmate.argv,
        env=inmate.env,
        cwd=inmate.cwd,
        writes=inmate.writes,
        reads=(*own_programs(), *inmate.reads, *reads),
        fixed=inmate.fixed,
        hides=tuple(path for path in (*hides, context.layout.rooms_root) if path is not None),
        proxy=private / "proxy.sock" if settings.network else None,
        ports=own_ports(settings.network),
        run_dir=private,
    )
    isolation = isolation_of(context)
    program = start_confined(context.plugins, isolation, request, settings.network)
    return replace(program, interrupt=inmate.interrupt)


def own_ports(destinations: Iterable[str]) -> tuple[int, ...]:
    """Return the ports of this machine's loopback among the destinations of policy."""
    parts = (destination.rpartition(":") for destination in destinations)
    return tuple(sorted({int(port) for host, _, port in parts if host in _LOOPBACK}))


def make_home(scratch: Path) -> None:
    """Make the home and the temporary directory of whoever runs with ``scratch``.

    Raises ``CtoError``, also when a worker has put something else into their place.
    """
    for part in ("home", "tmp"):
        with storage_errors(f"use {scratch / part}"):
            (scratch / part).mkdir(parents=True, exist_ok=True)


def own_programs() -> tuple[Path, ...]:
    """Return what a sandboxed process must be able to read to run our own Python programs.

    Every program may: the forwarder to its proxy is one, and so is this Python for a gate.
    """
    return (Path(sys.prefix), Path(sys.base_prefix), Path(proxying.__file__).parent)


def isolation_of(context: Context) -> Isolation:
    """Return the sandbox that was chosen when the run began; ``CtoError`` when none was."""
    if context.isolation is None:
        raise CtoError(
            "nothing can be started here, because no sandbox was chosen",
            "this is a bug of git-cto; run it with `git cto run`",
            ExitCode.INTERNAL,
        )
    return context.isolation


def start_confined(
    plugins: Plugins,
    isolation: Isolation,
    request: ConfineRequest,
    destinations: tuple[str, ...] = (),
) -> Program:
    """Ask the sandbox how to start a program; ``destinations`` are what its proxy lets through."""
    answer: Confined | Crashed | TimedOut = ask(
        plugins, isolation.sandbox, "confine", request, deadline_s=CONFINE_DEADLINE_S
    )
    if isinstance(answer, Crashed | TimedOut):
        raise answer.error()
    way = None
    if request.proxy is not None:
        loopback = (f"127.0.0.1:{port}" for port in request.ports)
        way = Way(socket=request.proxy, destinations=(*destinations, *loopback))
    return Program(
        argv=answer.argv,
        env=answer.env,
        cwd=request.cwd,
        writes=request.writes,
        way=way,
        isolation=isolation.record(),
    )


def _expanded(path: str, home: str) -> Path:
    return Path(home, path.removeprefix("~/")) if path.startswith("~/") else Path(path)
