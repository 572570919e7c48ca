"""The proxy lets through what policy names, and says no to everything else."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from gitcto.proxying import HEAD_BYTES, MAX_CONNECTIONS, MAX_DOORS, is_allowed, is_fit

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def test_an_allowed_destination_is_reached(tmp_path, upstream, serving) -> None:
    with serving(tmp_path / "proxy.sock", upstream.literal) as through:
        said = through.ask(f"CONNECT {upstream.literal} HTTP/1.1", b"hello")
    assert said == b"HTTP/1.1 200 Connection established\r\n\r\nheard hello"


def test_a_long_path_is_no_trouble_and_nobody_else_may_connect(tmp_path, upstream, serving) -> None:
    path = tmp_path / ("d" * 150) / "proxy.sock"
    with serving(path, upstream.literal) as through:
        assert b"heard x" in through.ask(f"CONNECT {upstream.literal} HTTP/1.1", b"x")
        assert path.stat().st_mode & 0o777 == 0o600
    with serving(path, upstream.literal) as again:  # the socket of a killed one is in the way
        assert b"heard y" in again.ask(f"CONNECT {upstream.literal} HTTP/1.1", b"y")


@pytest.mark.parametrize(
    "target",
    [
        "localhost:{port}",
        "127.1:{port}",
        "2130706433:{port}",
        "0x7f.1:{port}",
        "[::1]:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "127.0.0.1:{other}",
        "evil.example:443",
    ],
)
def test_everything_else_is_refused_in_one_line(tmp_path, upstream, serving, target: str) -> None:
    target = target.format(port=upstream.port, other=upstream.port - 1)
    with serving(tmp_path / "proxy.sock", upstream.literal, "*.0.0.1:443") as through:
        said = [through.ask(f"CONNECT {target} HTTP/1.1", b"secret") for _ in range(2)]
        through.process.kill()
        log = through.process.communicate()[1].decode()
    assert upstream.heard == []
    head, _, body = said[0].decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 403 ")
    assert body.count("\n") == 1
    assert "policy.toml, [sandbox]" in body
    assert said[0] == said[1]
    assert log.splitlines() == [f"proxy: {body.removeprefix('git-cto: ').strip()}"]


def test_a_name_that_leads_home_is_refused_unless_home_is_named(
    tmp_path, upstream, serving
) -> None:
    name = f"localhost:{upstream.port}"
    with serving(tmp_path / "one", name) as through:
        said = through.ask(f"CONNECT {name} HTTP/1.1")
    assert b" 403 " in said
    assert b"which is not public: policy must name that as well" in said
    with serving(tmp_path / "two", name, upstream.literal, f"::1:{upstream.port}") as through:
        assert b"heard x" in through.ask(f"CONNECT {name.upper()} HTTP/1.1", b"x")


@pytest.mark.parametrize(
    ("address", "fit"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("192.168.1.1", False),
        ("0.0.0.1", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%lo", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_only_public_addresses_are_fit_unless_named(address: str, fit: bool) -> None:
    assert is_fit(address, 443, frozenset()) is fit
    assert is_fit(address, 443, {f"{address}:443"})
    assert is_fit(address, 80, {f"{address}:443"}) is fit


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("api.example.com", True),
        ("a.api.example.com", True),
        ("example.com", False),
        ("badexample.com", False),
        ("api.example.com.evil.example", False),
        ("exact.example.org", True),
        ("sub.exact.example.org", False),
        ("8.8.8.8", False),
    ],
)
def test_a_wildcard_covers_subdomains_only(host: str, allowed: bool) -> None:
    policy = {"*.example.com:443", "exact.example.org:443", "*.8.8.8:443"}
    assert is_allowed(host, 443, policy) is allowed
    assert not is_allowed(host, 80, policy)


def test_a_plain_request_is_rewritten_for_its_server(tmp_path, upstream, serving) -> None:
    with serving(tmp_path / "proxy.sock", upstream.literal) as through:
        head = f"GET http://{upstream.literal}/a?b HTTP/1.1\r\nHost: x\r\nProxy-Connection: keep"
        through.ask(head)
        refused = through.ask("GET http://other.example/ HTTP/1.1")
    assert upstream.heard == [b"GET /a?b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]
    assert b"other.example:80 is not in" in refused


@pytest.mark.parametrize(
    "head",
    [
        "nonsense",
        "CONNECT",
        "CONNECT host HTTP/1.1",
        "CONNECT host:0 HTTP/1.1",
        "CONNECT host:99999 HTTP/1.1",
        "CONNECT user@host:443 HTTP/1.1",
        "CONNECT host:443 HTTP/2",
        "GET / HTTP/1.1",
        "GET https://host/ HTTP/1.1",
        "GET http://user@host/ HTTP/1.1",
        "CONNECT host:443 HTTP/1.1\r\nX: " + "x" * HEAD_BYTES,
    ],
)
def test_what_is_no_request_is_refused(tmp_path, serving, head: str) -> None:
    with serving(tmp_path / "proxy.sock", "host:443") as through:
        try:
            assert through.ask(head).startswith(b"HTTP/1.1 400 ")
        except ConnectionError:
            assert len(head) > HEAD_BYTES  # closed before all of it was read


def test_bytes_go_both_ways_after_one_side_has_ended(tmp_path, upstream, serving) -> None:
    big = os.urandom(3_000_000)
    with (
        serving(tmp_path / "proxy.sock", upstream.literal) as through,
        ThreadPoolExecutor(8) as pool,
    ):
        asked = [
            pool.submit(through.ask, f"CONNECT {upstream.literal} HTTP/1.1", big) for _ in range(8)
        ]
        said = [one.result() for one in asked]
    assert {one.partition(b"\r\n\r\n")[2] for one in said} == {b"heard " + big}


def test_connections_are_bounded_and_come_free_again(tmp_path, upstream, serving) -> None:
    with serving(tmp_path / "proxy.sock", upstream.literal) as through:
        held = [through.connect() for _ in range(MAX_CONNECTIONS)]
        for one in held:
            one.sendall(f"CONNECT {upstream.literal} HTTP/1.1\r\n\r\n".encode())
            assert one.recv(100).startswith(b"HTTP/1.1 200")
        with through.connect() as late:
            assert late.recv(100).startswith(b"HTTP/1.1 503")
        for one in held:
            one.shutdown(socket.SHUT_WR)
            assert one.recv(100) == b"heard "
            assert one.recv(100) == b""
            one.close()
        said = b""
        while b"heard" not in said:  # the last thread may be a moment behind its last byte
            said = through.ask(f"CONNECT {upstream.literal} HTTP/1.1", b"x")


def test_it_ends_when_its_parent_is_gone(tmp_path) -> None:
    start = """
import subprocess, sys
from gitcto.testing.proxied import proxied
with proxied(sys.argv[1]) as child:
    print(child.pid, flush=True)
    sys.stdin.read()
"""
    argv = [sys.executable, "-c", start, str(tmp_path / "proxy.sock")]
    parent = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    handle = os.pidfd_open(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert select.select([handle], [], [], 30)[0]
    os.close(handle)


def test_a_port_of_ours_has_a_door_of_its_own(tmp_path, upstream, serving) -> None:
    """Who comes there is led to it without a word, if policy names it."""
    other = upstream.port - 1
    with serving(tmp_path / "proxy.sock", upstream.literal) as through:
        assert heard_at(through, upstream.port) == b"heard hello"
        assert heard_at(through, other) == b""
        through.process.kill()
        log = through.process.communicate()[1].decode()
    assert log == f"proxy: 127.0.0.1:{other} is not in `network` of policy.toml, [sandbox]\n"


def heard_at(through, port: int) -> bytes:
    """What is said at a new door that leads to a port."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        through.take([door.fileno()], str(port).encode())
        address = door.getsockname()
    with socket.create_connection(address, 30) as peer, contextlib.suppress(OSError):
        peer.sendall(b"hello")
        peer.shutdown(socket.SHUT_WR)
        return peer.makefile("rb").read()
    return b""


def test_whatever_is_handed_over_it_goes_on_and_keeps_nothing(tmp_path, upstream, serving) -> None:
    """Nothing stays open that is no door, and there is an end of doors."""
    few, request = 12, f"CONNECT {upstream.literal} HTTP/1.1"
    with serving(tmp_path / "proxy.sock", upstream.literal) as through, ExitStack() as stack:
        kept = Path(f"/proc/{through.process.pid}/fd")
        deaf = stack.enter_context(socket.socket()).fileno()
        pipe = [stack.enter_context(os.fdopen(end)).fileno() for end in os.pipe()]
        words = b"0,0,0"
        for said in (words, b"0", b"0,0,0,0", b"\xff", b"x,0,0", b"-1,0,99999999") * 20:
            through.take([deaf, *pipe], said)
        assert b"heard x" in through.ask(request, b"x")
        await_(lambda: len(list(kept.iterdir())) <= few)
        door = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for _ in range(2 * MAX_DOORS):
            through.take([door.fileno()], b"0")
        through.take([], b"over")
        await_(lambda: len(list(kept.iterdir())) <= MAX_DOORS + few)
        assert b"heard x" in through.ask(request, b"x")


def await_(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
