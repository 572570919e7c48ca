"""``git cto queue why``: what a task that has not landed waits for, or why it was sent back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from gitcto.cli.options import json_option, pass_app, team_option
from gitcto.cli.output import visible
from gitcto.cli.queue_view import ASKS_TO_LAND, Waiting, log_of, look, plain, plain_run
from gitcto.cli.wording import NEEDS_A_PERSON
from gitcto.model.queue_events import QueueLeft
from gitcto.model.records import TaskState
from gitcto.queue.explain import Judgement, judgements
from gitcto.runtime.core.reproduce import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.cli.app import App
    from gitcto.model.records import Execution, Task, Verdict
    from gitcto.policy.records import Policy
    from gitcto.store.reader import LedgerReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A change that left without landing: by which rule, on which base, and how to see it again.

    ``how`` is ``rejected`` or ``ejected``, or ``failed`` when its attempt ended without either;
    ``runs`` are those that showed it.
    """

    execution: Execution
    how: str
    invariant: str
    detail: str
    runs: tuple[Judgement, ...]
    failing: tuple[str, ...]
    base: str
    tree: str
    reproduce: str


@click.command()
@click.argument("task")
@team_option
@json_option
@pass_app
def why(app: App, task: str, *, team: str | None, as_json: bool) -> None:
    """Show why TASK has not landed.

    For a change that waits: its position, what it waits for, what is missing, what was said of it
    last, and in how long it may land. For one that was sent back: the gate and its reason, the
    failing tests, the base it was judged on, and one command that shows the failure again.
    """
    from gitcto.cli.requests import known_policy

    name = app.team(team)
    policy = known_policy(app, name)
    with app.reader(name) as reader:
        found = app.task(reader, task)
        waits, places = _waiting(app, reader, policy, found)
        sent = None if waits or found.state is TaskState.DONE else _sent(reader, policy, found)
    if as_json:
        app.output.json(
            {
                "task": task,
                "state": found.state.value,
                "commit": found.commit,
                "waiting": plain(waits) if waits else None,
                "left": _plain_sent(sent) if sent else None,
            }
        )
        return
    for label, value in _lines(found, waits, sent, places):
        app.output.data(f"{label:<10} {visible(value)}".rstrip())
    if found.state in NEEDS_A_PERSON:
        app.output.hint(f"go on with `git cto retry {visible(task)}`")


def _waiting(
    app: App, reader: LedgerReader, policy: Policy, task: Task
) -> tuple[Waiting | None, int]:
    """Return a task's change if it waits, and how many have a place in the queue."""
    if task.state not in ASKS_TO_LAND:
        return None, 0
    view = look(app, reader, policy)
    mine = next((row for row in view.waiting if row.task.spec.id == task.spec.id), None)
    return mine, len(view.situation.order)


def _lines(
    task: Task, waits: Waiting | None, sent: Sent | None, places: int
) -> Iterator[tuple[str, str]]:
    from gitcto.cli.queue import about
    from gitcto.cli.wording import state
    from gitcto.cli.wording import why as why_recorded

    yield "task", f"{task.spec.id}: {task.spec.title}"
    yield "state", state(task)
    if waits is not None:
        yield "position", f"{waits.position} of {places}" if waits.position else "none yet"
        yield "waits for", waits.waits_for
        yield "missing", ", ".join(waits.missing) or "nothing"
        yield "last", waits.said or "nothing was judged yet"
        yield from (("failing", test) for test in (waits.last.tests if waits.last else ()))
        yield "evidence", waits.evidence or "none yet"
        yield "lands in", about(waits.estimate_ms)
    elif task.state is TaskState.DONE:
        yield "landed as", task.commit
        yield "evidence", task.evidence
    elif sent is None and task.state in NEEDS_A_PERSON:
        yield "stopped", why_recorded(task)
    elif sent is None:
        yield "waits for", _before(task)
    if sent is not None:
        yield from _lines_sent(sent)


def _before(task: Task) -> str:
    if task.state is TaskState.QUEUED:
        count = task.waiting_for
        tasks = f"{count} {'task' if count == 1 else 'tasks'} that it depends on"
        return f"{tasks if count else 'a worker'}; it asks to land once a worker has done it"
    if task.state is TaskState.EXECUTING:
        return "its worker; it asks to land once that has ended"
    return "a worker"


def _lines_sent(sent: Sent) -> Iterator[tuple[str, str]]:
    numbers = ", ".join(str(one.run.number) for one in sent.runs)
    shown = f", as {'runs' if len(sent.runs) > 1 else 'run'} {numbers} showed" if numbers else ""
    yield "left", f"attempt {sent.execution.attempt} was {sent.how}{shown}"
    yield "invariant", sent.invariant
    if sent.detail:
        yield "detail", sent.detail
    yield from (("failing", test) for test in sent.failing)
    yield "base", sent.base
    if sent.tree:
        yield "tree", sent.tree
    if sent.execution.evidence:
        yield "evidence", sent.execution.evidence
    if sent.execution.preserved:
        yield "work", sent.execution.preserved
    if sent.reproduce:
        yield "reproduce", sent.reproduce


def _sent(reader: LedgerReader, policy: Policy, task: Task) -> Sent | None:
    """Return how the last attempt that asked to land left, or None when none did."""
    for x in reversed(reader.executions(task.spec.id)):
        if x.state is TaskState.FAILED and (x.verdicts or x.place):
            return _sent_back(reader, policy, x)
    return None


def _sent_back(reader: LedgerReader, policy: Policy, x: Execution) -> Sent:
    left, runs = _left(reader, x)
    red = next((verdict for verdict in x.verdicts if verdict.status != "pass"), None)
    shown = [one for one in runs if one.tree]
    tree = shown[-1].tree if shown else (red.tree if red else "")
    base = shown[-1].onto if shown else (_onto(reader, x) or x.base)
    refused = Refused(tree=tree, onto=base, work=x.work)
    failing = dict.fromkeys(test for one in runs for test in one.tests)
    return Sent(
        execution=x,
        how=left.how if left else "failed",
        invariant=_invariant(x, red, left),
        detail=red.detail if red else x.detail,
        runs=runs,
        failing=(red.failed if red else ()) or tuple(failing),
        base=base,
        tree=tree,
        reproduce=_reproduce(reader, policy, red, refused) if red and tree else "",
    )


def _invariant(x: Execution, red: Verdict | None, left: QueueLeft | None) -> str:
    if red is not None:
        return f"{red.gate}:{red.reason}"
    return left.reason if left else x.reason


def _left(reader: LedgerReader, x: Execution) -> tuple[QueueLeft | None, tuple[Judgement, ...]]:
    for stored in reader.events(task=x.task, newest_first=True):
        body = stored.event.body
        if isinstance(body, QueueLeft) and body.execution == x.id:
            known = judgements(log_of(reader, before=stored.seq))
            return body, tuple(known[number] for number in body.runs if number in known)
    return None, ()


def _onto(reader: LedgerReader, x: Execution) -> str:
    """Return what the evidence of an attempt says it was judged on."""
    import json

    from gitcto.errors import CtoError
    from gitcto.git.objects import Objects
    from gitcto.store import bundle

    try:
        report = json.loads(bundle.read_file(Objects(reader.repository), x.evidence, "report.json"))
        return str(report.get("onto", "")) if isinstance(report, dict) else ""
    except (CtoError, ValueError):
        return ""


def _reproduce(reader: LedgerReader, policy: Policy, red: Verdict, one: Refused) -> str:
    from gitcto.errors import CtoError
    from gitcto.git.objects import Objects
    from gitcto.runtime.core.reproduce import argv_of, reproduction

    try:
        Objects(reader.repository).read(one.tree)
        present = True
    except CtoError:
        present = False
    return reproduction(one, argv_of(policy, red.gate), present=present)


def _plain_sent(sent: Sent) -> dict[str, Any]:
    return {
        "execution": sent.execution.id,
        "attempt": sent.execution.attempt,
        "how": sent.how,
        "invariant": sent.invariant,
        "detail": sent.detail,
        "runs": [plain_run(one) for one in sent.runs],
        "failing": list(sent.failing),
        "base": sent.base,
        "tree": sent.tree,
        "evidence": sent.execution.evidence,
        "preserved": sent.execution.preserved,
        "reproduce": sent.reproduce,
    }
