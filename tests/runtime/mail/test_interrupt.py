"""The mark that asks the driver of an agent to stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import Letter, SendRequest, WorkerOutput, leave_in_mailbox, leave_interrupt
from gitcto.mailbox import letters_in, make_mailbox, path_in

if TYPE_CHECKING:
    from pathlib import Path


def output(scratch: Path) -> WorkerOutput:
    return WorkerOutput(stdout=scratch / "out", stderr=scratch / "err", scratch=scratch)


def test_a_mark_is_left_once_and_goes_with_the_next_start(tmp_path: Path) -> None:
    make_mailbox(tmp_path)
    mark = path_in(tmp_path) / "interrupt"
    assert [leave_interrupt(output(tmp_path)).status for _ in range(2)] == ["asked", "asked"]
    assert mark.read_bytes() == b""
    make_mailbox(tmp_path)
    assert not mark.exists()


def test_a_mark_is_left_nowhere_else(tmp_path: Path) -> None:
    scratch, elsewhere = tmp_path / "scratch", tmp_path / "elsewhere"
    scratch.mkdir()
    elsewhere.mkdir()
    path_in(scratch).symlink_to(elsewhere)
    answer = leave_interrupt(output(scratch))
    assert (answer.status, bool(answer.reason)) == ("failed", True)
    assert not list(elsewhere.iterdir())


def test_letters_are_told_by_their_numbers(tmp_path: Path) -> None:
    make_mailbox(tmp_path, [Letter(number=3, sender="person:ada", subject="v2")])
    letter = Letter(number=12, sender="person:ada", subject="v3")
    request = SendRequest(letter=letter, execution="01e", scratch=tmp_path, settings={})
    assert leave_in_mailbox(request).status == "taken"
    (path_in(tmp_path) / "inbox" / "interrupt").write_bytes(b"")
    assert letters_in(tmp_path) == (3, 12)
    assert letters_in(tmp_path / "none") == ()
