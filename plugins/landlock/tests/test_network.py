"""With a proxy, a confined program reaches that and nothing else."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from gitcto_landlock import kernel

from gitcto.testing.proxied import proxied as serving

LONGEST_SOCKET = 108
"""What an address of a unix socket has room for."""

CLIENT = """
import os, socket, sys
at = os.environ["HTTP_PROXY"].rpartition(":")[2]
with socket.create_connection(("127.0.0.1", int(at))) as peer:
    peer.sendall(f"CONNECT {sys.argv[1]} HTTP/1.1\\r\\n\\r\\n".encode())
    peer.shutdown(socket.SHUT_WR)
    print(peer.makefile().read())
"""
STEPS = """
import socket
def attempt(*kind):
    try:
        with socket.socket(*kind) as one:
            one.settimeout(5)
            one.connect(("127.0.0.1", {port}))
    except OSError as error:
        return error.errno
    return "reached"
print(attempt(socket.AF_INET, socket.SOCK_STREAM))
print(attempt(socket.AF_INET, socket.SOCK_STREAM, 262))
print(attempt(socket.AF_INET, socket.SOCK_DGRAM))
with socket.socket() as one:
    try:
        one.bind(("127.0.0.1", 0))
        print("bound")
    except OSError as error:
        print(error.errno)
"""


@pytest.fixture
def greeting() -> Iterator[int]:
    """A server of the user's on a loopback port that greets whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.sendall(b"welcome")

        thread = Thread(target=greet, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.fixture
def proxied(scene: Any, greeting: int) -> Iterator[Any]:
    """The scene with a proxy to the greeting server."""
    if kernel.abi() < kernel.PORTS_ABI:
        pytest.skip("Landlock knows ports from ABI 4 on")
    at = scene.request.run_dir / "proxy.sock"
    assert len(str(at)) > LONGEST_SOCKET
    with serving(at, f"127.0.0.1:{greeting}"):
        yield replace(scene, request=replace(scene.request, proxy=at))


def test_what_policy_names_is_reached_through_the_proxy(proxied: Any, greeting: int) -> None:
    reached = proxied.run(sys.executable, "-I", "-S", "-c", CLIENT, f"127.0.0.1:{greeting}")
    assert reached.stdout.rstrip().endswith("welcome"), reached.stderr
    refused = proxied.run(sys.executable, "-I", "-S", "-c", CLIENT, "evil.example:443")
    assert "403" in refused.stdout


def test_nothing_is_reached_but_the_proxy(proxied: Any, greeting: int) -> None:
    assert proxied.prints(STEPS.format(port=greeting)).split() == ["13"] * 4


def test_exit_code_and_hidden_files_are_as_without(proxied: Any) -> None:
    assert proxied.run("/bin/sh", "-c", "exit 7").returncode == 7
    done = proxied.run("/bin/cat", str(proxied.home / "secret"))
    assert done.returncode == 1
    assert "Permission denied" in done.stderr


def test_the_proxys_own_socket_is_hidden_from_the_program(proxied: Any) -> None:
    where = Path(os.path.relpath(proxied.request.run_dir, proxied.room))
    assert proxied.run("/bin/ls", str(where)).returncode != 0
