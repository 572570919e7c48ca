"""Why a change leaves the merge queue without landing, in words that help whoever tries again."""

from __future__ import annotations

from collections.abc import Sequence

from gitcto.model.records import Execution, Task
from gitcto.policy.records import Policy
from gitcto.runtime.core.failures import Failure, of_verdict, of_verdicts
from gitcto.runtime.core.judged import first_red
from gitcto.runtime.core.queue_values import Misfit, Outcome
from gitcto.runtime.core.reproduce import Refused, argv_of, reproduction

_SHOWN = 5


def of_red(policy: Policy, x: Execution, outcome: Outcome) -> Failure:
    """Return the failure of a change that was red by itself on a target that was green.

    It names the gate, the failing tests, the base, and one command that shows it again.
    """
    red = first_red(outcome.judged)
    if red is None:
        raise ValueError(f"nothing was red for {x.id}")
    failure = of_verdict(red.verdict)
    tests = f" in {_some(red.verdict.failed)}" if red.verdict.failed else ""
    refused = Refused(tree=outcome.tree, onto=outcome.onto, work=x.work)
    argv = argv_of(policy, red.verdict.gate)
    command = reproduction(refused, argv, present=outcome.tree == x.tree)
    base = f"red on {outcome.onto[:12]}, which is green without it"
    detail = f"{failure.detail}{tests}, {base}; see it: {command}"
    return Failure(reason=failure.reason, detail=detail)


def of_misfit(policy: Policy, task: Task, misfit: Misfit, person: str) -> Failure:
    """Return the failure of a change that does not go on top of the target.

    A conflict is nobody's fault: it is tried again on the new base with both intents in hand, and
    then one owner decides, with both sides kept. ``person`` owns what has no owner.
    """
    if misfit.verdicts:
        failure = of_verdicts(misfit.verdicts)
        if failure is not None:
            return failure
    if not misfit.conflicts:
        return Failure(reason="merge", detail=misfit.detail, charged=False, block=True)
    paths = _some(misfit.conflicts)
    theirs = f"; landed there since: {_some(misfit.landed, '; ')}" if misfit.landed else ""
    times = task.retries.get("conflict", 0)
    if times < policy.retries.conflict:
        detail = f"conflicts with the target in {paths}{theirs}; keep what that is for, too"
        return Failure(reason="conflict", detail=detail, charged=False)
    owner = task.spec.owner or person
    detail = (
        f"conflicts with the target in {paths}{theirs}; {times} attempts on new bases did not "
        f"help, {owner} decides: its side is kept, {misfit.onto[:12]} is the target's"
    )
    return Failure(reason="conflict", detail=detail, charged=False, block=True)


def _some(parts: Sequence[str], separator: str = ", ") -> str:
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    shown = (part.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for part in parts)
    return separator.join(list(shown)[:_SHOWN]) + more
