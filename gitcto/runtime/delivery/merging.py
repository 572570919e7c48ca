"""Merging one attempt's work with a tip of the target, as policy's merge resolvers do."""

from __future__ import annotations

from gitcto.containment import Crashed, TimedOut
from gitcto.contracts import MergeRequest, MergeResult
from gitcto.git.objects import Commit
from gitcto.model.records import Execution
from gitcto.runtime.host.ask import ask
from gitcto.runtime.host.context import Context

MERGE_DEADLINE_S = 300.0
"""How long one merge resolver may take (seconds)."""


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


def tree_of(context: Context, commit: str) -> str:
    """Return the tree of a commit."""
    return Commit.decode(context.objects.read(commit)[1]).tree
