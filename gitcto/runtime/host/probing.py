"""Choosing a run's sandbox: it is believed only after it let a worker work and held an attacker.

The worst sandbox is one that starts nothing, because then every attack "fails". So each probe has
a positive control, and every outcome is read off the victim's files, not off the attacker's words.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitcto.containment import Crashed, TimedOut
from gitcto.contracts import Probe
from gitcto.descriptors import Sandbox
from gitcto.errors import CtoError, ExitCode
from gitcto.plugins import Plugins
from gitcto.registry import Registered
from gitcto.room_contracts import ConfineRequest
from gitcto.runtime.host import probe_program
from gitcto.runtime.host.ask import ask
from gitcto.runtime.host.isolation import (
    CONFINE_DEADLINE_S,
    Isolation,
    own_programs,
    start_confined,
)
from gitcto.runtime.worker import processes, remains, run_files, workers
from gitcto.runtime.worker.workers import Limits, Program

PROBE_S = 20.0
"""How long a sandboxed prober may take (seconds)."""

_WRITES = frozenset(
    {
        "write_absolute",
        "write_parent",
        "write_symlink",
        "write_hardlink",
        "git_config",
        "truncate",
        "delete",
        "rename_out",
        "daemon",
    }
)
MUST_STOP: Mapping[str, frozenset[str]] = {
    "strict": frozenset(probe_program.ATTACKS),
    "landlock": _WRITES,
    "seatbelt": _WRITES | {"chmod"},
    "detect": frozenset({"daemon"}),
    "none": frozenset({"daemon"}),
}
"""Which attacks a level has to stop to be believed."""


def choose_sandbox(
    plugins: Plugins, wanted: tuple[str, ...], place: Path, environ: Mapping[str, str]
) -> tuple[Isolation, tuple[str, ...]]:
    """Return the first of the ``wanted`` sandboxes that holds, and why those before it do not.

    Each why comes with what to do about it. ``place`` is a directory of ours to try them in. Raises
    ``CtoError`` when none holds.
    """
    failed: dict[str, _Unusable] = {}
    for name in wanted:
        found = _try(plugins, name, place, environ)
        if isinstance(found, Isolation):
            return found, tuple(f"{one}: {why.reason}; {why.hint}" for one, why in failed.items())
        failed[name] = found
    reasons = "; ".join(f"{one}: {why.reason}" for one, why in failed.items())
    hint = next((why.hint for why in failed.values() if why.hint), "")
    raise CtoError(
        f"no sandbox of policy holds on this machine ({reasons})",
        f"{hint}; or accept a weaker one by name in policy.toml, [sandbox] use",
        ExitCode.REFUSED,
    )


@dataclass(frozen=True, slots=True)
class _Unusable:
    reason: str
    hint: str


def _try(
    plugins: Plugins, name: str, place: Path, environ: Mapping[str, str]
) -> Isolation | _Unusable:
    registered = plugins.sandboxes().get(name)
    if registered is None:
        return _Unusable("no plugin provides it", f"install a plugin with the sandbox {name!r}")
    answer: Probe | Crashed | TimedOut = ask(
        plugins, registered, "available", environ, deadline_s=CONFINE_DEADLINE_S
    )
    if isinstance(answer, Crashed | TimedOut):
        error = answer.error()
        return _Unusable(error.message, error.hint)
    if not answer.available:
        return _Unusable("not available here", answer.hint)
    fix = answer.hint or "see docs/explanation/isolation.md"
    try:
        results = run_probe(plugins, registered, place, environ.get("PATH", os.defpath))
    except CtoError as error:
        return _Unusable(error.message, error.hint)
    if not results:
        return _Unusable("a harmless worker cannot work in it", fix)
    missed = sorted(MUST_STOP[registered.descriptor.level] - _stopped(results))
    if missed:
        return _Unusable(f"it does not stop {', '.join(missed)}", fix)
    return Isolation(sandbox=registered, probe=results)


def _stopped(results: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name, result in results.items() if result == "stopped")


def run_probe(
    plugins: Plugins, registered: Registered[Sandbox], place: Path, path: str = os.defpath
) -> dict[str, str]:
    """Let a prober work and attack in a plugin's sandbox, see :func:`put_to_the_test`."""
    isolation = Isolation(sandbox=registered, probe={})

    def start(request: ConfineRequest) -> Program:
        return start_confined(plugins, isolation, request)

    return put_to_the_test(start, place, path)


def put_to_the_test(
    start: Callable[[ConfineRequest], Program], place: Path, path: str = os.defpath
) -> dict[str, str]:
    """Let a prober work and attack in a sandbox; return ``stopped`` or ``open`` for each attack.

    ``start`` says how a program is started in it, ``place`` is a directory of ours, ``path`` the
    prober's ``PATH``. Nothing is returned when it could not even do its harmless deed. Raises
    ``CtoError``.
    """
    with remains.scene(place) as scene:
        return _probe(start, scene, path)


def _probe(start: Callable[[ConfineRequest], Program], scene: Path, path: str) -> dict[str, str]:
    room, victim, private = scene / "room", scene / "victim", scene / "private"
    _prepare(room, victim, private)
    before = _look(victim)
    with _listening() as (port, was_reached):
        at = (str(room), str(victim), str(os.getpid()), str(port), scene.name)
        request = ConfineRequest(
            argv=(sys.executable, "-I", "-S", probe_program.__file__, *at),
            env={"PATH": path},
            cwd=room,
            writes=(room,),
            reads=own_programs(),
            hides=(victim,),
            run_dir=private,
        )
        limits = Limits(wall_s=PROBE_S, idle_s=None, output_bytes=1 << 16, grace_s=0.0)
        run_dir = scene / "run"
        workers.spawn(run_dir, start(request), limits)
        workers.wait(run_dir)
        reached = was_reached()
    if _text(room / "control") != scene.name:
        return {}
    came_through = _changed(before, _look(victim)) | _read(room)
    came_through |= {"tcp"} if reached else set()
    came_through |= {"daemon"} if _survivors(run_dir) else set()
    return {name: "open" if name in came_through else "stopped" for name in probe_program.ATTACKS}


_TARGETS = {
    "absolute": "write_absolute",
    "parent": "write_parent",
    "symlink": "write_symlink",
    "hardlink": "write_hardlink",
    ".git/config": "git_config",
    "truncate": "truncate",
    "delete": "delete",
    "rename": "rename_out",
    "chmod": "chmod",
}
"""Which attack is at a file of the victim's."""

_THERE = ("hardlink", ".git/config", "truncate", "delete", "rename", "chmod", "symlink", "secret")
_COPIES = {"secret": "read_secret", "through-proc": "proc_root", "environ": "proc_environ"}


def _prepare(room: Path, victim: Path, private: Path) -> None:
    for directory in (room, victim / ".git", private):
        directory.mkdir(parents=True)
    for name in _THERE:
        (victim / name).write_text("untouched\n")
        (victim / name).chmod(0o600)


def _look(victim: Path) -> dict[str, tuple[bytes, int] | None]:
    seen: dict[str, tuple[bytes, int] | None] = {}
    for name in _TARGETS:
        try:
            seen[name] = ((victim / name).read_bytes(), (victim / name).stat().st_mode)
        except FileNotFoundError:
            seen[name] = None
    return seen


def _changed(
    before: dict[str, tuple[bytes, int] | None], after: dict[str, tuple[bytes, int] | None]
) -> set[str]:
    return {_TARGETS[name] for name, seen in before.items() if after[name] != seen}


def _read(room: Path) -> set[str]:
    return {attack for name, attack in _COPIES.items() if _text(room / name)}


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _survivors(run_dir: Path) -> set[int]:
    marker = f"{run_files.MARKER}={run_dir.resolve()}"
    return processes.marked(os.fsencode(marker), processes.table())


@contextmanager
def _listening() -> Iterator[tuple[int, Callable[[], bool]]]:
    """Listen on a loopback port; the function tells whether anybody came."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)

        def was_reached() -> bool:
            with contextlib.suppress(BlockingIOError):
                server.accept()[0].close()
                return True
            return False

        yield server.getsockname()[1], was_reached
