from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitcto.model.records import TaskSpec

if TYPE_CHECKING:
    from tests.cli.conftest import Crew


@pytest.mark.parametrize(
    ("command", "mode"), [("pause", "paused"), ("drain", "draining"), ("stop", "stopped")]
)
def test_a_mode_is_recorded_and_the_way_back_is_said(crew: Crew, command: str, mode: str) -> None:
    done = crew.cto(command)
    assert done.out == f"Team main is {mode}\n"
    assert "`git cto resume`" in done.err
    assert crew.cto(command).out == f"Team main was {mode} already\n"
    assert crew.cto("resume").out == "Team main is running\n"


def test_retry_queues_a_failed_task_again(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a"))
    crew.fail("A")
    assert crew.cto("retry", "A").out == "A is queued again\n"
    assert "A     ready" in crew.cto("status").out


def test_retry_of_a_task_that_did_not_end_is_refused(crew: Crew) -> None:
    crew.plan(TaskSpec(id="A", title="a"))
    assert crew.cto("retry", "A", expect=1).error == "A is queued, not failed or blocked"
