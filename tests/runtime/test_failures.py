"""How a worker's end is told to the person who planned its task."""

from __future__ import annotations

import pytest

from gitcto.model.records import Execution, Task, TaskSpec, TaskState
from gitcto.model.step_records import Step
from gitcto.policy.records import Limits
from gitcto.provider_contracts import WorkerReport
from gitcto.runtime.core.failures import of_worker
from gitcto.runtime.core.messages import Work, WorkerFinished
from gitcto.runtime.core.seats import Turn, unrecorded
from gitcto.runtime.worker.workers import Exit

EXECUTION = Execution(
    id="e1",
    task="A",
    epoch=1,
    attempt=1,
    state=TaskState.EXECUTING,
    holder="box",
    base="0" * 40,
    provider="fake",
    role="developer",
    leased_ms=0,
    expires_ms=1,
)

WRITES = unrecorded(EXECUTION)


def failure(cause, detail="", step=WRITES, changed=1, altered=""):
    return of_worker(
        WorkerFinished(
            turn=Turn(
                task=Task(spec=TaskSpec(id="A", title="a"), order=1),
                execution=EXECUTION,
                step=step,
            ),
            exit=Exit(code=0, cause=cause, detail=detail),
            report=WorkerReport(),
            work=Work(commit="1" * 40, tree="2" * 40, changed=changed),
            altered=altered,
        )
    )


@pytest.mark.parametrize("cause", ["wall", "idle", "output", "memory", "processes", "disk"])
def test_a_limit_is_the_tasks_own_fault_and_its_key_in_policy_is_named(cause):
    found = failure(cause)
    assert (found.reason, found.charged, found.block) == (f"limit_{cause}", True, False)
    keys = [word.strip("(),") for word in found.detail.split() if "limits." in word]
    assert keys
    assert {key.removeprefix("limits.") for key in keys} <= set(Limits.__dataclass_fields__)


def test_a_helper_that_fails_is_not_the_tasks_fault():
    found = failure("helper", "proxy.py ended first: no more sockets")
    assert (found.reason, found.charged, found.block) == ("helper", False, False)
    assert "proxy.py ended first: no more sockets" in found.detail


def test_who_ended_by_itself_with_work_has_not_failed():
    assert failure("exited") is None


def test_an_exit_code_and_words_are_no_success_without_changed_files():
    found = failure("exited", changed=0)
    assert (found.reason, found.fault.kind, found.charged) == ("worker_empty", "empty", True)


READS = Step(number=2, name="review", role="r", provider="p", seat="review", edits=False)


def test_who_only_reads_leaves_nothing_and_changes_nothing():
    assert failure("exited", step=READS, changed=0) is None
    found = failure("exited", step=READS, changed=0, altered="a.py")
    assert (found.reason, found.fault.kind) == ("worker_refused", "refused")
    assert "a.py" in found.detail
