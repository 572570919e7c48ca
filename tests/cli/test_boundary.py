from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from gitcto.cli.root import root
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Room


@pytest.fixture
def failing() -> Iterator[list[BaseException]]:
    """A command `fail` that raises what the test puts into the list."""
    raised: list[BaseException] = []

    def fail() -> None:
        raise raised[0]

    root.commands["fail"] = click.Command("fail", callback=fail)
    yield raised
    del root.commands["fail"]


def test_expected_trouble_is_two_lines_and_its_exit_code(
    room: Room, failing: list[BaseException]
) -> None:
    failing.append(CtoError("the gate said no", "look at it", ExitCode.POLICY))
    done = room.cto("fail", expect=4)
    assert done.err == "error: the gate said no\nhint: look at it\n"
    assert done.out == ""


def test_an_interrupt_is_130(room: Room, failing: list[BaseException]) -> None:
    failing.append(KeyboardInterrupt())
    assert room.cto("fail", expect=130).error == "interrupted"


def test_a_pipe_nobody_reads_is_silent(room: Room, failing: list[BaseException]) -> None:
    failing.append(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert room.cto("fail", expect=141).err == ""


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES, errno.EIO])
def test_a_file_system_that_refuses_is_not_our_bug(
    room: Room, failing: list[BaseException], number: int
) -> None:
    failing.append(OSError(number, "No way", "/some/file"))
    done = room.cto("fail", expect=128)
    assert done.error == "cannot use the file system: No way (/some/file)"
    assert done.err.splitlines()[1].startswith("hint: ")


def test_anything_else_becomes_a_report_without_secrets(
    room: Room, failing: list[BaseException]
) -> None:
    failing.append(ValueError(f"https://me:hunter2@host/x token=s3cr3t in {room.home}/a"))
    done = room.cto("fail", expect=3)
    path = Path(done.error.rpartition(" is in ")[2])
    report = path.read_text()
    assert path.parent == room.home
    assert done.error.startswith("git-cto itself broke (ValueError); a report without secrets")
    assert "`git cto fail` ended with `ValueError`" in report
    assert "raise raised[0]" in report
    assert "https://…@host/x token=… in ~/a" in report
    assert "hunter2" not in report
    assert str(room.home) not in report


def test_a_report_lies_with_the_repository_when_there_is_one(
    repo: Room, failing: list[BaseException]
) -> None:
    failing.append(ValueError("x"))
    done = repo.cto("fail", expect=3)
    assert Path(done.error.rpartition(" is in ")[2]).parent == repo.path / ".git" / "cto" / "crash"


def test_an_unwritable_place_for_reports_is_said(room: Room, failing: list[BaseException]) -> None:
    failing.append(ValueError("x"))
    done = room.cto("fail", expect=3, temporary=str(room.write("file", "") / "below"))
    assert done.error == "git-cto itself broke (ValueError); no report could be written"
