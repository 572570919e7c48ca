"""A server to reach, a proxy to reach it through, and bytes to say to them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from gitcto import proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
    """A running proxy."""

    path: Path
    process: subprocess.Popen[bytes]
    fd: int

    def connect(self) -> socket.socket:
        """Return a connection; through the directory's descriptor, because paths may be long."""
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(PATIENCE_S)
        peer.connect(f"/proc/self/fd/{self.fd}/{self.path.name}")
        return peer

    def ask(self, head: str, rest: bytes = b"") -> bytes:
        """Send one request and the end of sending; return everything that is said."""
        with self.connect() as peer:
            peer.sendall(head.encode() + b"\r\n\r\n" + rest)
            peer.shutdown(socket.SHUT_WR)
            return everything(peer)


@contextmanager
def _serving(path: Path, *destinations: str) -> Iterator[Proxy]:
    path.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-I", "-S", proxy.__file__, str(path), *destinations]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    fd = os.open(path.parent, os.O_RDONLY)
    try:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"+"
        yield Proxy(path, process, fd)
    finally:
        os.close(fd)
        process.kill()
        process.communicate()


@pytest.fixture
def serving() -> Callable[..., object]:
    return _serving
