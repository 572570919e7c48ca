"""Judging one attempt on one tip of the target: merge, gates on the merged tree, evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gitcto.containment import Crashed, TimedOut
from gitcto.contracts import MergeRequest, MergeResult
from gitcto.git.change_id import change_id
from gitcto.git.objects import Commit
from gitcto.git.trees import changes
from gitcto.model.records import Execution, Task
from gitcto.runtime.ask import ask
from gitcto.runtime.candidate import Candidate
from gitcto.runtime.commits import landing_commit
from gitcto.runtime.context import Context
from gitcto.runtime.evidence import bundle_or_why
from gitcto.runtime.gates import Judged, Known, judge_change, judge_tree
from gitcto.runtime.jobs import Post
from gitcto.runtime.messages import Validated

MERGE_DEADLINE_S = 300.0
"""How long one merge resolver may take (seconds)."""


def validate(
    context: Context, task: Task, execution: Execution, onto: str, known: Known
) -> Callable[[Post], None]:
    """Return the job that judges an execution's work on the target's tip ``onto``."""

    def job(post: Post) -> None:
        post(judge(context, task, execution, onto, known))

    return job


def judge(context: Context, task: Task, execution: Execution, onto: str, known: Known) -> Validated:
    """Merge, run the tier's gates on the merged tree, and write evidence and landing commit."""
    merged = merge(context, execution, onto)
    if not merged.tree:
        return Validated(
            execution=execution, onto=onto, conflicts=merged.conflicts, detail=merged.detail
        )
    before = _tree_of(context, onto)
    changed = changes(context.git, before, merged.tree)
    candidate = Candidate(
        task=task,
        execution=execution,
        onto=onto,
        tree=merged.tree,
        changes=changed,
        change=change_id(context.git, before, merged.tree, changed),
    )
    judged = judge_change(context, candidate, known)
    if all(one.verdict.status == "pass" for one in judged):
        judged += judge_tree(context, [candidate], known, {})
    said = Validated(
        execution=execution,
        onto=onto,
        tree=merged.tree,
        verdicts=tuple(one.verdict for one in judged),
        change=candidate.change,
    )
    return _proved(context, candidate, judged, said)


def _proved(
    context: Context, candidate: Candidate, judged: list[Judged], said: Validated
) -> Validated:
    """Add evidence and, when everything is green, the commit that would land."""
    evidence, why = bundle_or_why(context, candidate, judged)
    if why:
        return replace(said, unwritten=why)
    green = judged and all(one.verdict.status == "pass" for one in judged)
    commit = landing_commit(context, candidate, evidence) if green else ""
    return replace(said, evidence=evidence, commit=commit)


def merge(context: Context, execution: Execution, onto: str) -> MergeResult:
    """Ask policy's merge resolvers in turn; the first tree wins, else the last conflict counts."""
    if onto == execution.base:
        return MergeResult(tree=execution.tree)
    request = MergeRequest(git=context.git, base=execution.base, ours=onto, theirs=execution.work)
    result = MergeResult(detail="policy names no merge resolver")
    for name in context.policy.merge_resolvers:
        registered = context.plugins.merge_resolvers().get(name)
        if registered is None:
            result = MergeResult(detail=f"no plugin provides the merge resolver {name!r}")
            continue
        answer: MergeResult | Crashed | TimedOut = ask(
            context.plugins, registered, "merge", request, deadline_s=MERGE_DEADLINE_S
        )
        if isinstance(answer, Crashed | TimedOut):
            result = MergeResult(detail=f"{answer.what}: {answer.reason}")
            continue
        result = answer
        if answer.tree:
            break
    return result


def _tree_of(context: Context, commit: str) -> str:
    return Commit.decode(context.objects.read(commit)[1]).tree
