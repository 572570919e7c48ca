"""What policy names on the machine's loopback is there inside, and nothing else of it."""

from __future__ import annotations

import socket
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

import gitcto
from gitcto.testing.proxied import proxied

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.strict.tests.conftest import Home

ASK = """
import socket, sys
for port in sys.argv[1:]:
    try:
        with socket.create_connection(("127.0.0.1", int(port)), 30) as peer:
            peer.sendall(b"hello")
            peer.shutdown(socket.SHUT_WR)
            with peer.makefile("rb") as answer:
                print(port, answer.read().decode())
    except OSError as error:
        print(port, type(error).__name__)
"""
READS = (Path(gitcto.__file__).parent, Path(sys.prefix), Path(sys.base_prefix))


@contextmanager
def listening() -> Iterator[int]:
    """Serve an echo on a loopback port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client, client.makefile("rb") as said:
                    client.sendall(b"heard " + said.read())

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(30)


@pytest.mark.usefixtures("bwrap")
def test_a_named_port_is_there_and_another_is_closed(home: Home) -> None:
    socket_path = home.path / "rooms" / "private" / "proxy.sock"
    ask = (sys.executable, "-c", ASK)
    with (
        listening() as named,
        listening() as other,
        proxied(socket_path, f"127.0.0.1:{named}"),
    ):
        said = home.run(
            *ask, str(named), str(other), reads=READS, proxy=socket_path, ports=(named,)
        )
    assert said.stdout.splitlines() == [f"{named} heard hello", f"{other} ConnectionRefusedError"]


@pytest.mark.usefixtures("bwrap")
def test_what_the_proxy_refuses_stays_closed(home: Home) -> None:
    """The list that decides is the proxy's, outside: being offered inside opens nothing."""
    socket_path = home.path / "rooms" / "private" / "proxy.sock"
    with listening() as port, proxied(socket_path, "api.example.com:443"):
        ask = (sys.executable, "-c", ASK)
        said = home.run(*ask, str(port), reads=READS, proxy=socket_path, ports=(port,))
    assert said.stdout.startswith(str(port))
    assert "heard" not in said.stdout


@pytest.mark.usefixtures("bwrap")
def test_a_port_that_cannot_be_offered_is_said(home: Home) -> None:
    socket_path = home.path / "rooms" / "private" / "proxy.sock"
    with proxied(socket_path, "127.0.0.1:80"):
        said = home.run("echo", "ran", reads=READS, proxy=socket_path, ports=(80,))
    assert said.stdout == "ran\n"
    assert "127.0.0.1:80 cannot be offered inside" in said.stderr
