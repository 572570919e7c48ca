"""Who is there while an attack goes on: another worker, listeners, a terminal, shared memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitcto.errors import CtoError
from gitcto.escape import bystander
from gitcto.escape.world import CANARY, SIBLING, World
from gitcto.runtime.worker import workers
from gitcto.runtime.worker.workers import Limits, Program, Started

_LIMITS = Limits(wall_s=120.0, idle_s=None, output_bytes=1 << 16, grace_s=0.0)
_READY_S = 30.0
_IPC_CREAT, _IPC_RMID = 0o1000, 0
_ANY = "0.0.0.0"  # noqa: S104 - the attack is at the machine's own address


@dataclass
class Bystanders:
    """What an attack can go for besides files; absent things are None."""

    records: Path
    started: Started
    secret_address: int
    listeners: dict[str, socket.socket] = field(default_factory=dict)
    address: str | None = None
    terminal: tuple[int, int] | None = None
    segment: int | None = None
    shared_memory: Path | None = None

    def port(self, name: str) -> int:
        """Return the port of a listener."""
        return int(self.listeners[name].getsockname()[1])

    def reached(self) -> list[str]:
        """Return the listeners that somebody has connected or sent something to."""
        found = []
        for name, listener in self.listeners.items():
            with contextlib.suppress(BlockingIOError):
                if listener.type == socket.SOCK_DGRAM:
                    listener.recv(64)
                else:
                    listener.accept()[0].close()
                found.append(name)
        return found

    def typed(self) -> list[str]:
        """Return what appeared on the terminal, and what was typed into it."""
        found = []
        for handle, name in zip(self.terminal or (), ("shown", "typed"), strict=False):
            os.set_blocking(handle, False)
            with contextlib.suppress(BlockingIOError):
                if b"attacked" in os.read(handle, 4096):
                    found.append(name)
        return found


@contextmanager
def bystanders(world: World, nonce: str) -> Iterator[Bystanders]:
    """Have everybody there; afterwards nobody is left."""
    with ExitStack() as stack:
        there = stack.enter_context(_sibling(world))
        there.listeners = _listeners(world, nonce, stack)
        there.address = _own_address()
        there.terminal = stack.enter_context(_terminal())
        there.segment = stack.enter_context(_segment())
        there.shared_memory = stack.enter_context(_shared_memory(nonce))
        yield there


@contextmanager
def _sibling(world: World) -> Iterator[Bystanders]:
    """Run the other worker under a supervisor of its own, as the orchestrator would."""
    layout = world.layout()
    records, scratch = layout.records(SIBLING), layout.scratch(SIBLING)
    scratch.mkdir(parents=True, exist_ok=True)
    ready = scratch / "ready"
    argv = (sys.executable, "-I", "-S", bystander.__file__, str(ready))
    env = {"PATH": world.path, bystander.VARIABLE: f"{CANARY}-process"}
    os.mkfifo(ready)
    program = Program(argv=argv, env=env, cwd=layout.room(SIBLING))
    started = workers.spawn(records, program, _LIMITS)
    try:
        address = int(_told(ready))
        ready.unlink()
        yield Bystanders(records=records, started=started, secret_address=address)
    finally:
        workers.request_stop(records)
        workers.wait(records)


def _told(pipe: Path) -> bytes:
    """Return what the other worker says when it is ready."""
    handle = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        if waiting.poll(_READY_S * 1000):
            return os.read(handle, 64)
    finally:
        os.close(handle)
    raise CtoError("the other worker did not start", "look whether this machine is out of memory")


def _listeners(world: World, nonce: str, stack: ExitStack) -> dict[str, socket.socket]:
    inet, unix = socket.AF_INET, socket.AF_UNIX
    wanted: dict[str, tuple[int, int, Any]] = {
        "tcp": (inet, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        "wide": (inet, socket.SOCK_STREAM, (_ANY, 0)),
        "udp": (inet, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        "user_socket": (unix, socket.SOCK_STREAM, world.home / "docker.sock"),
        "sibling_socket": (unix, socket.SOCK_STREAM, world.layout().room(SIBLING) / "agent.sock"),
    }
    if sys.platform == "linux":
        wanted["abstract"] = (unix, socket.SOCK_STREAM, f"\0{nonce}")
    made = {}
    for name, (family, kind, address) in wanted.items():
        listener = stack.enter_context(socket.socket(family, kind))
        _bind(listener, address)
        listener.setblocking(False)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        made[name] = listener
    return made


def _bind(listener: socket.socket, address: Any) -> None:
    """Bind a socket, also to a path that is too long for one."""
    if not isinstance(address, Path):
        listener.bind(address)
        return
    directory = os.open(address.parent, os.O_RDONLY)
    try:
        through = Path(f"/proc/self/fd/{directory}")
        listener.bind(str((through if through.exists() else address.parent) / address.name))
    finally:
        os.close(directory)


def _own_address() -> str | None:
    """Return the machine's own network address; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((_ANY, 0))
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith("127.") else address


@contextmanager
def _terminal() -> Iterator[tuple[int, int] | None]:
    """Open a terminal: the end that shows, and the end that is typed into."""
    try:
        shown, typed = os.openpty()
    except OSError:
        yield None
        return
    try:
        yield shown, typed
    finally:
        os.close(shown)
        os.close(typed)


@contextmanager
def _segment() -> Iterator[int | None]:
    """Make a System V shared memory segment with a secret."""
    try:
        library = ctypes.CDLL(None)
        library.shmat.restype = ctypes.c_void_p
        library.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
        number = library.shmget(0, 4096, _IPC_CREAT | 0o600)
        held = library.shmat(number, None, 0) if number >= 0 else None
    except (OSError, AttributeError):
        number, held = -1, None
    if held in {None, ctypes.c_void_p(-1).value}:
        yield None
        return
    secret = f"{CANARY}-segment".encode()
    ctypes.memmove(held, secret, len(secret))
    try:
        yield number
    finally:
        library.shmdt(ctypes.c_void_p(held))
        library.shmctl(number, _IPC_RMID, None)


@contextmanager
def _shared_memory(nonce: str) -> Iterator[Path | None]:
    """Make a file in shared memory with a secret."""
    place = Path("/dev/shm")  # noqa: S108 - a name of its own, private, removed afterwards
    if not place.is_dir():
        yield None
        return
    path = place / nonce
    with open(path, "x", opener=_private, encoding="ascii") as file:
        file.write(f"{CANARY}-memory")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
