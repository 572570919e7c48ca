from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from gitcto.api import CtoError, read_untrusted

if TYPE_CHECKING:
    from pathlib import Path


def test_a_regular_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "answer"
    assert read_untrusted(file, 3) is None
    file.write_bytes(b"abc")
    assert read_untrusted(file, 3) == b"abc"
    with pytest.raises(CtoError, match="answer has more than 2 bytes"):
        read_untrusted(file, 2)


@pytest.mark.parametrize("kind", ["link", "dangling", "directory", "pipe", "socket"])
def test_nothing_else_is(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "answer"
    monkeypatch.chdir(tmp_path)
    if kind == "link":
        (tmp_path / "private").write_text("private")
        place.symlink_to("private")
    elif kind == "dangling":
        place.symlink_to("nowhere")
    elif kind == "directory":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("answer")
    with pytest.raises(CtoError, match="answer is not a regular file"):
        read_untrusted(place, 9)
