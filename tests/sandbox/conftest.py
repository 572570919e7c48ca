"""A server to reach, a proxy to reach it through, and bytes to say to them."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from gitcto.proxying import MAX_CONNECTIONS
from gitcto.testing.proxied import proxied

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PATIENCE_S = 30.0


@dataclass
class Upstream:
    """A server on a loopback port that says back what it hears, when it has heard all of it."""

    port: int
    heard: list[bytes]

    @property
    def literal(self) -> str:
        return f"127.0.0.1:{self.port}"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        up = Upstream(server.getsockname()[1], [])

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                Thread(target=echo, args=(client,), daemon=True).start()

        def echo(client: socket.socket) -> None:
            with client:
                heard = everything(client)
                up.heard.append(heard)
                client.sendall(b"heard " + heard)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield up
        server.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE_S)


def everything(peer: socket.socket) -> bytes:
    """Return all bytes up to the peer's end of sending."""
    peer.settimeout(PATIENCE_S)
    parts = []
    while part := peer.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


@dataclass
class Proxy:
    """A running proxy, and a door that it was given."""

    path: Path
    process: subprocess.Popen[bytes]
    address: tuple[str, int]

    def take(self, fds: Sequence[int], said: bytes) -> None:
        """Hand descriptors over to it; through its directory's, because paths may be long."""
        directory = os.open(self.path.parent, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as giver:
            giver.connect(f"/proc/self/fd/{directory}/{self.path.name}")
            socket.send_fds(giver, [said], fds)
        os.close(directory)

    def connect(self) -> socket.socket:
        """Return a connection."""
        return socket.create_connection(self.address, PATIENCE_S)

    def ask(self, head: str, rest: bytes = b"") -> bytes:
        """Send one request and the end of sending; return everything that is said."""
        with self.connect() as peer:
            peer.sendall(head.encode() + b"\r\n\r\n" + rest)
            peer.shutdown(socket.SHUT_WR)
            return everything(peer)


@contextmanager
def _serving(path: Path, *destinations: str) -> Iterator[Proxy]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with proxied(path, *destinations) as process:
        with socket.create_server(("127.0.0.1", 0), backlog=MAX_CONNECTIONS) as door:
            through = Proxy(path, process, door.getsockname())
            through.take([door.fileno()], b"0")
        yield through


@pytest.fixture
def serving() -> Callable[..., object]:
    return _serving
