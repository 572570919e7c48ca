"""Choose the provider of one step of an execution, as a decision that can be made again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitcto.model.records import Decision
from gitcto.policy.decisions import Attempt, attempt_facts, decision_on
from gitcto.policy.eligibility_rule import DENIED, PROVIDER, Candidate, as_fact, from_fact, waits
from gitcto.policy.records import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be done, and what is known of who could do it.

    ``attempt`` says for which task, ``step`` which step of ``strategy``, and whether it ``edits``.
    ``part`` is the strategy's role that does it, ``asked`` the providers that may fill it, in order
    (none: those that have earned to be the default). ``engines`` are the gated ones that a person
    asked for by name for this run; ``wrote`` are the providers whose work the step judges.
    """

    attempt: Attempt
    strategy: str
    step: str
    part: str
    edits: bool
    asked: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    wrote: tuple[str, ...] = ()
    providers: Mapping[str, Candidate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Who does it (``provider``, empty for nobody), who may not and why, and the decision.

    ``waits`` is whether nobody may now, and somebody may as soon as a circuit closes.
    """

    provider: str
    denied: Mapping[str, str]
    waits: bool
    decision: Decision


def select(policy: Policy, asked: Asked) -> Selection:
    """Choose the first of a role's providers that may do the step."""
    facts = {
        **attempt_facts(asked.attempt),
        "role": asked.attempt.task.role,
        "strategy": asked.strategy,
        "step": asked.step,
        "part": asked.part,
        "asked": ",".join(asked.asked),
        "edits": "yes" if asked.edits else "no",
        "engines": ",".join(asked.engines),
        "wrote": ",".join(asked.wrote),
        **{f"{PROVIDER}{name}": as_fact(known) for name, known in asked.providers.items()},
    }
    decision = decision_on(policy, "eligibility", asked.attempt.actor, facts)
    allowed = decision.verdict == "allow"
    return Selection(
        provider=decision.inputs["selected"] if allowed else "",
        denied=denied_by(decision),
        waits=not allowed and decision.rule != "core.inputs" and waits(policy, decision.inputs),
        decision=decision,
    )


def decided_backend(decision: Decision) -> str:
    """Return the hash of the program that a decision is about; empty for nobody, or for none."""
    chosen = decision.inputs.get("selected", "")
    return from_fact(decision.inputs, chosen).backend if chosen else ""


def denied_by(decision: Decision) -> dict[str, str]:
    """Return the providers that a decision denied, each with the reason."""
    said = decision.inputs.items()
    return {key.removeprefix(DENIED): why for key, why in said if key.startswith(DENIED)}
