"""What may be removed, and why: each item is proved safe, or kept with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from gitcto.git.trees import is_ancestor
from gitcto.model.records import LIVE_STATES, Execution
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.layout import execution_of
from gitcto.runtime.workspace.settle import remove, unpin, unreachable_work


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanItem:
    """Something an execution left. ``safe`` items may go, for the reason in ``why``."""

    execution: str
    task: str
    what: str
    safe: bool
    why: str


def leftovers(context: Context) -> tuple[str, ...]:
    """Return the ids of all executions that left a room, records or a pinning ref."""
    prefix = context.layout.execution_prefix
    ids = {execution_of(name.removeprefix(prefix)) for name in context.refs.list(prefix)}
    for place in (context.layout.executions, context.layout.rooms):
        if place.is_dir():
            ids |= {_id_of(path.name) for path in place.iterdir()}
    return tuple(sorted(ids))


def _id_of(name: str) -> str:
    """Return the execution that a directory belongs to, also when its removal was cut short."""
    return execution_of(name.removeprefix("."))


def plan(context: Context) -> list[CleanItem]:
    """Look at everything that was left and say of each whether it may go. Removes nothing."""
    return [_judge(context, execution_id) for execution_id in leftovers(context)]


def apply(context: Context, items: list[CleanItem]) -> list[CleanItem]:
    """Remove the safe items; return those that could not be removed, with the reason."""
    kept = []
    for item in items:
        execution = context.ledger.view().execution(item.execution)
        if not item.safe:
            continue
        if execution is None:
            _drop_ref(context, item.execution)
            continue
        unpin(context, execution)
        problem = remove(context, execution)
        if problem:
            kept.append(
                CleanItem(
                    execution=item.execution,
                    task=item.task,
                    what=item.what,
                    safe=False,
                    why=problem,
                )
            )
    return kept


def _judge(context: Context, execution_id: str) -> CleanItem:
    execution = context.ledger.view().execution(execution_id)
    what = _what(context, execution_id)
    if execution is None:
        safe, why = _of_nobody(context, execution_id)
        return CleanItem(execution=execution_id, task="", what=what, safe=safe, why=why)
    safe, why = _verdict(context, execution)
    return CleanItem(execution=execution_id, task=execution.task, what=what, safe=safe, why=why)


def _of_nobody(context: Context, execution_id: str) -> tuple[bool, str]:
    """Judge what belongs to no attempt of the ledger: a ref may go whose commit others hold."""
    layout, team = context.layout, context.ledger.view().team
    if team is not None and execution_id in {*team.asked, *team.drafts}:
        return False, "it is of a draft; `git cto run` takes that up and clears this away"
    for place in (layout.place(execution_id), layout.records(execution_id)):
        if place.exists():
            return False, f"the ledger knows no such execution; look at {place}, and remove it then"
    held = context.refs.read(layout.execution_ref(execution_id))
    holder = _holder(context, held) if held else ""
    if holder:
        return True, f"the ledger knows no such execution, and {holder} holds its commit"
    return False, "the ledger knows no such execution, and nothing else holds its commit"


def _holder(context: Context, commit: str) -> str:
    """Return a ref that keeps a commit without its own: the target, or one for kept work."""
    team = context.ledger.view().team
    target = [team.target] if team else []
    for name in (*target, *context.refs.list(context.layout.preserved_prefix)):
        tip = context.refs.read(name)
        if tip is not None and is_ancestor(context.git, commit, tip):
            return name
    return ""


def _drop_ref(context: Context, execution_id: str) -> None:
    ref = context.layout.execution_ref(execution_id)
    held = context.refs.read(ref)
    if held is not None and _holder(context, held):
        context.refs.delete(ref, held)


def _verdict(context: Context, execution: Execution) -> tuple[bool, str]:
    if execution.state in LIVE_STATES:
        return False, f"it is {execution.state}; `git cto run` goes on with it"
    task = context.ledger.view().task(execution.task)
    if task is None:
        return False, "its task is unknown"
    problem = unreachable_work(context, task, execution)
    if problem:
        return False, problem
    if execution.preserved:
        return True, f"its work is kept under {execution.preserved}"
    return True, "landed" if execution.state == "done" else "it holds no work"


def _what(context: Context, execution_id: str) -> str:
    layout = context.layout
    parts = [
        name
        for name, there in (
            ("room", layout.room(execution_id).exists()),
            ("records", layout.records(execution_id).exists()),
            ("ref", context.refs.read(layout.execution_ref(execution_id)) is not None),
        )
        if there
    ]
    return " and ".join(parts) or "directory"
