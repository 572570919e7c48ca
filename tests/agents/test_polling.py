"""Following a run: what is new, once, in bounded pieces, whatever is written meanwhile."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gitcto.agents import lines
from gitcto.agents.polling import poll_output
from gitcto.api import Usage
from gitcto.runtime.worker.capture import Capture

if TYPE_CHECKING:
    from tests.agents.conftest import Finished


def event(kind: str, **told: object) -> bytes:
    return json.dumps({"kind": kind, **told}).encode() + b"\n"


def test_each_event_is_told_once_when_its_line_is_whole(run: Finished) -> None:
    out = run.outcome.stdout
    first = poll_output(run.dialect, run.outcome, "")
    assert (first.events, first.ended) == ((), False)
    whole = event("session", text="s-1") + event("message", text="hello")
    out.write_bytes(whole[:-9])
    second = poll_output(run.dialect, run.outcome, first.cursor)
    assert [each.kind for each in second.events] == ["session"]
    out.write_bytes(whole + event("used", usage={"input_tokens": 3}) + event("ended"))
    third = poll_output(run.dialect, run.outcome, second.cursor)
    assert [each.kind for each in third.events] == ["message", "used", "ended"]
    assert (third.session, third.ended, third.usage) == ("s-1", True, Usage(input_tokens=3))
    last = poll_output(run.dialect, run.outcome, third.cursor)
    assert (last.events, last.cursor, last.ended) == ((), third.cursor, True)
    assert last.usage == third.usage


def test_sums_go_on_from_one_look_to_the_next(run: Finished) -> None:
    dialect = replace(run.dialect, sums=True)
    used = event("used", usage={"output_tokens": 2, "cost_micros": 5})
    run.outcome.stdout.write_bytes(used)
    first = poll_output(dialect, run.outcome, "")
    run.outcome.stdout.write_bytes(used * 3)
    second = poll_output(dialect, run.outcome, first.cursor)
    assert second.usage == Usage(output_tokens=6, cost_micros=15)


def test_a_long_output_is_read_in_pieces(run: Finished, monkeypatch) -> None:
    monkeypatch.setattr(lines, "PIECE_BYTES", 1000)
    run.outcome.stdout.write_bytes(event("message", text="x" * 80) * 100)
    cursor, told = "", []
    while (progress := poll_output(run.dialect, run.outcome, cursor)).events:
        assert len(progress.events) < 12
        told += progress.events
        cursor = progress.cursor
    assert len(told) == 100


def test_what_a_flood_lost_is_skipped(run: Finished, tmp_path) -> None:
    """The supervisor gives the middle of a flood back while the worker still runs."""
    path = tmp_path / "flood.log"
    capture = Capture(str(path), 1 << 16, None, None)
    if capture._holes is False:
        pytest.skip("no holes here")
    with path.open("ab", buffering=0) as worker:
        worker.write(event("session", text="s-1") + event("message", text="x" * 90) * 20_000)
        capture.trim()
        worker.write(event("message", text="after the flood") + event("ended"))
        capture.trim()
    blocks = path.stat()
    if blocks.st_blocks * 512 > blocks.st_size // 2:
        pytest.skip("this file system makes no holes")
    output, cursor, told = replace(run.outcome, stdout=path), "", []
    while (progress := poll_output(run.dialect, output, cursor)).events:
        told += progress.events
        cursor = progress.cursor
    assert (told[0].text, told[-2].text, progress.ended) == ("s-1", "after the flood", True)
    assert len(told) < 5_000
    capture.close()


@pytest.mark.parametrize("cursor", ["x", "[]", "[1]", '["a", "", false, [], 0]', "-4", "{}"])
def test_a_cursor_that_is_not_ours_begins_anew(run: Finished, cursor: str) -> None:
    run.outcome.stdout.write_bytes(event("ended"))
    assert len(poll_output(run.dialect, run.outcome, cursor).events) == 1


def test_a_file_that_became_shorter_is_at_its_end(run: Finished) -> None:
    run.outcome.stdout.write_bytes(event("message", text="x" * 500))
    first = poll_output(run.dialect, run.outcome, "")
    run.outcome.stdout.write_bytes(b"short\n")
    again = poll_output(run.dialect, run.outcome, first.cursor)
    assert again.events == ()
    assert poll_output(run.dialect, run.outcome, again.cursor).cursor == again.cursor
