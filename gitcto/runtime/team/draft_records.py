"""Recording what came of asking an agent for a plan, and clearing away after it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.model.commands import Refusal
from gitcto.model.draft_commands import RecordDraft, RejectDraft
from gitcto.model.draft_records import Draft
from gitcto.runtime.team.draft_check import problems_of
from gitcto.runtime.team.draft_run import clear
from gitcto.strategies.drafting import Drafted, draft_text, read_draft

if TYPE_CHECKING:
    from gitcto.model.draft_records import Asked
    from gitcto.runtime.core.book import Listener
    from gitcto.runtime.host.context import Context
    from gitcto.runtime.team.draft_run import Told
    from gitcto.store.ledger import Ledger

MAX_ANSWER = 1 << 20
"""How much of an agent's answer is kept, in bytes."""


def settle_draft(
    context: Context, asked: Asked, told: Told, listener: Listener
) -> tuple[Draft, bool]:
    """Record what an agent said, and clear its room away; tell whether it gave an answer.

    The caller holds the draft's run. Raises ``CtoError``.
    """
    made = _record(context, asked, told)
    context.effects.crash_point("draft.recorded")
    kept = clear(context, asked)
    for warning in (*told.warnings, *([f"its room was kept: {kept}"] if kept else [])):
        listener.note(warning)
    return made, told.fault is None


def withdraw(context: Context, asked: Asked, why: str) -> None:
    """Record that no agent began a draft, and clear away what was made ready for it."""
    actor = context.ledger.actor
    recorded(context.ledger.transact(RejectDraft(draft=asked.id, by=actor, reason=why)))
    clear(context, asked)


def known_tasks(ledger: Ledger, drafted: Drafted) -> set[str]:
    """Return those of the tasks that a draft names which exist."""
    view = ledger.view()
    named = {name for task in drafted.tasks for name in (task.id, *task.depends_on)}
    return {name for name in named if view.task(name) is not None}


def recorded(answer: object) -> None:
    """Raise ``CtoError`` for a refusal."""
    if isinstance(answer, Refusal):
        raise CtoError(
            answer.detail, "`git cto plan drafts` shows how they stand", ExitCode.REFUSED
        )


def _record(context: Context, asked: Asked, told: Told) -> Draft:
    drafted = read_draft(told.message, asked.strategy) if told.fault is None else Drafted()
    fault = told.fault
    failed = (f"{asked.provider} failed: {fault.kind}: {fault.detail}",) if fault else ()
    known = known_tasks(context.ledger, drafted)
    outside = tuple(f"outside its room: {change}" for change in told.outside)
    problems = (*outside, *(failed or problems_of(context.policy, drafted, known)))
    plan = draft_text(drafted).encode()
    answer = told.message.encode("utf-8", "replace")[:MAX_ANSWER]
    blobs = context.objects.write_blobs([plan, answer, "\n".join(problems).encode()])
    draft = Draft(
        id=asked.id,
        objective=asked.objective,
        provider=asked.provider,
        base=asked.base,
        policy=context.policy.digest,
        digest=hashlib.sha256(plan).hexdigest(),
        plan=blobs[0],
        answer=blobs[1],
        tasks=len(drafted.tasks),
        problems=len(problems),
        wrong=blobs[2] if problems else "",
        first_problem=problems[0] if problems else "",
        revises=asked.revises,
        by=asked.by,
    )
    command = RecordDraft(draft=draft, usage=told.usage, fault=fault, wall_ms=told.wall_ms)
    named = dict(zip(("plan.json", "answer.txt", "problems.txt"), blobs, strict=True))
    recorded(context.ledger.transact(command, named))
    return draft
