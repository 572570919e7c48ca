"""The one write path: what it records, in which order, and what a kill leaves of it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gitcto.errors import CtoError
from gitcto.git.lock import exclusive
from gitcto.git.objects import Objects
from gitcto.git.refs import Refs
from gitcto.git.repository import Repository
from gitcto.model import commands as cmd
from gitcto.model.records import TaskSpec, TaskState, TeamMode
from gitcto.model.state import fold
from gitcto.store.chain import LedgerForked, teams
from gitcto.store.ledger import Ledger, NewerLedger, Recorded
from gitcto.store.sidecar import lock_path
from tests.store.conftest import Died, TestEffects, begin, git, lease, recorded

POINTS = ("ledger.object", "ledger.ref", "ledger.sidecar")
PAUSE = cmd.SetMode(mode=TeamMode.PAUSED)
RESUME = cmd.SetMode(mode=TeamMode.RUNNING)


def test_a_ledger_is_not_there_before_its_first_event(open_ledger, repository) -> None:
    ledger = open_ledger()
    assert not ledger.exists()
    assert ledger.tip() is None
    assert teams(repository) == []
    assert not repository.cto_dir.exists()
    outcome = ledger.transact(PAUSE)
    assert isinstance(outcome, cmd.Refusal)
    assert not ledger.exists()


def test_a_transaction_is_one_commit_that_a_person_and_a_program_can_read(
    ledger: Ledger, repository: Repository
) -> None:
    assert git(repository, "log", "--format=%s", ledger.ref).splitlines() == [
        "plan plan.toml: 3 tasks",
        "team demo created, landing on cto/demo/integration",
    ]
    body = git(repository, "log", "-1", "--format=%b", ledger.ref).splitlines()
    assert [json.loads(line)["body"]["kind"] for line in body] == [
        "plan.imported",
        "task.added",
        "task.added",
        "task.added",
    ]
    assert git(repository, "log", "-1", "--format=%an <%ae> %T", ledger.ref) == (
        f"git-cto <git-cto@localhost> {repository.empty_tree}"
    )
    assert git(repository, "rev-list", "--parents", ledger.ref).split()[2:] == [
        git(repository, "rev-parse", f"{ledger.ref}~1")
    ]
    assert git(repository, "fsck", "--strict") == ""
    assert teams(repository) == ["demo"]


def test_what_is_recorded_is_returned_and_stored(ledger: Ledger) -> None:
    outcome = recorded(ledger.transact(lease("T1", "x1")))
    assert [event.kind for event in outcome.events] == ["execution.leased"]
    assert {type(record).__name__ for record in outcome.records} == {"Team", "Task", "Execution"}
    assert outcome.tip == ledger.tip()
    view = ledger.view()
    task = view.task("T1")
    assert task is not None
    assert task in outcome.records
    assert task.state is TaskState.DISPATCHING
    assert [x.id for x in view.live()] == ["x1"]
    assert list(view.dependents("T1")) == ["T3"]
    assert view.team is not None
    assert view.team.counts == {"queued": 2, "dispatching": 1}


def test_the_stored_state_is_the_fold_of_the_stored_events(ledger: Ledger) -> None:
    for command in (lease("T1", "x1"), lease("T2", "x2"), PAUSE, RESUME):
        recorded(ledger.transact(command))
    state = fold(stored.event for stored in ledger.events())
    assert list(ledger.load().records()) == list(state.records())


def test_a_refusal_and_a_repetition_write_nothing(ledger: Ledger) -> None:
    tip = ledger.tip()
    assert isinstance(ledger.transact(lease("T3", "x1")), cmd.Refusal)
    nothing = Recorded(events=(), records=(), tip=tip, seq=5)
    assert recorded(ledger.transact(RESUME)) == nothing
    assert ledger.tip() == tip


def test_dates_never_go_backwards(ledger: Ledger, effects: TestEffects, repository) -> None:
    effects.clock -= 3_600_000
    recorded(ledger.transact(PAUSE))
    dates = [int(d) for d in git(repository, "log", "--format=%ct", ledger.ref).split()]
    assert dates == sorted(dates, reverse=True)
    assert ledger.verify_chain() == []


def test_attachments_are_in_the_tree_of_their_commit(ledger: Ledger, repository) -> None:
    objects = Objects(repository)
    policy = objects.write_blob(b"max_workers = 3\n")
    evidence = objects.write_tree([("100644", "report.json", objects.write_blob(b"{}"))])
    recorded(ledger.transact(PAUSE, {"policy.toml": policy, "evidence/x1": evidence}))
    listed = git(repository, "ls-tree", "-r", "--name-only", ledger.ref).splitlines()
    assert listed == ["evidence/x1/report.json", "policy.toml"]
    assert git(repository, "fsck", "--strict") == ""


def test_an_attachment_that_does_not_exist_stops_the_transaction(ledger: Ledger) -> None:
    tip = ledger.tip()
    with pytest.raises(CtoError, match="missing"):
        ledger.transact(PAUSE, {"policy.toml": "1" * 40})
    assert ledger.tip() == tip


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("when", ["first", "later"])
def test_dying_at_any_point_leaves_all_of_a_transaction_or_nothing(
    open_ledger: Callable[..., Ledger], effects: TestEffects, point: str, when: str
) -> None:
    ledger = open_ledger()
    command: cmd.Command = cmd.CreateTeam(team="demo", target="refs/heads/x")
    if when == "later":
        begin(ledger)
        command = PAUSE
    before = [stored.event.id for stored in ledger.events()]
    effects.die_at = point
    with pytest.raises(Died):
        ledger.transact(command)
    ledger.close()

    again = open_ledger(using=TestEffects(seed=2))
    after = [stored.event.id for stored in again.events()]
    assert len(after) == len(before) + (point != "ledger.object")
    outcome = again.transact(command)
    if point == "ledger.object":
        assert len(recorded(outcome).events) == 1
    else:
        assert isinstance(outcome, cmd.Refusal) or outcome.events == ()
    assert again.verify_chain() == []
    dump = again.sidecar().dump()
    again.rebuild()
    assert again.sidecar().dump() == dump


def test_the_steps_come_in_the_one_safe_order(ledger: Ledger, effects: TestEffects) -> None:
    effects.passed.clear()
    recorded(ledger.transact(PAUSE))
    assert tuple(effects.passed) == POINTS


def test_a_ref_moved_by_a_stranger_is_followed_and_decided_on_again(
    ledger: Ledger, open_ledger: Callable[..., Ledger], effects: TestEffects, repository
) -> None:
    """The stranger's commit arrives between our look at the ref and our swap of it."""
    other = open_ledger(using=TestEffects(seed=9))
    base = ledger.tip()
    theirs = recorded(other.transact(lease("T1", "theirs")))
    assert Refs(repository).compare_and_swap(ledger.ref, str(theirs.tip), str(base))
    (repository.cto_dir / "sidecar.db").unlink()

    def at_object(name: str) -> None:
        if name == "ledger.object" and ledger.tip() == base:
            assert Refs(repository).compare_and_swap(ledger.ref, base, str(theirs.tip))

    effects.crash_point = at_object  # type: ignore[method-assign]
    outcome = ledger.transact(lease("T1", "ours"))
    assert isinstance(outcome, cmd.Refusal)
    assert outcome.code == "not_queued"
    assert ledger.tip() == theirs.tip


def test_catching_up_tells_what_others_changed_and_only_once(
    ledger: Ledger, open_ledger: Callable[..., Ledger]
) -> None:
    state = ledger.load()
    assert ledger.catch_up() == ()
    other = open_ledger(using=TestEffects(seed=9))
    recorded(other.transact(lease("T2", "x2")))
    assert {getattr(r, "id", "") for r in ledger.catch_up()} == {"", "x2"}
    assert ledger.catch_up() == ()
    state.put(recorded(ledger.transact(lease("T1", "x1"))).records)
    assert ledger.catch_up() == ()
    recorded(other.transact(PAUSE))
    recorded(ledger.transact(RESUME))
    ledger.load(state)
    assert list(open_ledger().load().records()) != []
    assert {r.id for r in state.live()} == {"x1"}


def test_a_forked_ledger_is_refused_with_the_way_back(ledger: Ledger, repository) -> None:
    tip = str(ledger.tip())
    recorded(ledger.transact(PAUSE))
    lost = str(ledger.tip())
    git(repository, "update-ref", ledger.ref, tip)
    for action in (ledger.catch_up, ledger.summary, lambda: ledger.transact(RESUME)):
        with pytest.raises(LedgerForked) as error:
            action()
        assert f"git update-ref {ledger.ref} {lost}" in error.value.hint
    git(repository, "update-ref", ledger.ref, lost)
    assert isinstance(ledger.transact(RESUME), Recorded)


@pytest.mark.parametrize("back", [1, 70])
def test_a_long_ledger_set_back_or_rewritten_is_refused_at_any_distance(
    ledger: Ledger, repository: Repository, back: int
) -> None:
    for number in range(140):
        recorded(ledger.transact((PAUSE, RESUME)[number % 2]))
    seen = str(ledger.tip())
    older = git(repository, "rev-parse", f"{ledger.ref}~{back}")
    tree = git(repository, "rev-parse", f"{seen}^{{tree}}")
    message = git(repository, "log", "-1", "--format=%B", seen)
    branched = older
    for _ in range(70):
        branched = git(repository, "commit-tree", tree, "-p", branched, "-m", message)
    for other in (older, branched):
        git(repository, "update-ref", ledger.ref, other)
        with pytest.raises(LedgerForked):
            ledger.summary()
    git(repository, "update-ref", ledger.ref, seen)
    assert ledger.summary().cursor.tip == seen


def test_a_ledger_that_vanished_is_refused_too(ledger: Ledger, repository) -> None:
    git(repository, "update-ref", "-d", ledger.ref)
    with pytest.raises(LedgerForked, match="is gone"):
        ledger.transact(cmd.CreateTeam(team="demo", target="refs/heads/x"))
    assert ledger.tip() is None


def test_two_teams_share_a_sidecar_and_nothing_else(
    ledger: Ledger, open_ledger: Callable[..., Ledger], repository
) -> None:
    other = open_ledger(team="other")
    begin(other)
    recorded(other.transact(lease("T1", "x1")))
    assert ledger.load().live() != other.load().live()
    assert teams(repository) == ["demo", "other"]
    dump = other.sidecar().dump()
    ledger.rebuild()
    assert other.sidecar().dump() == dump


def test_unknown_events_are_kept_and_shown_and_stop_every_change(
    ledger: Ledger, repository, open_ledger: Callable[..., Ledger]
) -> None:
    last = list(ledger.events())[-1]
    append_by_hand(repository, ledger, future_event(last.line, task="T1"))
    reader = open_ledger(using=TestEffects(seed=2))
    shown = list(reader.events(task="T1"))[-1]
    assert (shown.event.kind, shown.seq) == ("task.teleported", last.seq + 1)
    view = reader.view()
    assert view.team is not None
    assert view.team.unknown == 1
    with pytest.raises(NewerLedger, match="written by a newer git-cto"):
        reader.transact(PAUSE)
    assert reader.verify_chain() == []


def test_a_first_event_of_the_future_stops_every_change_too(
    open_ledger: Callable[..., Ledger], repository
) -> None:
    ledger = open_ledger()
    append_by_hand(repository, ledger, future_event(b"", task=""))
    with pytest.raises(NewerLedger):
        ledger.transact(cmd.CreateTeam(team="demo", target="refs/heads/x"))


def test_old_versions_are_upcast_after_the_reader_learned_how(
    ledger: Ledger, repository, open_ledger: Callable[..., Ledger], monkeypatch
) -> None:
    """The sidecar is built again by itself when this git-cto understands more than the last."""
    from gitcto.model import codec

    line = json.loads(future_event(list(ledger.events())[-1].line, task=""))
    line |= {"v": 0, "body": {"kind": "team.mode_changed", "paused": True}}
    append_by_hand(repository, ledger, json.dumps(line, sort_keys=True).encode())
    before = open_ledger()
    assert before.summary().cursor.unknown == 1
    before.close()
    upcaster = {
        ("team.mode_changed", 0): lambda old: {
            "kind": old["kind"],
            "mode": "paused" if old["paused"] else "running",
        }
    }
    for key, step in upcaster.items():
        monkeypatch.setitem(codec.UPCASTERS, key, step)
    after = open_ledger(using=TestEffects(seed=3)).summary()
    assert after.cursor.unknown == 0
    assert after.team is not None
    assert after.team.mode is TeamMode.PAUSED


@pytest.mark.usefixtures("ledger")
def test_the_lock_of_another_writer_is_waited_for(repository: Repository) -> None:
    import threading

    done = threading.Event()

    def write() -> None:
        with Ledger(repository, "demo", TestEffects(seed=5), "other") as other:
            recorded(other.transact(PAUSE))
        done.set()

    thread = threading.Thread(target=write)
    with exclusive(lock_path(repository)):
        thread.start()
        assert not done.wait(0.2)
    thread.join(10)
    assert done.is_set()


def test_one_big_plan_is_one_commit(ledger: Ledger) -> None:
    specs = tuple(TaskSpec(id=f"B{n}", title="x") for n in range(2_000))
    before = len(list(ledger.events()))
    recorded(ledger.transact(cmd.ImportPlan(source="p", digest="d", tasks=specs)))
    assert len(list(ledger.events())) == before + 2_001
    assert len({stored.commit for stored in ledger.events(after=before)}) == 1
    assert [e.seq for e in ledger.events(newest_first=True, limit=700)][-1] == before + 2_001 - 699


def future_event(previous: bytes, *, task: str) -> bytes:
    from gitcto.model.codec import GENESIS, digest

    line = {
        "actor": "someone",
        "body": {"kind": "task.teleported", "task": task, "where": {"to": [1, 2]}},
        "id": "0" * 26,
        "prev": digest(previous) if previous else GENESIS,
        "ts": 5,
        "v": 7,
    }
    return json.dumps(line, sort_keys=True, separators=(",", ":")).encode()


def append_by_hand(repository: Repository, ledger: Ledger, line: bytes) -> None:
    tree = git(repository, "hash-object", "-t", "tree", "-w", "--stdin")
    parents = ["-p", str(ledger.tip())] if ledger.exists() else []
    message = b"a stranger's subject\n\nand prose\n\n" + line + b"\n"
    commit = git(repository, "commit-tree", tree, *parents, stdin=message)
    git(repository, "update-ref", ledger.ref, commit)
