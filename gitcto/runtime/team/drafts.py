"""Drafted plans: asked for, kept whatever came of it, and approved once they are right."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.git.objects import Objects
from gitcto.model import circuit_rules
from gitcto.model.commands import AdoptPolicy, ImportPlan, Together
from gitcto.model.draft_commands import ApproveDraft, AskPlan
from gitcto.model.draft_records import MAX_DRAFTS, MAX_OBJECTIVE, Asked, Draft
from gitcto.model.plan import in_dependency_order
from gitcto.policy.decisions import decision_on
from gitcto.runtime.delivery.target import ensure_target
from gitcto.runtime.host.probing import choose_sandbox
from gitcto.runtime.host.strategies import strategy_of
from gitcto.runtime.team.draft_budget import must_be_affordable
from gitcto.runtime.team.draft_check import problems_of
from gitcto.runtime.team.draft_records import known_tasks, recorded, settle_draft, withdraw
from gitcto.runtime.team.draft_recovery import take_up_drafts
from gitcto.runtime.team.draft_run import STRATEGY, begin, must_be_eligible, told_by, waited_for
from gitcto.strategies.drafting import (
    Drafted,
    DraftRules,
    draft_prompt,
    draft_text,
    read_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gitcto.model.records import Decision
    from gitcto.policy.records import Policy
    from gitcto.runtime.core.book import Listener
    from gitcto.runtime.host.context import Context
    from gitcto.store.ledger import Ledger

_LISTED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a draft holds: the plan, its problems, and the agent's own words."""

    drafted: Drafted
    problems: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asks for: a plan for ``objective`` by ``provider``.

    ``revises`` is the draft that it is to make better; the tasks are to be done by ``strategy``,
    or by their role's when it is empty.
    """

    objective: str
    provider: str
    revises: Draft | None = None
    strategy: str = ""


def draft_plan(
    context: Context, wish: Wish, listener: Listener, interrupted: Callable[[], bool]
) -> Draft:
    """Ask a provider for a plan and record what came of it. Raises ``CtoError``.

    Whatever it answers is kept; a draft with problems can be looked at and not be approved. An
    answer to the same question for which nobody waited any more is taken up instead. When a person
    wants the end (``interrupted``), the agent is ended, and that is recorded.
    """
    _must_be_possible(context, wish)
    adopt(context.ledger, context.objects, context.policy)
    isolation, failed = choose_sandbox(
        context.plugins, context.policy.sandbox.use, context.layout.rooms_root, context.environ
    )
    for reason in failed:
        listener.note(f"sandbox {reason}")
    context = replace(context, isolation=isolation)
    team = context.ledger.view().team
    asked = Asked(
        id=context.effects.new_id(),
        objective=wish.objective,
        provider=wish.provider,
        base=ensure_target(context.refs, team.target if team else ""),
        strategy=wish.strategy,
        revises=wish.revises.id if wish.revises else "",
        by=context.ledger.actor,
    )
    answered = take_up_drafts(context, listener, asked, interrupted)
    return answered or _ask(context, asked, _prompt(context, wish), listener, interrupted)


def _ask(
    context: Context,
    asked: Asked,
    prompt: str,
    listener: Listener,
    interrupted: Callable[[], bool],
) -> Draft:
    decision = must_be_eligible(context, asked, listener)
    with waited_for(context.layout, asked.id):
        recorded(context.ledger.transact(AskPlan(asked=asked, decision=decision)))
        context.effects.crash_point("draft.asked")
        job = begin(context, asked, decision, prompt)
        try:
            told = told_by(context, asked.id, job, interrupted)
        except CtoError as error:
            withdraw(context, asked, error.message)
            raise
        made, _ = settle_draft(context, asked, told, listener)
    return made


def content_of(objects: Objects, draft: Draft) -> Content:
    """Read what a draft holds. Raises ``CtoError`` when it is not what was recorded."""
    plan = objects.read(draft.plan)[1]
    if hashlib.sha256(plan).hexdigest() != draft.digest:
        raise CtoError(
            f"the plan of draft {draft.id} is not the one recorded", "run `git cto doctor`"
        )
    wrong = objects.read(draft.wrong)[1].decode() if draft.wrong else ""
    return Content(
        drafted=read_text(plan.decode()),
        problems=tuple(wrong.splitlines()),
        answer=objects.read(draft.answer)[1].decode("utf-8", "replace"),
    )


def approve_draft(
    ledger: Ledger, objects: Objects, policy: Policy, draft: Draft, by: str
) -> tuple[str, ...]:
    """Add a draft's tasks to the team, checked anew; return their ids. Raises ``CtoError``."""
    content = content_of(objects, draft)
    known = known_tasks(ledger, content.drafted)
    problems = content.problems or problems_of(policy, content.drafted, known)
    if problems:
        raise _not_right(draft, problems)
    adopt(ledger, objects, policy)
    tasks = in_dependency_order(content.drafted.tasks)
    source = f"draft {draft.id}"
    command = Together(
        commands=(
            ApproveDraft(
                draft=draft.id,
                digest=draft.digest,
                by=by,
                decision=_decision(ledger.team, policy, draft, by),
            ),
            ImportPlan(source=source, digest=draft.digest, tasks=tasks),
        )
    )
    recorded(ledger.transact(command, {"plan": draft.plan}))
    return tuple(task.id for task in tasks)


def adopt(ledger: Ledger, objects: Objects, policy: Policy) -> None:
    """Record the policy that is decided by, unless it is the team's already."""
    blob = objects.write_blob(policy.text)
    recorded(ledger.transact(AdoptPolicy(digest=policy.digest), {"policy.toml": blob}))


def _must_be_possible(context: Context, wish: Wish) -> None:
    objective, provider = wish.objective, wish.provider
    if wish.strategy:
        strategy_of(context.plugins, context.policy, wish.strategy)
    if not objective.strip() or len(objective) > MAX_OBJECTIVE:
        raise CtoError(
            f"an objective has 1 to {MAX_OBJECTIVE} characters, this one {len(objective)}",
            "say in a few sentences what is to be reached",
            ExitCode.USAGE,
        )
    if provider not in context.policy.providers:
        known = ", ".join(context.policy.providers) or "(none)"
        raise CtoError(
            f"policy.toml has no provider {provider!r}", f"these are there: {known}", ExitCode.USAGE
        )
    must_be_affordable(context)
    view = context.ledger.view()
    resting = circuit_rules.resting(view, provider, STRATEGY, context.effects.now_ms())
    if resting:
        raise CtoError(
            f"provider {provider!r} is not asked now: {resting}",
            "wait until then, or name another one with `--provider`",
            ExitCode.REFUSED,
        )
    team = view.team
    waiting = len(team.drafts) + len(team.asked) if team else 0
    if waiting >= MAX_DRAFTS:
        raise CtoError(
            f"{waiting} drafts wait already",
            "`git cto plan drafts` lists them; approve or reject some first",
            ExitCode.REFUSED,
        )


def _prompt(context: Context, wish: Wish) -> str:
    policy = context.policy
    rules = DraftRules(
        roles=tuple(policy.roles), protected=policy.protected_paths, most=policy.plans.max_tasks
    )
    existing = [task.spec.id for task in context.ledger.tasks()][:_LISTED]
    earlier = ""
    if wish.revises is not None:
        content = content_of(context.objects, wish.revises)
        wrong = "".join(f"\n- {problem}" for problem in content.problems)
        earlier = f"{draft_text(content.drafted)}{wrong}"
    return draft_prompt(wish.objective, rules, existing, earlier)


def _decision(team: str, policy: Policy, draft: Draft, by: str) -> Decision:
    facts = {
        "team": team,
        "draft": draft.id,
        "digest": draft.digest,
        "base": draft.base,
        "tasks": str(draft.tasks),
        "problems": str(draft.problems),
        "by": by,
    }
    decision = decision_on(policy, "plan", by, facts)
    if decision.verdict != "allow":
        raise CtoError(decision.reason, f"see {decision.rule} in policy.toml", ExitCode.REFUSED)
    return decision


def _not_right(draft: Draft, problems: Sequence[str]) -> CtoError:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return CtoError(
        f"draft {draft.id} cannot be approved, it has {count}: {problems[0]}",
        f'`git cto plan draft --revise {draft.id} "…"` asks for a better one',
        ExitCode.REFUSED,
    )
