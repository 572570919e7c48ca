"""What the next run makes of what the last one left: one step for each execution. Pure.

A run carries out exactly these steps before it does anything else, and ``git cto resume`` shows
them: both ask :func:`plan`, so that what is announced is what is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from gitcto.model.lease_rules import FENCED, newer
from gitcto.model.records import Execution, Landing, Task, TaskState
from gitcto.model.view import StateView

Action = Literal[
    "readopt",
    "take_up",
    "reclaim",
    "retry",
    "judge",
    "move",
    "confirm",
    "rewritten",
    "await_late",
    "settle",
    "leave",
    "give_up",
    "unknown",
    "draft",
]


class Seen(Struct, frozen=True, kw_only=True):
    """What this machine shows of one execution.

    ``supervised`` is whether its supervisor holds its lock, ``started`` whether one recorded that
    its worker began, ``ended`` how it ended if that is recorded. ``landed`` is the target's commit
    of it: the intended one, another, or nothing.
    """

    supervised: bool = False
    started: bool = False
    ended: str = ""
    landed: str = ""


class Step(Struct, frozen=True, kw_only=True):
    """What is done about one execution, and why; ``keeps`` says where its work is meanwhile."""

    action: Action
    task: str
    execution: str
    why: str
    keeps: str = ""


class Left(Struct, frozen=True, kw_only=True):
    """Everything a run finds: what it may continue, what it may not, and what ended ones left.

    ``theirs`` are live executions of other clones, ``ended`` those that are over and left something
    here, ``drafts`` the plans that agents were asked for, ``unknown`` what no ledger of this team
    knows.
    """

    ours: tuple[Execution, ...] = ()
    theirs: tuple[Execution, ...] = ()
    ended: tuple[Execution, ...] = ()
    drafts: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def plan(
    view: StateView, left: Left, seen: Mapping[str, Seen], lapsed_ms: int, *, adopt_late: bool
) -> tuple[Step, ...]:
    """Return the steps, in the order in which a run takes them.

    A lease of another clone that ended before ``lapsed_ms`` is given up. ``adopt_late`` is whether
    policy lets late work be judged.
    """
    nothing = Seen()
    ours = sorted(left.ours, key=lambda x: (x.leased_ms, x.id))
    steps = [_unknown(each) for each in left.unknown]
    steps += [_draft(each, seen.get(each, nothing)) for each in left.drafts]
    steps += [_ended(view, x, seen.get(x.id, nothing), adopt_late=adopt_late) for x in left.ended]
    steps += [step for x in ours if (step := _landing(x, ours, seen)) is not None]
    steps += [
        _live(x, seen.get(x.id, nothing)) for x in ours if x.state is not TaskState.INTEGRATING
    ]
    steps += [_theirs(x, lapsed_ms) for x in left.theirs]
    return tuple(steps)


def _unknown(execution: str) -> Step:
    why = "no attempt of this team's ledger; `git cto doctor` says more"
    return Step(action="unknown", task="", execution=execution, why=why, keeps="it stays as it is")


def _draft(draft: str, seen: Seen) -> Step:
    why = "an agent was asked for a plan; what it said is kept as a draft, its room goes"
    if seen.supervised:
        why = "an agent is at work on a plan; it is taken up once that has ended"
    return Step(action="draft", task="", execution=draft, why=why, keeps="in its room")


def _ended(view: StateView, x: Execution, seen: Seen, *, adopt_late: bool) -> Step:
    task = view.task(x.task)
    if task is not None and _is_late(x, seen):
        return _late(view, x, task, seen, adopt_late=adopt_late)
    if x.state is TaskState.DONE:
        return _step("settle", x, "it landed; what it left is cleared away", "on the target")
    kept = x.preserved or "a preserved ref, first"
    return _step("settle", x, f"it ended ({x.reason}); what it left is cleared away", kept)


def _is_late(x: Execution, seen: Seen) -> bool:
    return x.reason in FENCED and not x.late and (seen.supervised or seen.ended == "exited")


def _late(view: StateView, x: Execution, task: Task, seen: Seen, *, adopt_late: bool) -> Step:
    _, detail = newer(view, x, task)
    if detail:
        then = f"it is kept and not judged: {detail}"
    elif not adopt_late:
        then = "it is kept and not judged: policy adopts no late work"
    else:
        then = "if it is whole, it is judged as a new attempt"
    what = "its worker is alive" if seen.supervised else "its worker has ended"
    return _step("await_late", x, f"its lease was taken ({x.reason}), {what}; {then}", "its room")


def _landing(x: Execution, ours: Iterable[Execution], seen: Mapping[str, Seen]) -> Step | None:
    if x.landing is None or x.state is not TaskState.INTEGRATING:
        return None
    found = fate(x.landing, [each for each in ours if _same(each, x.landing)], seen)
    branch = x.landing.target.removeprefix("refs/heads/")
    match found:
        case "confirm":
            return _step("confirm", x, f"{branch} holds it; that is recorded", "on the target")
        case "rewritten":
            why = f"somebody rewrote it on {branch}; a person must look"
            return _step("rewritten", x, why, "a preserved ref, first")
    return _step("move", x, f"its landing was intended, {branch} has not moved; it is", "its ref")


def fate(
    landing: Landing, group: Iterable[Execution], seen: Mapping[str, Seen]
) -> Literal["confirm", "rewritten", "move"]:
    """Return what became of a landing's swap, which is one for all executions of its group."""
    commits = [seen[x.id].landed if x.id in seen else "" for x in group]
    if any(commit not in {"", landing.new} for commit in commits):
        return "rewritten"
    return "confirm" if commits and all(commits) else "move"


def _same(x: Execution, landing: Landing) -> bool:
    return x.landing is not None and x.landing.new == landing.new


def _live(x: Execution, seen: Seen) -> Step:
    if x.state is TaskState.VALIDATING:
        return _step("judge", x, "its work was taken up; it is judged", "its ref")
    if x.state is TaskState.DISPATCHING and not seen.started:
        return _step("retry", x, "its worker had not started; it is tried again", "no work yet")
    if len(x.steps) > 1 and not (seen.started or seen.supervised or seen.ended):
        return _step("retry", x, f"{x.steps[-1].name} had not begun; it is begun", "its room")
    if seen.ended:
        why = f"its worker ended ({seen.ended}) while nobody looked; its work is taken up"
        if x.steps and not x.exit and not any(step.runs for step in x.steps):
            why = f"its step {x.steps[-1].name} has ended; it goes on as its strategy says"
        return _step("take_up", x, why, "its room")
    if seen.supervised:
        return _step("readopt", x, "its worker is alive; it is waited for", "its room")
    why = "its supervisor is gone; what is left of its worker is ended and its work taken up"
    return _step("reclaim", x, why, "its room")


def _theirs(x: Execution, lapsed_ms: int) -> Step:
    if x.expires_ms < lapsed_ms:
        why = f"the lease of {x.holder} is over; it is tried again here"
        return _step("give_up", x, why, "on that machine")
    return _step("leave", x, f"{x.holder} holds it", "on that machine")


def _step(action: Action, x: Execution, why: str, keeps: str) -> Step:
    return Step(action=action, task=x.task, execution=x.id, why=why, keeps=keeps)
