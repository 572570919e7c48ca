"""Decide by policy. Pure: a :class:`Decision` holds what is needed to decide the same again.

``inputs`` of a decision are the facts it was applied to, together with what policy says of them.
A rule is a path into the policy file, or ``core.…`` for what no policy can change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitcto.model.records import Decision, Landing, TaskSpec, Verdict
from gitcto.policy import approvals, budget_rule, dispatch, eligibility_rule, late, plans
from gitcto.policy.facts import Action, BadFactError, Ruling, count, fact
from gitcto.policy.gates import gate_definition, required_gates
from gitcto.policy.records import Policy
from gitcto.policy.table import shown

_CHANGE = "change:"
_NOTHING: Mapping[str, str] = {}
_NO_GATES = "no gate is configured for tier {}"
_PASS = "pass"  # noqa: S105 (a status, not a password)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Who asks (``actor``), and for which attempt at which task; ``epoch`` is its fencing token.

    ``approved_by`` are the persons who approved the change with the id ``approved``.
    """

    actor: str
    team: str
    task: TaskSpec
    execution: str
    epoch: int
    approved: str = ""
    approved_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """The ``commit`` that the target holds, and where it was pushed to or why it was not."""

    commit: str
    push: str


def decide_dispatch(  # noqa: PLR0913 - the facts of it
    policy: Policy,
    attempt: Attempt,
    *,
    charged: int,
    live: int,
    isolation: str,
    taken: Mapping[str, str] = _NOTHING,
) -> Decision:
    """Decide whether a task may be given to a worker now.

    ``charged`` is how often it failed by its own fault, ``live`` how many workers the team has,
    ``isolation`` the level that its worker would run at, ``taken`` what is used of its budgets.
    """
    facts = {
        **attempt_facts(attempt),
        "role": attempt.task.role,
        "charged": str(charged),
        "live": str(live),
        "isolation": isolation,
        **taken,
    }
    return decision_on(policy, "dispatch", attempt.actor, facts)


def decide_budget(
    policy: Policy, attempt: Attempt, *, scope: str, unit: str, used: int
) -> Decision:
    """Decide whether a running execution may go on, with so much of a budget used."""
    facts = {**attempt_facts(attempt), "scope": scope, "unit": unit, "used": str(used)}
    return decision_on(policy, "budget", attempt.actor, facts)


def decide_landing(
    policy: Policy, attempt: Attempt, landing: Landing, verdicts: Iterable[Verdict]
) -> Decision:
    """Decide whether the target may be moved: every gate of the tier passed on exactly this tree.

    A verdict counts only if it was given under the gate's present definition, and an approval only
    if it is about exactly this change.
    """
    facts = {
        **attempt_facts(attempt),
        **_landing_facts(landing),
        **_verdict_facts(verdicts),
        **approvals.facts(attempt.approved, attempt.approved_by),
    }
    return decision_on(policy, "landing", attempt.actor, facts)


def decide_done(
    policy: Policy,
    attempt: Attempt,
    landing: Landing,
    verdicts: Iterable[Verdict],
    arrival: Arrival,
) -> Decision:
    """Decide whether a task is done: what arrived at the target is what was intended.

    The intent was decided by the policy of its time; a policy adopted since cannot undo a landing,
    so only the evidence is looked at: passes on what landed, and nothing but passes.
    """
    facts = {
        **attempt_facts(attempt),
        **_landing_facts(landing),
        **_verdict_facts(v for v in verdicts if v.change or v.tree == landing.tree),
        "landed": arrival.commit,
        "push": arrival.push,
    }
    return decision_on(policy, "done", attempt.actor, facts)


def decide_approval(policy: Policy, attempt: Attempt, *, change: str, holder: str) -> Decision:
    """Decide whether ``attempt.actor`` may answer for a change that the run ``holder`` made."""
    facts = {**attempt_facts(attempt), "change": change, "holder": holder, "by": attempt.actor}
    return decision_on(policy, "approval", attempt.actor, facts)


def decide_adoption(policy: Policy, attempt: Attempt, *, source: str, commit: str) -> Decision:
    """Decide whether ``commit``, the late work of execution ``source``, may be judged."""
    facts = {**attempt_facts(attempt), "source": source, "commit": commit}
    return decision_on(policy, "adopt", attempt.actor, facts)


def reevaluate(policy: Policy, decision: Decision) -> Decision:
    """Decide again from a decision's recorded inputs; what differs was not decided by this policy.

    Never raises: inputs that cannot be understood are denied by rule ``core.inputs``.
    """
    return decision_on(policy, decision.action, decision.subject, dict(decision.inputs))


def decision_on(policy: Policy, action: str, subject: str, facts: dict[str, str]) -> Decision:
    """Decide on an action from facts, which become the inputs with what policy adds to them."""
    resource = ""
    try:
        on = _ACTIONS.get(action, _NO_ACTION)
        resource = fact(facts, on.resource)
        for key in on.needs:
            fact(facts, key)
        facts |= on.derive(policy, facts)
        ruling = on.rule(policy, facts)
    except BadFactError as error:
        ruling = Ruling("core.inputs", str(error))
    return Decision(
        action=action,
        resource=resource,
        subject=subject,
        rule=ruling.rule,
        policy=policy.digest,
        inputs=facts,
        verdict="allow" if ruling.allowed else "deny",
        reason=ruling.reason,
    )


def attempt_facts(attempt: Attempt) -> dict[str, str]:
    """Return the facts about an attempt that every decision on one needs."""
    return {
        "team": attempt.team,
        "task": attempt.task.id,
        "tier": attempt.task.tier,
        "execution": attempt.execution,
        "epoch": str(attempt.epoch),
    }


def _landing_facts(landing: Landing) -> dict[str, str]:
    return {
        "target": landing.target,
        "old": landing.old,
        "new": landing.new,
        "tree": landing.tree,
        "evidence": landing.evidence,
        "commit": landing.commit,
        "change": landing.change,
    }


def _verdict_facts(verdicts: Iterable[Verdict]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for verdict in verdicts:
        about = f"{_CHANGE}{verdict.change}" if verdict.change else verdict.tree
        facts[f"verdict.{verdict.gate}"] = f"{verdict.status}@{about}"
        facts[f"definition.{verdict.gate}"] = verdict.definition
    return facts


def _by_tier(policy: Policy, facts: Mapping[str, str]) -> dict[str, str]:
    return {"gates": ",".join(required_gates(policy, fact(facts, "tier")))}


def _landing(policy: Policy, facts: Mapping[str, str]) -> Ruling:
    target, tier = policy.target(fact(facts, "team")), fact(facts, "tier")
    count(facts, "epoch")
    if fact(facts, "target") != target:
        return Ruling("target", f"policy lands on {target}, not on {shown(facts['target'])}")
    if not fact(facts, "evidence"):
        return Ruling("core.evidence", "there is no evidence to bind the landing to")
    required = required_gates(policy, tier)
    if not required:
        return Ruling(f"tiers.{tier}.gates", _NO_GATES.format(tier))
    rule = f"tiers.{tier}.gates"
    complaints = [c for gate in required if (c := _gate_complaint(policy, gate, facts))]
    if complaints:
        return Ruling(rule, "; ".join(complaints))
    missing = approvals.missing(policy, tier, facts)
    if missing:
        return Ruling(f"tiers.{tier}.approval", missing)
    return Ruling(rule, f"{len(required)} of {len(required)} gates passed", allowed=True)


def _gate_complaint(policy: Policy, gate: str, facts: Mapping[str, str]) -> str:
    verdict = facts.get(f"verdict.{gate}")
    if verdict is None:
        return f"{gate} has not judged"
    status, _, about = verdict.partition("@")
    if status != _PASS:
        return f"{gate} says {shown(status)}"
    if about not in _landed(facts):
        return f"{gate} judged another {'change' if about.startswith(_CHANGE) else 'tree'}"
    if facts.get(f"definition.{gate}") != gate_definition(policy, gate):
        return f"{gate} judged under another definition"
    return ""


def _landed(facts: Mapping[str, str]) -> set[str]:
    """Return what a verdict may be about to count: the tree that lands, or the very change."""
    change = fact(facts, "change")
    return {fact(facts, "tree"), *([f"{_CHANGE}{change}"] if change else [])}


def _nothing_derived(policy: Policy, facts: Mapping[str, str]) -> dict[str, str]:
    del policy, facts
    return {}


def _done(policy: Policy, facts: Mapping[str, str]) -> Ruling:
    del policy
    rule = "core.landed"
    count(facts, "epoch")
    landed, intended = (fact(facts, key) for key in ("landed", "new"))
    if not landed or landed != intended:
        return Ruling(rule, f"the target holds {shown(landed)}, not {shown(intended)}")
    if not fact(facts, "evidence"):
        return Ruling("core.evidence", "there is no evidence for what landed")
    verdicts = {k: v for k, v in facts.items() if k.startswith("verdict.")}
    passes = {f"{_PASS}@{about}" for about in _landed(facts)}
    bad = sorted(k for k, v in verdicts.items() if v not in passes)
    if bad or not verdicts:
        reason = f"no pass on the landed tree: {', '.join(bad)}" if bad else "no gate has judged it"
        return Ruling(rule, reason)
    if not fact(facts, "push"):
        return Ruling("core.pushed", "neither where it was pushed is known, nor why it was not")
    return Ruling(rule, f"{len(verdicts)} gates passed on what landed", allowed=True)


def _no_rule(policy: Policy, facts: Mapping[str, str]) -> Ruling:
    del policy, facts
    return Ruling("core.actions", "no rule allows this kind of action")


_ATTEMPT = ("team", "task", "tier", "execution", "epoch")
_LANDING = (*_ATTEMPT, "target", "old", "new", "tree", "evidence", "commit", "change")
_APPROVAL = (*_ATTEMPT, "change", "holder", "by")
_NO_ACTION = Action("task", (), _no_rule, _nothing_derived)
_ACTIONS: Mapping[str, Action] = {
    "dispatch": Action("task", dispatch.NEEDS, dispatch.rule, dispatch.derived),
    "landing": Action("target", _LANDING, _landing, _by_tier),
    "adopt": Action("task", late.NEEDS, late.rule, late.derived),
    "budget": budget_rule.ACTION,
    "eligibility": eligibility_rule.ACTION,
    "plan": plans.ACTION,
    "approval": Action("task", _APPROVAL, approvals.rule, approvals.derived),
    "done": Action("task", (*_LANDING, "landed", "push"), _done, _nothing_derived),
}
