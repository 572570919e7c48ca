"""Where a task's commit can be found by now: a later push takes along what an earlier one left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.git.process import trusted
from gitcto.git.trees import is_ancestor
from gitcto.model.events import LandingDone
from gitcto.model.queue_events import BranchPushed
from gitcto.runtime.core.push_record import NOT_PUSHED

if TYPE_CHECKING:
    from gitcto.model.records import Task
    from gitcto.store.reader import LedgerReader


def where(reader: LedgerReader, task: Task) -> str:
    """Return the remote and ref that hold a task's commit, or why none does; empty if not done."""
    if not task.push.startswith(NOT_PUSHED):
        return task.push
    for stored in reader.events(newest_first=True):
        body = stored.event.body
        if isinstance(body, BranchPushed) and is_ancestor(
            trusted(reader.repository), task.commit, body.commit
        ):
            return f"{body.remote} {body.ref}, with a later push"
        if isinstance(body, LandingDone) and body.commit == task.commit:
            break
    return task.push
