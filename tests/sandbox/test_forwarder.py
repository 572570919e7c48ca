"""A program under the forwarder reaches the proxy, and ends as if it were alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from gitcto.api import forwarded
from gitcto.runtime.host.isolation import own_ports

CLIENT = """
import os, socket, sys, urllib.parse
at = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
with socket.create_connection((at.hostname, at.port)) as peer:
    peer.sendall(f"CONNECT {sys.argv[1]} HTTP/1.1\\r\\n\\r\\nhello".encode())
    peer.shutdown(socket.SHUT_WR)
    with peer.makefile("rb") as answer:
        sys.stdout.buffer.write(answer.read())
"""
ENV = {"PATH": "/usr/bin:/bin"}


def run(*argv: str, at: object = "/nonexistent", **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        forwarded(argv, at),
        env=ENV,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        **options,
    )


def test_the_program_reaches_what_the_proxy_lets_through(tmp_path, upstream, serving) -> None:
    with serving(tmp_path / "proxy.sock", upstream.literal) as proxy:
        client = (sys.executable, "-c", CLIENT)
        reached = run(*client, upstream.literal, at=proxy.path)
        refused = run(*client, "evil.example:443", at=proxy.path)
    assert reached.stdout.endswith("\n\nheard hello")
    assert "403 Forbidden" in refused.stdout


def test_without_a_proxy_its_connections_close(tmp_path) -> None:
    done = run(sys.executable, "-c", CLIENT, "any.example:443", at=tmp_path / "none")
    assert "200" not in done.stdout


def test_the_environment_is_the_given_one_and_the_proxies() -> None:
    lines = run("env").stdout.splitlines()
    env = dict(line.split("=", 1) for line in lines)
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    proxies = {env.pop(name) for name in names}
    assert len(proxies) == 1
    assert proxies.pop().startswith("http://127.0.0.1:")
    assert env.pop("NO_PROXY") == env.pop("no_proxy") == "localhost,127.0.0.1,::1"
    assert env == ENV


def test_arguments_arrive_as_they_are() -> None:
    words = ("a b", "ü\n", "", "--", "-x", "$(id)")
    done = run(sys.executable, "-c", "import sys; print(ascii(sys.argv[1:]))", *words)
    assert done.stdout.strip() == ascii(list(words))


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("exit 7", 7),
        ("kill -TERM $$", -signal.SIGTERM),
        ("kill -KILL $$", -signal.SIGKILL),
        ("kill -PIPE $$", -signal.SIGPIPE),
    ],
)
def test_it_ends_as_its_program_ends(program: str, code: int) -> None:
    assert run("sh", "-c", program).returncode == code


def test_what_cannot_be_started_is_said(tmp_path) -> None:
    missing = run("no-such-program")
    assert missing.returncode == 127
    assert "'no-such-program'" in missing.stderr
    (tmp_path / "plain").write_text("x")
    assert run(str(tmp_path / "plain")).returncode == 126


def test_signals_that_end_programs_end_this_one_with_it() -> None:
    """A supervisor signals every process: the forwarder leaves the decision to its program."""
    program = "trap 'echo asked; exit 3' TERM; echo ready; read line; echo never"
    worker = subprocess.Popen(
        forwarded(("sh", "-c", program), "/nonexistent"),
        env=ENV,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert worker.stdout.readline() == b"ready\n"
    os.killpg(worker.pid, signal.SIGTERM)
    said, _ = worker.communicate(timeout=30)
    assert (said, worker.returncode) == (b"asked\n", 3)


def test_the_machines_own_ports_are_told_from_what_is_elsewhere() -> None:
    named = ("localhost:81", "127.0.0.1:80", "127.0.0.1:80", "127.0.0.2:82", "api.example.com:443")
    assert own_ports(named) == (80, 81)
    assert own_ports(()) == ()
