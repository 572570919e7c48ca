"""Port blocks: disjoint among processes, given back by whoever ends, however it ends."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from gitcto.errors import CtoError
from gitcto.runtime.workspace import ports
from gitcto.runtime.workspace.ports import BASES, release, reserve


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return tmp_path / "ports"


def place(root: Path, name: str) -> Path:
    made = root / name
    made.mkdir(exist_ok=True)
    return made


def test_forty_processes_at_once_get_forty_blocks(registry: Path, tmp_path: Path) -> None:
    start, go = os.pipe()
    said, say = os.pipe()
    children = []
    for number in range(40):
        pid = os.fork()
        if pid == 0:
            try:
                os.close(go)
                os.read(start, 1)  # all of them are let go at once
                got = reserve(registry, place(tmp_path, f"x{number}"), 10)
                os.write(say, f"{got.base}\n".encode())
            finally:
                os._exit(0)
        children.append(pid)
    os.close(go)
    os.close(say)
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0
    bases = [int(line) for line in os.read(said, 1 << 16).split()]
    os.close(start)
    os.close(said)
    assert len(set(bases)) == 40
    assert all(base in BASES for base in bases)


def test_an_execution_keeps_its_block(registry: Path, tmp_path: Path) -> None:
    one, two = place(tmp_path, "one"), place(tmp_path, "two")
    first = reserve(registry, one, 10)
    assert reserve(registry, two, 10) != first
    assert reserve(registry, one, 10) == first
    assert first.environment() == {"CTO_PORT_BASE": str(first.base), "CTO_PORT_COUNT": "10"}


def test_a_block_is_free_again_when_it_is_given_back_or_its_place_is_gone(
    registry: Path, tmp_path: Path
) -> None:
    one, two, three = (place(tmp_path, name) for name in ("one", "two", "three"))
    first = reserve(registry, one, 10)
    second = reserve(registry, two, 10)
    release(registry, one)
    assert reserve(registry, three, 10) == first
    two.rename(tmp_path / "removed")
    assert reserve(registry, place(tmp_path, "four"), 10) == second
    for name in ("one", "two", "three", "four"):
        release(registry, tmp_path / name)
    assert [path.name for path in registry.iterdir()] == ["lock"]


@pytest.mark.parametrize("address", ["127.0.0.1", "", "::1"])
def test_ports_that_others_use_are_left_out(registry: Path, tmp_path: Path, address: str) -> None:
    free = reserve(registry, place(tmp_path, "one"), 10).base
    release(registry, tmp_path / "one")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        server = socket.create_server((address, free + 9), family=family)
    except OSError:
        pytest.skip(f"this machine has no address {address}")
    with server:
        assert reserve(registry, place(tmp_path, "two"), 10).base > free
        assert reserve(registry, place(tmp_path, "three"), 9).base == free


def test_when_none_is_left_it_says_so(registry: Path, tmp_path: Path) -> None:
    registry.mkdir()
    for base in BASES:
        (registry / str(base)).write_text(str(tmp_path))
    with pytest.raises(CtoError, match="are in use") as caught:
        reserve(registry, place(tmp_path, "one"), ports.BLOCK)
    assert str(BASES.start) in caught.value.hint
