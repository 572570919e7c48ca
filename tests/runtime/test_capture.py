"""What is kept of a worker's output: its head, its tail, its last word, and what was cut."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitcto.runtime.worker import capture

NOTE = re.compile(rb"\n\[git-cto: (\d+) bytes cut here, the limit is [^\n]*\]\n")
MIB = 1 << 20

texts = st.lists(
    st.tuples(st.integers(0, 300), st.sampled_from([b"\n", b"\n", b"\n", b""])), max_size=60
).map(
    lambda parts: b"".join(bytes([97 + n % 26]) * size + end for n, (size, end) in enumerate(parts))
)


def settled(path, data, bound, lines):
    path.write_bytes(data)
    with path.open("r+b") as file:
        cut = capture.settle(file.fileno(), bound, lines)
    return path.read_bytes(), cut


def last_line(data):
    return data[data.rfind(b"\n", 0, -1) + 1 :]


@settings(deadline=None, max_examples=400)
@given(data=texts, bound=st.integers(0, 2000), lines=st.none() | st.integers(1, 40))
def test_what_is_kept(tmp_path_factory, data, bound, lines):
    path = tmp_path_factory.getbasetemp() / "settled"
    after, cut = settled(path, data, bound, lines)
    assert settled(path, after, bound, lines) == (after, 0), "settling again changes nothing"
    many = lines is not None and data.count(b"\n") > lines
    if not cut:
        assert after == data
        assert len(data) <= bound + capture.SLACK or many
        return
    (said,) = NOTE.finditer(after)
    head, tail = after[: said.start()], after[said.end() :]
    assert int(said[1]) == cut == len(data) - len(head) - len(tail)
    assert data.startswith(head)
    assert data.endswith(tail)
    assert len(head) + len(tail) <= bound or len(data) <= bound
    assert lines is None or head.count(b"\n") + tail.count(b"\n") <= lines
    if len(last_line(data)) <= bound:
        assert tail.endswith(last_line(data))
    if lines is None:
        assert len(head) + len(tail) == bound, "no more is cut than has to be"
    if len(data) <= bound:
        assert head.count(b"\n") == lines // 2
        assert (tail.count(b"\n") + (not tail.endswith(b"\n"))) == lines - lines // 2


@pytest.mark.parametrize("end", [b"\n", b""])
def test_lines_are_counted_across_blocks(tmp_path, end):
    lines = [b"%d" % number + b"x" * (number % 7) for number in range(600_000)]
    data = b"\n".join(lines) + end
    assert len(data) > 5 * MIB
    after, cut = settled(tmp_path / "log", data, 1 << 30, 400_001)
    head, tail = after[: NOTE.search(after).start()], after[NOTE.search(after).end() :]
    assert head == b"\n".join(lines[:200_000]) + b"\n"
    assert tail == b"\n".join(lines[-200_001:]) + end
    assert cut == len(data) - len(head) - len(tail)


def test_a_last_line_of_megabytes_is_kept_whole_at_the_price_of_the_head(tmp_path):
    last = b'{"type": "result", "text": "' + b"z" * (3 * MIB) + b'"}\n'
    data = b"noise\n" * MIB + last
    after, _ = settled(tmp_path / "log", data, 4 * MIB, None)
    assert after.endswith(b"]\n" + last)
    assert after.startswith(b"noise\n")
    assert len(after) <= 4 * MIB + capture.SLACK


def test_a_last_line_longer_than_the_bound_loses_its_middle(tmp_path):
    data = b"first\n" + b"z" * 5000 + b"\n"
    after, _ = settled(tmp_path / "log", data, 1000, None)
    assert after.startswith(b"first\nzz")
    assert after.endswith(b"zz\n")


@pytest.mark.skipif(sys.platform != "linux", reason="holes are made by fallocate, which is Linux")
def test_the_middle_of_a_growing_file_takes_no_room(tmp_path):
    grown = capture.Capture(str(tmp_path / "log"), MIB, None, None)
    with (tmp_path / "log").open("ab", buffering=0) as worker:
        for _ in range(64):
            worker.write(b"x" * MIB)
            assert grown.trim()
            assert (tmp_path / "log").stat().st_blocks * 512 <= MIB * 5 // 2 + (1 << 16)
        assert not grown.trim()
    assert not grown.flooded
    assert grown.close() == 63 * MIB


def test_the_last_line_of_a_flood_is_there_when_the_middle_was_given_back(tmp_path):
    flood = capture.Capture(str(tmp_path / "log"), 4 * MIB, None, None)
    last = b"y" * (3 * MIB) + b"\n"
    with (tmp_path / "log").open("ab", buffering=0) as worker:
        worker.write(b"noise\n" * (4 * MIB))
        worker.write(last)
    flood.trim()
    flood.close()
    assert (tmp_path / "log").read_bytes().endswith(b"]\n" + last)


def test_a_file_is_full_when_no_file_may_be_larger(tmp_path):
    full = capture.Capture(str(tmp_path / "log"), 10, None, 100)
    (tmp_path / "log").write_bytes(b"x" * 99)
    full.trim()
    assert not full.full
    (tmp_path / "log").write_bytes(b"x" * 100)
    full.trim()
    assert full.full


def test_a_used_output_file_is_not_taken_over(tmp_path):
    (tmp_path / "log").touch()
    with pytest.raises(FileExistsError):
        capture.Capture(str(tmp_path / "log"), 10, None, None)
