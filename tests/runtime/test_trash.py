"""Things are thrown away and deleted by different processes at the same time."""

from __future__ import annotations

import os
from typing import Any

import pytest

from gitcto.runtime.workspace.trash import empty, throw, waiting


def test_who_deletes_at_the_worst_moment_is_in_nobodys_way(tmp_path: Any, monkeypatch: Any) -> None:
    rename = os.rename

    def late(source: Any, target: Any) -> None:
        empty(tmp_path / "trash")
        rename(source, target)

    (tmp_path / "room").mkdir()
    (tmp_path / "room/file").write_text("x")
    monkeypatch.setattr(os, "rename", late)
    throw(tmp_path / "trash", tmp_path / "room")
    assert not (tmp_path / "room").exists()
    (thrown,) = waiting(tmp_path / "trash")
    assert (thrown / "file").read_text() == "x"
    empty(tmp_path / "trash")
    assert waiting(tmp_path / "trash") == ()


@pytest.mark.parametrize("kind", ["file", "directory", "link", "dangling"])
def test_things_of_every_kind_go(tmp_path: Any, kind: str) -> None:
    thing = tmp_path / "thing"
    if kind == "directory":
        thing.mkdir()
    elif kind == "file":
        thing.write_text("x")
    else:
        thing.symlink_to("trash" if kind == "link" else "nowhere")
    throw(tmp_path / "trash", thing)
    assert not os.path.lexists(thing)
    empty(tmp_path / "trash")
    assert waiting(tmp_path / "trash") == ()
