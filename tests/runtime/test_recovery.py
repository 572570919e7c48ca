"""What recovery does about workers of executions that have ended, without anybody waiting."""

from __future__ import annotations

import os
import select
import signal
from types import SimpleNamespace

import pytest

from gitcto.runtime import recovery, workers


@pytest.mark.parametrize("watched", [True, False])
def test_nothing_lives_beside_what_is_taken_up(bench, watched: bool) -> None:
    started = bench.spawn(*bench.holding("keep"))
    bench.await_holding()
    if not watched:
        supervisor = os.pidfd_open(started.supervisor_pid)
        os.kill(started.supervisor_pid, signal.SIGKILL)
        select.select([supervisor], [], [], 30)
        os.close(supervisor)
        assert bench.held()
    layout = SimpleNamespace(records=lambda _execution: bench.run_dir)
    book = SimpleNamespace(context=SimpleNamespace(layout=layout))
    recovery._end_worker(book, SimpleNamespace(id="e1"))
    assert not bench.held()
    assert workers.observe(bench.run_dir).exit is not None


def test_a_worker_that_never_was_leaves_nothing(tmp_path) -> None:
    records = tmp_path / "records"
    book = SimpleNamespace(
        context=SimpleNamespace(layout=SimpleNamespace(records=lambda _execution: records))
    )
    recovery._end_worker(book, SimpleNamespace(id="e1"))
    assert not records.exists()
