"""Ending the workers of executions that have ended, without anybody waiting for them."""

from __future__ import annotations

import os
import select
import signal

import pytest

from gitcto.runtime import workers


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
    assert workers.end(bench.run_dir).exit is not None
    assert not bench.held()


def test_a_worker_that_never_was_leaves_nothing(tmp_path) -> None:
    records = tmp_path / "records"
    assert workers.end(records).started is None
    assert not records.exists()
