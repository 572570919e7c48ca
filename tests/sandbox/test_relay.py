"""Bytes between two sockets: as long as anything moves, and no longer."""

from __future__ import annotations

import socket
from threading import Thread

from gitcto.relay import relay


def relayed(idle_s: float) -> tuple[socket.socket, socket.socket, Thread]:
    """Return the two far ends of a relay, and the thread that it runs in."""
    (left, one), (right, other) = socket.socketpair(), socket.socketpair()
    thread = Thread(target=relay, args=(one, other, idle_s))
    thread.start()
    for end in (left, right):
        end.settimeout(30)
    return left, right, thread


def test_a_connection_on_which_nothing_moves_is_closed() -> None:
    left, right, thread = relayed(0.05)
    with left, right:
        assert (left.recv(1), right.recv(1)) == (b"", b"")
    thread.join(30)
    assert not thread.is_alive()


def test_one_busy_direction_keeps_the_other_open() -> None:
    left, right, thread = relayed(1.0)
    with left, right:
        left.settimeout(0.1)
        for _ in range(15):  # longer than the other direction may be silent on its own
            right.sendall(b"tick")
            assert left.recv(4) == b"tick"
            try:
                left.recv(1)
            except TimeoutError:
                continue
        left.sendall(b"still here")
        assert right.recv(10) == b"still here"
    thread.join(30)


def test_a_half_closed_connection_still_receives() -> None:
    left, right, thread = relayed(30.0)
    with left, right:
        left.shutdown(socket.SHUT_WR)
        assert right.recv(1) == b""
        right.sendall(b"late answer")
        assert left.recv(11) == b"late answer"
    thread.join(30)
    assert not thread.is_alive()


def test_a_peer_that_is_gone_takes_the_other_along() -> None:
    left, right, thread = relayed(30.0)
    with right:
        left.close()
        right.sendall(b"x" * 10)
        assert right.recv(1) == b""
    thread.join(30)
    assert not thread.is_alive()
