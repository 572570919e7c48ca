"""What evidence must say, from the ledger and the policy of its time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitcto.evidence.account import LedgerLine
from gitcto.evidence.expected import Expected
from gitcto.git.objects import Commit
from gitcto.model.events import ExecutionFailed, LandingIntended
from gitcto.model.records import Execution, Landing
from gitcto.policy.gates import gate_definition
from gitcto.policy.records import Policy
from gitcto.store.queries import StoredEvent


def belongs(events: Iterable[StoredEvent], execution: str) -> tuple[LedgerLine, ...]:
    """Return those of a task's events that tell of one attempt."""
    return tuple(
        LedgerLine(seq=stored.seq, line=stored.line)
        for stored in events
        if getattr(stored.event.body, "execution", "") == execution
    )


def cites(events: Iterable[StoredEvent], evidence: str) -> StoredEvent | None:
    """Return the last event that cites a bundle as the evidence of what it records."""
    found = None
    for stored in events:
        body = stored.event.body
        if (isinstance(body, LandingIntended) and body.landing.evidence == evidence) or (
            isinstance(body, ExecutionFailed) and body.evidence == evidence
        ):
            found = stored
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where an attempt stands: its team, the policy of that time, the gates its tier demands.

    ``events`` are the ledger's of this attempt, those after the evidence too; empty when nobody
    compares them.
    """

    team: str
    policy: Policy
    required: tuple[str, ...] = ()
    events: tuple[LedgerLine, ...] = ()


def of_landing(
    setting: Setting, execution: Execution, landing: Landing, commit: Commit
) -> Expected:
    """Return what the evidence of a landing must say; ``commit`` is the attempt's own."""
    about = {
        **_attempt(setting, execution),
        "work": execution.work,
        "tree": landing.tree,
        "change": landing.change,
        "commit_tree": commit.tree,
        "onto": commit.parents[0] if commit.parents else "",
    }
    return _expected(setting, about, passed=True, harvest=execution.place, execution=execution)


def of_failure(setting: Setting, execution: Execution) -> Expected:
    """Return what the evidence of an attempt that failed must say."""
    about = {**_attempt(setting, execution), "onto": execution.base}
    return _expected(setting, about, passed=False, harvest=0, execution=execution)


def _expected(
    setting: Setting,
    about: dict[str, object],
    *,
    passed: bool,
    harvest: int,
    execution: Execution,
) -> Expected:
    policy = setting.policy
    return Expected(
        facts=about,
        definitions={gate: gate_definition(policy, gate) for gate in policy.gates},
        required=setting.required,
        events=setting.events,
        harvest=harvest,
        ended_ms=execution.ended_ms,
        passed=passed,
        signed=bool(policy.signing_key),
    )


def _attempt(setting: Setting, execution: Execution) -> dict[str, object]:
    return {
        "team": setting.team,
        "task": execution.task,
        "execution": execution.id,
        "attempt": execution.attempt,
        "epoch": execution.epoch,
        "nonce": execution.nonce,
        "base": execution.base,
        "policy": setting.policy.digest,
    }
