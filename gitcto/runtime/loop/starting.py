"""What is recorded when a worker exists: its start, and the messages that its prompt showed it."""

from __future__ import annotations

from gitcto.model.commands import RecordStart, SingleCommand
from gitcto.model.mail_commands import ShowMail
from gitcto.model.mail_records import MailState
from gitcto.model.records import Execution, TaskState
from gitcto.model.state import State
from gitcto.model.step_records import Step
from gitcto.runtime.worker.worker_values import Started


def starting(
    state: State, execution: Execution, step: Step, started: Started
) -> tuple[SingleCommand, ...]:
    """Return the commands that record a step's start; the first one's is its execution's."""
    start = RecordStart(
        execution=execution.id,
        epoch=execution.epoch,
        pid=started.pid,
        process_start=started.process_start,
        isolation=str(started.isolation.get("level", "none")),
        sandbox=str(started.isolation.get("sandbox", "")),
        probe=dict(started.isolation.get("probe", {})),
    )
    first = (start,) if state.executions[execution.id].state is TaskState.DISPATCHING else ()
    shown = tuple(
        mail.number
        for mail in state.open_mail.values()
        if mail.is_with(execution.id) and mail.state is MailState.DELIVERED
    )
    if not shown or not step.edits:
        return first
    return (*first, ShowMail(execution=execution.id, epoch=execution.epoch, mails=shown))
