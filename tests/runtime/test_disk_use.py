"""A worker's disk: what counts, what does not, and that looking ends."""

from __future__ import annotations

import os
import sys

import pytest

from gitcto.runtime.worker import disk_use, workers
from gitcto.runtime.worker.disk_use import DiskUse

MIB = 1 << 20

SMALL = """
import os
number = 0
while True:
    os.makedirs(f"d{number // 500}", exist_ok=True)
    with open(f"d{number // 500}/{number}", "wb") as file:
        file.write(b"x" * SIZE)
    number += 1
"""
NAMELESS = """
import os
held = []
while True:
    held.append(open("file", "wb"))
    os.unlink("file")
    held[-1].write(b"x" * (1 << 20))
    held[-1].flush()
"""


def exceeds(disk, now=1000.0):
    """What one whole walk says; by this time one is due."""
    while True:
        if disk.exceeds(now, lambda: [os.getpid()]):
            return True
        if not disk.walking:
            return False


def noticed(disk, folder, now, step_s=0.1):
    """Take more and more of the disk until it is noticed: others may free as much meanwhile."""
    for number in range(8):
        descriptor = os.open(f"large{number}", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=folder)
        os.posix_fallocate(descriptor, 0, 512 * MIB)
        os.close(descriptor)
        if exceeds(disk, now + number * step_s):
            return True
    return False


def full(path, count, size):
    for number in range(count):
        (path / f"{number}").write_bytes(b"x" * size)


@pytest.mark.parametrize(
    ("program", "limit"),
    [
        pytest.param(SMALL.replace("SIZE", "16384"), 8 * MIB, id="small"),
        pytest.param(SMALL.replace("SIZE", "0"), MIB, id="empty"),
        pytest.param(NAMELESS, 32 * MIB, id="nameless"),
    ],
)
def test_who_fills_the_disk_is_stopped(bench, program, limit):
    place = bench.tmp / "room"
    place.mkdir()
    argv = (sys.executable, "-c", program)
    bench.start(bench.program(*argv, cwd=place, writes=(place,)), disk_bytes=limit)
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause) == (137, "disk")
    assert ended.detail.startswith(f"more than {limit // MIB} MiB on disk")
    assert ended.wall_s < 45


def test_what_was_there_counts_when_the_time_of_a_walk_has_come(tmp_path):
    full(tmp_path, 10, 65536)
    disk = DiskUse([str(tmp_path)], 10 * 65536, 0.0)
    assert not disk.exceeds(disk_use.EVERY_S - 1, list)
    assert not disk.walking
    assert exceeds(disk, disk_use.EVERY_S)
    assert not exceeds(DiskUse([str(tmp_path)], 10 * 65536 + 64 * 1024, 0.0))


def test_growth_of_the_file_system_is_looked_into_at_once(tmp_path):
    disk = DiskUse([str(tmp_path)], 32 * MIB, 0.0)
    here = os.open(tmp_path, os.O_RDONLY)
    assert noticed(disk, here, 0.1)
    os.close(here)


def test_a_file_with_two_names_counts_once_and_links_are_not_followed(tmp_path):
    room = tmp_path / "room"
    room.mkdir()
    (tmp_path / "outside").mkdir()
    full(tmp_path / "outside", 10, MIB)
    (room / "link").symlink_to(tmp_path / "outside")
    (room / "file").write_bytes(b"x" * MIB)
    for number in range(10):
        (room / f"twin{number}").hardlink_to(room / "file")
    assert not exceeds(DiskUse([str(room)], 2 * MIB, 0.0))
    assert exceeds(DiskUse([str(room), str(tmp_path / "outside")], 2 * MIB, 0.0))


def test_a_room_that_was_removed_or_became_a_link_is_no_way_out(tmp_path):
    room = tmp_path / "room"
    room.mkdir()
    disk = DiskUse([str(room)], 256 * MIB, 0.0)
    room.rmdir()
    assert not exceeds(disk)
    (tmp_path / "empty").mkdir()
    room.symlink_to(tmp_path / "empty")
    outside = os.open(tmp_path, os.O_RDONLY)
    assert noticed(disk, outside, 2000.0, 1000), "what cannot be seen counts as growth of the disk"
    os.close(outside)


def test_what_is_nested_too_deep_counts_as_what_the_disk_has_grown(tmp_path):
    disk = DiskUse([str(tmp_path)], 8 * MIB, 0.0)
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(disk_use.DEEPEST + 2):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    assert noticed(disk, here, 1000.0, 1000)
    os.close(here)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every directory")
def test_what_cannot_be_read_counts_as_what_the_disk_has_grown(tmp_path):
    hidden = tmp_path / "room" / "hidden"
    hidden.mkdir(parents=True)
    disk = DiskUse([str(tmp_path / "room")], 8 * MIB, 0.0)
    outside = os.open(tmp_path, os.O_RDONLY)
    hidden.chmod(0)
    try:
        assert noticed(disk, outside, 1000.0, 1000)
    finally:
        hidden.chmod(0o700)
        os.close(outside)


def test_a_long_walk_is_made_in_slices(tmp_path, monkeypatch):
    monkeypatch.setattr(disk_use, "SLICE_S", 0.0)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        full(tmp_path / name, 3000, 0)
    disk = DiskUse([str(tmp_path)], 1 << 40, 0.0)
    steps = 1
    disk.exceeds(1000.0, list)
    while disk.walking:
        assert not disk.exceeds(1000.0, list)
        steps += 1
    assert steps > 1
    assert not disk.exceeds(1000.0, list)
    assert not disk.walking, "nothing alarms, so nothing is walked again"
