"""What is wrong with a drafted plan under a policy and beside the tasks that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gitcto.globs import covers
from gitcto.model.plan import validate
from gitcto.model.records import TaskSpec
from gitcto.policy.records import Policy
from gitcto.strategies.drafting import Drafted

MAX_PROBLEMS = 100
"""Most problems that are kept of one draft."""

_WILD = "*?/"


def problems_of(policy: Policy, drafted: Drafted, existing: Collection[str]) -> tuple[str, ...]:
    """Return everything that keeps a draft from being approved, one line each."""
    found = [*drafted.problems]
    if drafted.tasks or not found:
        found += [
            f"{error.task}: {error.message}" if error.task else error.message
            for error in validate(drafted.tasks, existing)
        ]
    most = policy.plans.max_tasks
    if len(drafted.tasks) > most:
        found.append(f"{len(drafted.tasks)} tasks; policy allows {most} in one plan")
    for task in drafted.tasks:
        found.extend(f"{task.id}: {problem}" for problem in _of_task(policy, task))
    lines = (_line(problem) for problem in dict.fromkeys(found))
    return tuple(lines)[:MAX_PROBLEMS]


def _of_task(policy: Policy, task: TaskSpec) -> Iterator[str]:
    if task.role not in policy.roles:
        yield f"policy has no role {task.role!a}"
    if not task.prompt.strip():
        yield "it has no prompt"
    if not task.paths:
        yield "it does not say which paths it may change"
    for path in task.paths:
        if path.removeprefix("./").strip(_WILD) in {"", "."}:
            yield f"{path!a} is the whole repository; say which paths it may change"
        elif any(covers(each.casefold(), path.casefold()) for each in policy.protected_paths):
            yield f"{path!a} is protected by policy"
    if not policy.tiers.get(task.tier):
        yield f"policy has no gates for tier {task.tier}, so it could never land"


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)[:300]
