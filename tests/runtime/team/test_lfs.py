"""Large files land as pointers, cleaned by git-lfs itself in the worker's sandbox."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from gitcto.model.records import TaskState

TEXT = "large\n" * 200
OID = hashlib.sha256(TEXT.encode()).hexdigest()
STEPS = [{"do": "write", "path": "big.bin", "text": TEXT}]


@pytest.fixture
def large(team: Any) -> Any:
    (team.path / ".gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    team.git("add", ".")
    team.git("-c", "user.name=u", "-c", "user.email=u@x", "commit", "-qm", "attributes")
    team.plan(team.task("A", STEPS))
    return team


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="git-lfs is not installed")
def test_a_large_file_lands_as_a_pointer_whose_content_is_in_the_store(large: Any) -> None:
    large.run()
    assert large.landed() == ["A"]
    assert large.show("big.bin").splitlines()[1:] == [f"oid sha256:{OID}", f"size {len(TEXT)}"]
    stored = large.path / f".git/lfs/objects/{OID[:2]}/{OID[2:4]}/{OID}"
    assert stored.read_text() == TEXT
    config = (large.path / ".git/config").read_text()
    assert "lfs" not in config
    large.assert_clean()


def test_without_git_lfs_nothing_lands_and_the_room_stays(large: Any, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "sh", "test", "env"):
        (programs / name).symlink_to(str(shutil.which(name)))
    large.environ["PATH"] = str(programs)
    large.run()
    task = large.tasks()["A"]
    assert (task.reason, large.landed()) == ("lfs_missing", [])
    assert task.state is TaskState.BLOCKED
    assert "big.bin" in task.detail
    (room,) = large.rooms.glob("main/*/room")
    assert (room / "big.bin").read_text() == TEXT
