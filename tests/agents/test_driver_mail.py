"""What a driver sees of its mailbox: letters, oldest first and once, and the mark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitcto.api import (
    INTERRUPT_MARK,
    DriverMail,
    Letter,
    SendRequest,
    StopNote,
    leave_in_mailbox,
)
from gitcto.mailbox import letters_in, make_mailbox, marks, path_in
from gitcto.untrusted_files import write_below

if TYPE_CHECKING:
    from pathlib import Path


def send(scratch: Path, number: int, **told: object) -> None:
    letter = Letter(number=number, sender="person:ada", subject=f"letter {number}", **told)
    request = SendRequest(letter=letter, execution="01e", scratch=scratch, settings={})
    assert leave_in_mailbox(request).status == "taken"


def test_letters_come_oldest_first_and_once(tmp_path: Path) -> None:
    make_mailbox(tmp_path, [Letter(number=2, sender="person:ada", subject="in the prompt")])
    mail = DriverMail(path_in(tmp_path), told=(2,))
    assert mail.next() is None
    send(tmp_path, 11)
    send(tmp_path, 9, body="use v2\n", artifacts={"profile.txt": "abc"})
    first = mail.next()
    assert first is not None
    assert first.number == 9
    assert "person:ada: letter 9\n\nuse v2\nartifact profile.txt: `git cat-file blob abc`" in (
        first.text
    )
    mail.shown(first)
    assert list(marks(tmp_path, "shown")) == [9]
    second = mail.next()
    assert second is not None
    assert (second.number, mail.next(), mail.told) == (11, None, (2, 9, 11))


def test_what_is_no_letter_is_passed_over(tmp_path: Path) -> None:
    make_mailbox(tmp_path)
    inbox = path_in(tmp_path) / "inbox"
    (inbox / "1.json").write_text("[")
    (inbox / "2.json").write_text('{"from": "x"}')
    (inbox / "3.json").mkdir()
    (inbox / "0.json").write_text("{}")
    (inbox / ".4.json.new").write_text("{}")
    send(tmp_path, 5)
    mail = DriverMail(path_in(tmp_path))
    letter = mail.next()
    assert letter is not None
    assert letter.number == 5
    assert DriverMail(tmp_path / "none").next() is None


def test_the_mark_is_seen(tmp_path: Path) -> None:
    make_mailbox(tmp_path)
    mail = DriverMail(path_in(tmp_path))
    assert not mail.interrupted()
    write_below(tmp_path, INTERRUPT_MARK.path, INTERRUPT_MARK.text.encode())
    assert mail.interrupted()


@pytest.mark.parametrize("path", ["", "/etc/x", "../x", "a//b", "a/./b", "a\0b", "a\udc80"])
def test_a_note_lies_below_its_scratch_directory(path: str) -> None:
    with pytest.raises(ValueError, match=r"StopNote\.path|surrogates"):
        StopNote(path=path)


def test_letters_are_told_by_their_numbers(tmp_path: Path) -> None:
    make_mailbox(tmp_path, [Letter(number=3, sender="person:ada", subject="v2")])
    send(tmp_path, 12)
    (path_in(tmp_path) / "inbox" / "interrupt").write_bytes(b"")
    assert letters_in(tmp_path) == (3, 12)
    assert letters_in(tmp_path / "none") == ()
