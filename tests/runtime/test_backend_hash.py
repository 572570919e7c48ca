"""The identity of a backend, on real files: what changes it, what does not, what it costs."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gitcto.errors import CtoError
from gitcto.runtime.agents import backend_hash
from gitcto.runtime.agents.backend_hash import digest_of


def package(root: Path) -> Path:
    made = root / "node_modules" / "@scope" / "agent"
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "cli.js").write_text("run()\n")
    (made / "bin" / "cli.js").chmod(0o755)
    (made / "lib.js").write_text("work()\n")
    (made / "latest").symlink_to("lib.js")
    return made


def later() -> int:
    """Return a time by which what was written here has long been settled."""
    return time.time_ns() // 1_000_000 + 60_000


@pytest.mark.parametrize("change", ["content", "mode", "link", "name", "more"])
def test_whatever_would_be_executed_is_in_the_hash(tmp_path: Path, change: str) -> None:
    made, cache = package(tmp_path), tmp_path / "cache"
    before = digest_of([made], cache, later())
    match change:
        case "content":
            (made / "lib.js").write_text("evil()\n")
        case "mode":
            (made / "lib.js").chmod(0o755)
        case "link":
            (made / "latest").unlink()
            (made / "latest").symlink_to("bin/cli.js")
        case "name":
            (made / "lib.js").rename(made / "lob.js")
        case "more":
            (made / "node_modules").mkdir()
            (made / "node_modules" / "x.js").write_text("")
    assert digest_of([made], cache, later()) != before


def test_a_change_that_hides_its_time_is_found(tmp_path: Path) -> None:
    made, cache = package(tmp_path), tmp_path / "cache"
    file = made / "lib.js"
    before, seen = digest_of([made], cache, later()), file.stat()
    file.write_text("w0rk()\n")
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert file.stat().st_size == seen.st_size
    assert digest_of([made], cache, later()) != before


def test_the_place_of_installation_is_not_in_it(tmp_path: Path) -> None:
    here, there = package(tmp_path / "here"), package(tmp_path / "there")
    cache = tmp_path / "cache"
    assert digest_of([here], cache, later()) == digest_of([there], cache, later())


def test_what_was_hashed_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, cache = package(tmp_path), tmp_path / "cache"
    read: list[Path] = []
    content = backend_hash._content

    def counted(path: Path, mode: int) -> str:
        read.append(path)
        return content(path, mode)

    monkeypatch.setattr(backend_hash, "_content", counted)
    first = digest_of([made], cache, later())
    assert len(read) == 3
    assert digest_of([made], cache, later()) == first
    assert len(read) == 3


def test_what_changed_just_now_is_not_kept(tmp_path: Path) -> None:
    made, cache = package(tmp_path), tmp_path / "cache"
    digest_of([made], cache, time.time_ns() // 1_000_000)
    assert not cache.exists()


def test_a_pipe_is_not_opened_and_a_lost_file_is_said(tmp_path: Path) -> None:
    made = package(tmp_path)
    os.mkfifo(made / "pipe")
    assert digest_of([made], tmp_path / "cache", later())
    with pytest.raises(CtoError, match="a backend's files"):
        digest_of([tmp_path / "gone"], tmp_path / "cache", later())


def test_a_whole_disk_is_no_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend_hash, "MOST_FILES", 2)
    with pytest.raises(CtoError, match="more than 2 files"):
        digest_of([package(tmp_path)], tmp_path / "cache", later())
