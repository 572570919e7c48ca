"""The lock excludes threads and processes, and ends with its holder."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from gitcto.errors import CtoError
from gitcto.git.lock import LockBusy, exclusive, is_held


def test_it_excludes(tmp_path):
    path = tmp_path / "a" / "lock"
    with exclusive(path), pytest.raises(LockBusy), exclusive(path, wait_s=0.03):
        pytest.fail("held twice")
    with exclusive(path, wait_s=0):
        assert path.exists()


def test_whether_it_is_held_can_be_asked_without_a_trace(tmp_path):
    path = tmp_path / "a" / "lock"
    assert not is_held(path)
    assert not path.parent.exists()
    with exclusive(path):
        assert is_held(path)
    assert not is_held(path)
    with exclusive(path, wait_s=0):
        assert is_held(path)


def test_threads_take_turns(tmp_path):
    counter = tmp_path / "counter"
    counter.write_text("0")

    def add(_: int) -> None:
        with exclusive(tmp_path / "lock"):
            counter.write_text(str(int(counter.read_text()) + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(200)))
    assert counter.read_text() == "200"


def test_a_killed_holder_leaves_it_free(tmp_path):
    code = (
        "import sys; from pathlib import Path; from gitcto.git.lock import exclusive\n"
        "with exclusive(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()\n"
    )
    argv = [sys.executable, "-c", code, str(tmp_path / "lock")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockBusy), exclusive(tmp_path / "lock", wait_s=0):
            pytest.fail("held twice")
        holder.kill()
        with exclusive(tmp_path / "lock", wait_s=10):
            pass


def test_a_place_where_nothing_can_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CtoError, match="cannot open the lock"), exclusive(tmp_path / "file/lock"):
        pytest.fail("held in a file")
