"""One event at a time or a million at once: the same bytes, and the state of the fold."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gitcto.model import events as ev
from gitcto.model.codec import GENESIS, Event, canonical, decode, digest, seal
from gitcto.model.records import TaskSpec, TaskState, TeamMode
from gitcto.model.state import fold
from gitcto.store import schema
from gitcto.store.commits import LedgerCommit, encode
from gitcto.store.commits import decode as decode_commit
from gitcto.store.projection import Projection
from gitcto.store.view import SidecarView
from tests.store.conftest import ALLOW, LANDING, VERDICT

tasks = st.sampled_from(["A", "B", "C", "D"])
executions = st.sampled_from(["x1", "x2", "x3"])
small = st.integers(0, 3)
text = st.text(max_size=8)


def of(kind: Any, **fields: Any) -> st.SearchStrategy[Any]:
    return st.builds(kind, **fields)


def on(kind: Any, **fields: Any) -> st.SearchStrategy[Any]:
    return of(kind, execution=executions, epoch=small, **fields)


allow, landing, verdict = st.just(ALLOW), st.just(LANDING), st.just(VERDICT)
specs = of(
    TaskSpec,
    id=tasks,
    title=text,
    prompt=text,
    depends_on=st.lists(tasks, max_size=3).map(tuple),
)
bodies: st.SearchStrategy[ev.EventBody] = st.one_of(
    of(ev.PolicyAdopted, digest=text),
    of(ev.TeamModeChanged, mode=st.sampled_from(TeamMode)),
    of(ev.PlanImported, source=text, digest=text, tasks=small),
    of(ev.TaskAdded, task=specs),
    of(ev.TaskBlocked, task=tasks, reason=text, decision=allow),
    of(ev.TaskRequeued, task=tasks),
    on(
        ev.ExecutionLeased,
        task=tasks,
        attempt=small,
        base=text,
        provider=text,
        role=text,
        workspace=text,
        holder=text,
        expires_ms=small,
        decision=allow,
    ),
    on(ev.LeaseRenewed, expires_ms=small),
    on(ev.LeaseTaken, holder=text, expires_ms=small),
    on(ev.ExecutionStarted, pid=small, process_start=text, isolation=text),
    on(ev.ExecutionExited, code=small, cause=text),
    on(ev.WorkHarvested, commit=text, tree=text, changed=small),
    of(ev.WorkPreserved, execution=executions, ref=text, commit=text),
    of(ev.WorkDiscarded, execution=executions, ref=text, commit=text, reason=text),
    on(ev.GateJudged, verdict=verdict),
    on(ev.LandingIntended, landing=landing, decision=allow),
    on(ev.LandingAbandoned, reason=text),
    on(ev.LandingDone, target=text, commit=text, evidence=text, found=text, decision=allow),
    on(
        ev.ExecutionFailed,
        reason=text,
        detail=text,
        charged=st.booleans(),
        then=st.sampled_from([TaskState.QUEUED, TaskState.BLOCKED, TaskState.FAILED_TERMINAL]),
    ),
    of(ev.OutcomeRefused, execution=executions, quoted=small, current=small, command=text),
)
transactions = st.lists(st.lists(bodies, min_size=1, max_size=4), max_size=12)
START: list[ev.EventBody] = [
    ev.TeamCreated(team="demo", target="refs/heads/x"),
    ev.TaskAdded(task=TaskSpec(id="A", title="a")),
    ev.TaskAdded(task=TaskSpec(id="B", title="b", depends_on=("A",))),
]


def leased(execution: str, task: str) -> ev.ExecutionLeased:
    return ev.ExecutionLeased(
        execution=execution,
        task=task,
        epoch=1,
        attempt=1,
        base="b",
        provider="p",
        role="r",
        workspace="clone",
        holder="h",
        expires_ms=9,
        decision=ALLOW,
    )


def commits(history: list[list[ev.EventBody]]) -> list[LedgerCommit]:
    """Return the history as ledger commits, some in a stranger's formatting."""
    ids = iter(range(10_000))
    prev, parent, made = GENESIS, None, []
    for number, transaction in enumerate([START, *history]):
        sealed = seal(
            transaction, prev=prev, actor="t", now_ms=number, new_id=lambda: f"{next(ids):026d}"
        )
        lines = [line for _, line in sealed]
        prev = digest(lines[-1])
        raw = encode(tree="e" * 40, parent=parent, seconds=5, subject="s", lines=lines)
        if number % 3 == 1:
            raw += b"\nprose of a stranger\n"
        parent = f"{number:040d}"
        made.append(decode_commit(parent, "commit", raw))
    return made


def projected(history: list[LedgerCommit], *, flush_every: int) -> sqlite3.Connection:
    db = schema.connect(None)
    schema.create(db)
    projection = Projection(db, "demo")
    for number, commit in enumerate(history, 1):
        projection.apply(commit)
        if number % flush_every == 0:
            projection.flush()
            projection = Projection(db, "demo")
    projection.flush()
    return db


@settings(max_examples=20, deadline=None)
@given(transactions)
def test_any_history_gives_the_same_bytes_however_it_is_applied(
    history: list[list[ev.EventBody]],
) -> None:
    chain = commits(history)
    dumps = []
    for flush_every in (1, 3, 1000):
        with closing(projected(chain, flush_every=flush_every)) as db:
            dumps.append(list(schema.dump(db)))
    assert dumps[1:] == dumps[:1] * 2


@settings(max_examples=20, deadline=None)
@given(transactions)
def test_the_tables_hold_what_folding_in_memory_gives(history: list[list[ev.EventBody]]) -> None:
    chain = commits(history)
    events: list[Event] = [decode(line) for commit in chain for line in commit.lines]
    state = fold(events)
    with closing(projected(chain, flush_every=3)) as db:
        view = SidecarView(db, "demo")
        assert canonical(view.team) == canonical(state.team)
        for task_id, task in state.tasks.items():
            assert view.task(task_id) == task
            assert set(view.dependents(task_id)) == set(state.dependents(task_id))
        for execution_id, execution in state.executions.items():
            assert view.execution(execution_id) == execution
        assert {x.id for x in view.live()} == {x.id for x in state.live()}
        ready = db.execute("SELECT id FROM task WHERE ready = 1 ORDER BY ord").fetchall()
        assert sorted(row[0] for row in ready) == sorted(state.ready)
        assert db.execute("SELECT count(*) FROM event").fetchone() == (len(events),)


def test_a_live_execution_is_seen_before_and_after_it_is_flushed() -> None:
    gone = ev.ExecutionFailed(
        execution="x1", epoch=1, reason="r", detail="", charged=True, then=TaskState.QUEUED
    )
    chain = commits([[leased("x1", "A")], [gone]])
    with closing(projected(chain[:1], flush_every=1)) as db:
        projection = Projection(db, "demo")
        projection.apply(chain[1])
        assert [x.id for x in projection.live()] == ["x1"]
        projection.flush()
        assert [x.id for x in projection.live()] == ["x1"]
        projection.apply(chain[2])
        assert list(projection.live()) == []


def test_executions_stay_in_the_order_they_were_leased() -> None:
    renewed = ev.LeaseRenewed(execution="x9", epoch=1, expires_ms=99)
    chain = commits([[leased("x9", "A")], [leased("x1", "B")], [renewed]])
    for flush_every in (1, 1000):
        with closing(projected(chain, flush_every=flush_every)) as db:
            assert [x.id for x in SidecarView(db, "demo").live()] == ["x9", "x1"]
            assert [x.id for x in Projection(db, "demo").live()] == ["x9", "x1"]
            again = Projection(db, "demo")
            again.execution("x1")
            assert [x.id for x in again.live()] == ["x9", "x1"]
