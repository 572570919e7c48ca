"""Using the machine up."""

from __future__ import annotations

import mmap
import os
import signal
import sys
import time

from gitcto.escape.attacks.tools import At, append

_LASTS_S = 60
_PACE_S = 0.004
"""Limits are looked at, not built in: on a busy machine a burst is over before the next look."""

STEP = 8 << 20
"""How much memory is taken at a time (bytes)."""

MARK_BYTES = 8
"""How much a file in the room grows each time (bytes)."""


def fork_bomb(at: At) -> None:
    """Start 1,500 processes that stay."""
    counts = os.path.join(at["room"], "forked")
    os.mkdir(counts)
    signal.alarm(_LASTS_S)
    for _ in range(at["processes"]):
        if os.fork() == 0:
            os.close(os.open(os.path.join(counts, str(os.getpid())), os.O_CREAT))
            signal.alarm(_LASTS_S)
            signal.pause()
        time.sleep(_PACE_S / 4)
    while len(os.listdir(counts)) < at["processes"]:
        time.sleep(0.05)


def memory(at: At) -> None:
    """Take twice the memory that is allowed."""
    held = []
    for _ in range(0, at["memory"], STEP):
        block = mmap.mmap(-1, STEP)
        for page in range(0, STEP, mmap.PAGESIZE):
            block[page] = 1
        held.append(block)
        append(os.path.join(at["room"], "taken"), "x" * MARK_BYTES)
        time.sleep(_PACE_S)


def big_file(at: At) -> None:
    """Write a file without end; the suite would stop it at four times what is allowed."""
    _fill(os.path.join(at["room"], "big"), at["file"])


def many_files(at: At) -> None:
    """Fill the disk with files that are each small enough."""
    _fill_disk(os.path.join(at["room"], "many"), at["disk"])


def fill_scratch(at: At) -> None:
    """Fill the disk with files outside the room, in the worker's scratch space."""
    _fill_disk(os.path.join(at["scratch"], "many"), at["disk"])


def flood(at: At) -> None:
    """Print 10 million lines."""
    block = b"flooded\n" * 8192
    for _ in range(at["lines"] // 8192):
        sys.stdout.buffer.write(block)


def _fill_disk(folder: str, size: int) -> None:
    os.mkdir(folder)
    for number in range(size >> 20):
        _fill(os.path.join(folder, str(number)), 1 << 20)
        time.sleep(_PACE_S * 4)


def _fill(path: str, size: int) -> None:
    block = os.urandom(1 << 20)
    with open(path, "wb", buffering=0) as file:
        file.writelines(block for _ in range(size >> 20))
