"""Records as plain values for ``--json``: every field written out, so that JSON can only grow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.cli.kept import KeptRoom
    from gitcto.model.circuit_records import Circuit
    from gitcto.model.mail_records import Mail
    from gitcto.model.records import Execution, Task, Team, Verdict
    from gitcto.model.step_records import Step
    from gitcto.store.queries import StoredEvent


def team(record: Team) -> dict[str, Any]:
    """Return a team; times are milliseconds since the epoch here and below."""
    return {
        "name": record.name,
        "target": record.target,
        "mode": record.mode.value,
        "policy": record.policy,
        "created_ms": record.created_ms,
        "unknown_events": record.unknown,
        "queue_paused": record.queue_paused,
        "unclear_effects": record.unclear,
        "circuits": circuits(record.circuits),
        "counts": {str(state): count for state, count in sorted(record.counts.items())},
    }


def circuits(records: Mapping[str, Circuit]) -> dict[str, Any]:
    """Return the circuits of providers."""
    return {
        name: {field: getattr(each, field) for field in each.__struct_fields__}
        for name, each in sorted(records.items())
    }


def task(record: Task) -> dict[str, Any]:
    """Return a task with what has become of it."""
    spec = record.spec
    return {
        "id": spec.id,
        "title": spec.title,
        "state": record.state.value,
        "role": spec.role,
        "tier": spec.tier,
        "priority": spec.priority,
        "owner": spec.owner,
        "depends_on": list(spec.depends_on),
        "paths": list(spec.paths),
        "waiting_for": record.waiting_for,
        "queued_ms": record.queued_ms,
        "attempts": record.attempts,
        "retries": dict(record.retries),
        "not_before_ms": record.not_before_ms,
        "execution": record.execution,
        "reason": record.reason,
        "detail": record.detail,
        "commit": record.commit,
        "evidence": record.evidence,
        "push": record.push,
    }


_APPROVAL = ("", "s_needed", "s_expire_ms")


def execution(record: Execution) -> dict[str, Any]:
    """Return one attempt."""
    return {
        "id": record.id,
        "task": record.task,
        "attempt": record.attempt,
        "epoch": record.epoch,
        "state": record.state.value,
        "holder": record.holder,
        "provider": record.provider,
        "role": record.role,
        "workspace": record.workspace,
        "isolation": record.isolation,
        "sandbox": record.sandbox,
        "base": record.base,
        "leased_ms": record.leased_ms,
        "expires_ms": record.expires_ms,
        "started_ms": record.started_ms,
        "ended_ms": record.ended_ms,
        "pid": record.pid,
        "exit": record.exit,
        "code": record.code,
        "work": record.work,
        "tree": record.tree,
        "changed": record.changed,
        "change": record.change,
        **{f"approval{name}": getattr(record, f"approval{name}") for name in _APPROVAL},
        "approved_by": list(record.approved_by),
        "outside": list(record.outside),
        "outside_blocks": record.outside_blocks,
        "verdicts": [verdict(each) for each in record.verdicts],
        "evidence": record.evidence,
        "preserved": record.preserved,
        **{name: getattr(record, name) for name in ("stop", "adopted", "late")},
        "discarded": dict(record.discarded),
        **_of_steps(record),
        "reason": record.reason,
        "detail": record.detail,
    }


def _of_steps(record: Execution) -> dict[str, Any]:
    return {
        "beside": dict(record.beside),
        "strategy": record.strategy,
        "strategy_file": record.strategy_file,
        "steps": [step(each) for each in record.steps],
    }


def step(record: Step) -> dict[str, Any]:
    """Return one step of an attempt, as in the ledger and its evidence."""
    from gitcto.evidence.steps import step_outline

    return step_outline(record)


def mail(record: Mail) -> dict[str, Any]:
    """Return a message."""
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return {**fields, "state": record.state.value, "artifacts": dict(record.artifacts)}


def kept_room(room: KeptRoom) -> dict[str, Any]:
    """Return a room that stayed after its attempt; ``task`` is empty when nobody knows it."""
    return {
        "execution": room.execution,
        "task": room.task,
        "attempt": room.attempt,
        "path": str(room.path),
    }


def verdict(record: Verdict) -> dict[str, Any]:
    """Return what one gate said of one tree."""
    return {
        "gate": record.gate,
        "status": record.status,
        "reason": record.reason,
        "detail": record.detail,
        "tree": record.tree,
        "definition": record.definition,
        "log": record.log,
        "duration_ms": record.duration_ms,
    }


def event(stored: StoredEvent) -> dict[str, Any]:
    """Return an event exactly as the ledger has it, with its place."""
    return {"seq": stored.seq, "commit": stored.commit, "event": json.loads(stored.line)}
