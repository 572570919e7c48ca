"""What happened to leases, as the subject lines of the ledger say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.model import lease_events as ev

if TYPE_CHECKING:
    from collections.abc import Callable


def lease_phrase(body: ev.LeaseEventBody, task_of: Callable[[str], str]) -> str:
    """Return an event about who holds a task in words; ``task_of`` names an execution's task."""
    match body:
        case ev.LeaseExpired():
            quiet = f"nothing of its worker moved for {body.quiet_ms // 1000} s"
            return f"{task_of(body.execution)}: lease over, {quiet}"
        case ev.LeaseStolen():
            why = body.reason or "no reason given"
            return f"{task_of(body.execution)}: taken away ({why}) from {body.holder}"
        case ev.StopAsked():
            return f"{body.task}: a person stopped it ({body.reason or 'no reason given'})"
        case ev.WorkAdopted():
            return f"{task_of(body.execution)}: late work of {body.source} adopted"
        case ev.AdoptionRefused():
            why = f"{body.reason}: {body.detail}"
            return f"{task_of(body.execution)}: late work not adopted ({why})"
