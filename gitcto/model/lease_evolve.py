"""Evolving who holds a task when its worker is silent, or comes too late. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from gitcto.model import lease_events as lease
from gitcto.model.records import Record
from gitcto.model.step_rules import closed
from gitcto.model.view import StateView


def evolve_lease(view: StateView, event: lease.LeaseEventBody, ts: int) -> tuple[Record, ...]:
    """Return the executions that an event about who holds a task replaces.

    The task of a ``task.stop_asked`` is moved by :func:`gitcto.model.evolve.evolve`.
    """
    match event:
        case lease.WorkAdopted():
            return _taken_over(view, event, ts)
        case lease.AdoptionRefused():
            late = view.execution(event.execution)
            said = f"{event.reason}: {event.detail}"
            return () if late is None else (replace(late, late=said),)
    return ()


def _taken_over(view: StateView, e: lease.WorkAdopted, ts: int) -> tuple[Record, ...]:
    """Give the new execution what is known of the worker, which it never had itself."""
    x, source = view.execution(e.execution), view.execution(e.source)
    if x is None or source is None:
        return ()
    adopted = replace(
        x,
        adopted=source.id,
        steps=closed(source.steps, ts),
        isolation=source.isolation,
        sandbox=source.sandbox,
        outside=source.outside,
        outside_blocks=source.outside_blocks,
        pid=source.pid,
        process_start=source.process_start,
        started_ms=source.started_ms,
        exit="exited",
        ended_ms=ts,
    )
    return adopted, replace(source, late=f"adopted: judged as attempt {x.attempt}")
