"""Each invariant holds of a sound ledger and is broken by a spoiled one: a check that can fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from gitcto.model import effect_events as fx
from gitcto.model import events as ev
from gitcto.model import queue_events as qe
from gitcto.model.codec import VERSIONS, Event, decode
from gitcto.model.outside_events import OutsideChanged
from gitcto.model.records import TaskSpec, TaskState
from gitcto.testing.invariants import Bounds, Observed, TargetCommit, check
from tests.testing.invariants.stories import (
    HOLDER,
    SECOND,
    Spoil,
    Story,
    after,
    allowed,
    begun,
    changed,
    done,
    events,
    failed,
    found,
    history,
    intended,
    judged,
    landing,
    leased,
    names,
    step_begun,
    step_over,
    story,
    without,
    worked,
)

pytestmark = pytest.mark.timeout(60)
INTENT = fx.EffectIntended(
    task="A", key="k", effect="note", integration="i", digest="d", epoch=1, sender="c", until_ms=9
)
RECEIPT = fx.EffectConfirmed(task="A", key="k", how="created", url="u")
DOUBT = fx.EffectUnclear(task="A", key="k", why="no answer")
NO = fx.EffectRefused(task="A", key="k", why="no")

HISTORIES = Path(__file__).parents[2] / "histories"
OTHER = "bob@there/clone2/run1"


def test_a_sound_story_breaks_nothing_even_when_all_is_over() -> None:
    world = Observed(
        target=history("x1", "x3"),
        left={},
        acknowledged=("id 1", "id 9"),
        faults=0,
    )
    assert check(events(story()), world, quiescent=True) == ()


def end(bodies: Story) -> Story:
    return [*bodies, failed("x3", 2)]


def denied(action: str) -> dict[str, object]:
    return {"decision": replace(allowed(action), verdict="deny")}


SPOILED: dict[str, tuple[str, Spoil]] = {
    "a task that is done is leased again": ("S1", lambda s: [*s, leased("x4", "A", 2)]),
    "an execution ends twice": ("S1", end),
    "a task is done twice": ("S1", lambda s: [*s, done("x3", 2)]),
    "a done task is blocked": (
        "S1",
        lambda s: [*s, ev.TaskBlocked(task="A", reason="", decision=allowed("dispatch"))],
    ),
    "a done task is asked for again": ("S1", lambda s: [*s, ev.TaskRequeued(task="A")]),
    "a dead execution's outcome is accepted": (
        "S2",
        lambda s: [*s, *worked("x2")[:1]],
    ),
    "an outcome quotes another token": ("S2", changed(ev.WorkHarvested, 3, epoch=1)),
    "a dead lease is renewed": (
        "S2",
        after(
            ev.ExecutionFailed,
            ev.LeaseRenewed(execution="x2", epoch=1, expires_ms=10**6),
        ),
    ),
    "two executions of a task live": (
        "S2",
        after(ev.ExecutionLeased, leased("x9", "A", 2)),
    ),
    "work is taken from a worker that runs": ("S2", without(ev.ExecutionExited)),
    "another holder lands it": ("S2", changed(ev.LandingIntended, decision=allowed("x", OTHER))),
    "policy denied the lease": ("S2", changed(ev.ExecutionLeased, **denied("dispatch"))),
    "a lease is taken before it is over": (
        "S2",
        after(
            ev.ExecutionLeased,
            ev.LeaseTaken(execution="x1", epoch=1, holder=OTHER, expires_ms=10**6),
        ),
    ),
    "a token is used again": ("S3", changed(ev.ExecutionLeased, 3, epoch=1)),
    "a token leaps": ("S3", changed(ev.ExecutionLeased, 3, epoch=4)),
    "an attempt is not counted": ("S3", changed(ev.ExecutionLeased, 3, attempt=1)),
    "an execution's id is used again": ("S3", changed(ev.ExecutionLeased, 3, execution="x2")),
    "a nonce is used again": ("S3", changed(ev.ExecutionLeased, 3, nonce="nonce x1")),
    "a renewal shortens a lease": ("S3", changed(ev.LeaseRenewed, expires_ms=5)),
    "one commit lands twice": ("S4", changed(ev.LandingDone, 2, commit="commit x1")),
    "what landed is about to land": (
        "S4",
        changed(ev.LandingIntended, 2, landing=landing("x3", "start", "commit x1")),
    ),
    "a task starts before what it needs": (
        "S5",
        after(ev.ExecutionLeased, leased("x9", "B")),
    ),
    "a step is left out": ("S15", after(ev.ExecutionLeased, step_begun(2))),
    "two steps are in one seat": ("S15", after(ev.ExecutionLeased, step_begun(1), step_begun(2))),
    "a worker's end is told while a step runs": ("S15", after(ev.ExecutionLeased, step_begun(1))),
    "a step ends that did not run": ("S15", after(ev.ExecutionLeased, step_over(1))),
    "work is taken up that a step rejected": (
        "S15",
        after(ev.ExecutionLeased, step_begun(1, "review"), step_over(1, "reject")),
    ),
    "a tree without a pass lands": ("S10", without(ev.GateJudged, 3)),
    "a red tree lands": ("S10", lambda s: [*s[:-3], judged("x3", 2, "fail"), *s[-2:]]),
    "a pass on another tree lands": ("S10", lambda s: [*s[:-3], judged("x1", 2), *s[-2:]]),
    "another commit lands than was intended": ("S10", changed(ev.LandingDone, commit="other")),
    "other evidence is cited": ("S10", changed(ev.LandingDone, evidence="other")),
    "a landing has no intent": ("S10", without(ev.LandingIntended)),
    "an intent has no evidence": (
        "S10",
        changed(ev.LandingIntended, landing=replace(landing("x1", "start"), evidence="")),
    ),
    "it lands on another branch": (
        "S10",
        changed(ev.LandingIntended, landing=replace(landing("x1", "start"), target="refs/heads/m")),
    ),
    "policy denied the landing": ("S10", changed(ev.LandingIntended, **denied("landing"))),
    "policy denied the end": ("S10", changed(ev.LandingDone, **denied("done"))),
    "an approval is missing": (
        "S10",
        after(
            ev.WorkHarvested,
            qe.ApprovalRequested(
                execution="x1", epoch=1, change="change x1", needed=1, expires_ms=10**9
            ),
        ),
    ),
    "something outside changed and it lands": (
        "S11",
        after(ev.WorkHarvested, OutsideChanged(execution="x1", changes=("HOME",), blocking=True)),
    ),
    "harvested work is kept nowhere": ("P1", without(ev.WorkPreserved)),
    "an effect is done that nobody intended": ("S4", lambda s: [*s, RECEIPT]),
    "an effect is done twice": ("S4", lambda s: [*s, INTENT, RECEIPT, RECEIPT]),
    "what was done is sent again": ("S4", lambda s: [*s, INTENT, RECEIPT, INTENT]),
    "what nobody knows is sent again": ("S4", lambda s: [*s, INTENT, DOUBT, INTENT]),
    "what was done is refused": ("S4", lambda s: [*s, INTENT, RECEIPT, NO]),
    "a fenced one intends an effect": ("S2", lambda s: [*s, replace(INTENT, epoch=0)]),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_spoiled_story_breaks_its_invariant(what: str) -> None:
    invariant, spoil = SPOILED[what]
    assert invariant in found(spoil(story()))


def test_of_one_move_a_part_cannot_be_given_up() -> None:
    both: Story = [*begun(), leased("x1", "A"), leased("x2", "B"), *worked("x1"), *worked("x2")]
    both += [judged("x1"), judged("x2")]
    both += [intended("x1", "start", new="commit x2"), intended("x2", "start"), done("x1")]
    assert found([*both, done("x2")]) == set()
    given_up = ev.LandingAbandoned(execution="x2", epoch=1, reason="target_moved")
    assert found([*both, given_up]) == {"S10"}


def test_an_effect_that_goes_its_way_is_sound() -> None:
    released = fx.EffectResolved(task="A", key="k", done=False)
    ways: list[Story] = [
        [INTENT, RECEIPT],
        [INTENT, INTENT, RECEIPT],
        [INTENT, NO, INTENT, RECEIPT],
        [INTENT, DOUBT, released, INTENT, RECEIPT],
        [INTENT, DOUBT, replace(released, done=True)],
    ]
    for way in ways:
        assert found([*story(), *way]) == set()


def test_the_chain_shows_a_doubled_and_a_forked_event() -> None:
    sound = events(story())
    assert names(check([*sound, sound[-1]])) >= {"S7"}
    forked = replace(sound[6], prev=sound[5].prev)
    assert names(check([*sound[:6], forked, *sound[7:]])) == {"S7"}


def test_seats_are_counted_by_policy_and_by_the_hard_limit() -> None:
    tasks = [ev.TaskAdded(task=TaskSpec(id=f"T{n}", title="t")) for n in range(7)]
    many = allowed("dispatch", max_workers="9")
    seven = [leased(f"y{n}", f"T{n}", decision=many) for n in range(7)]
    assert found([*begun(), *tasks, *seven[:6]]) == set()
    assert found([*begun(), *tasks, *seven]) == {"S14"}
    two = [leased(f"y{n}", f"T{n}") for n in range(3)]
    assert found([*begun(), *tasks, *two[:2]]) == set()
    assert found([*begun(), *tasks, *two]) == {"S14"}


def test_a_lease_that_is_over_may_be_taken_by_another_clone() -> None:
    taken = ev.LeaseTaken(execution="x1", epoch=1, holder=OTHER, expires_ms=10**6)
    late = leased("x1", "A", expires_ms=7 * SECOND)
    assert found([*begun(), late, qe.QueueOpened(), taken]) == set()


def test_what_stands_still_is_told_once_all_should_be_over() -> None:
    assert found(story()[:-1], quiescent=True) == {"L1", "S4"}
    assert found(begun(), quiescent=True) == {"L1"}
    blocked = failed("x1", then=TaskState.BLOCKED)
    ended = [*begun("A"), leased("x1", "A"), blocked]
    assert found(ended, quiescent=True) == set()
    asked = qe.ApprovalRequested(execution="x1", epoch=1, change="c", needed=1, expires_ms=10**9)
    waits = [*begun("A"), leased("x1", "A"), *worked("x1"), asked]
    assert found(waits, quiescent=True) == set()


def test_a_dead_lease_is_seen_to_within_its_bound() -> None:
    bodies: Story = [*begun(), leased("x1", "A", expires_ms=7 * SECOND), *worked("x1")]
    bodies += [judged("x1")] * 20
    tight = Observed(bounds=Bounds(lease_ms=10 * SECOND))
    assert found(bodies[:15], tight) == set()
    assert found(bodies, tight) == {"L2"}
    assert found([*bodies[:15], done("x1")][:15], tight) == set()


def test_what_faults_cost_is_bounded() -> None:
    lost = failed("x1", reason="interrupted", charged=False)
    once = [*begun(), leased("x1", "A"), lost]
    assert found(once, Observed(faults=1)) == set()
    assert found(once, Observed(faults=0)) == {"L3"}
    often: Story = begun()
    for n in range(1, 13):
        often += [
            leased(f"y{n}", "A", n),
            failed(f"y{n}", n, reason="interrupted", charged=False),
        ]
    assert found(often[: 5 + 2 * 11]) == set()
    assert found(often) == {"L3"}


WORLDS: dict[str, tuple[str, Observed]] = {
    "work on no ref": ("P1", Observed(unreachable=frozenset({"work x2"}))),
    "another sidecar": ("S6", Observed(projection="a row")),
    "a broken chain in git": ("S7", Observed(chain=("commit 1 does not follow 0",))),
    "an acknowledged event that is gone": ("S8", Observed(acknowledged=("id 99",))),
    "a landing that is not there": ("S10", Observed(target=history("x1"))),
    "a commit no landing tells of": ("S10", Observed(target=history("x1", "x2", "x3"))),
    "a commit that names nobody": (
        "S10",
        Observed(target=(*history("x1"), TargetCommit(commit="commit x3"))),
    ),
    "a stranger's commit that nobody noticed": (
        "S10",
        Observed(
            target=(*history("x1"), TargetCommit(commit="odd"), history("x3")[-1]),
        ),
    ),
    "evidence that the ledger lacks": ("S10", Observed(unproved=frozenset({"x3"}))),
    "a change outside": ("S11", Observed(outside=("HOME",))),
    "a living process": ("S12", Observed(alive=frozenset({"x2"}))),
    "a room that was left": ("S13", Observed(left={"x2": "room"})),
    "a stale lock": ("S13", Observed(locks=("packed-refs.lock",))),
}


@pytest.mark.parametrize("what", WORLDS)
def test_a_world_that_differs_is_told(what: str) -> None:
    invariant, world = WORLDS[what]
    assert names(check(events(story()), world, quiescent=True)) == {invariant}


def test_one_execution_in_two_commits_landed_twice() -> None:
    again = TargetCommit(commit="again", executions=("x3",), tasks=("B",))
    world = Observed(target=(*history("x1", "x3"), again))
    assert names(check(events(story()), world)) == {"S4", "S10"}


def test_a_commit_that_a_person_rewrote_is_told_of_by_the_ledger() -> None:
    again = TargetCommit(commit="again", executions=("x3",), tasks=("B",))
    world = Observed(target=(*history("x1"), again))
    given_up = ev.LandingAbandoned(execution="x3", epoch=2, reason="target_rewritten")
    kept = ev.WorkPreserved(execution="x3", ref="refs/cto/preserved/x3", commit="work x3")
    ended = failed("x3", 2, reason="target_rewritten", then=TaskState.BLOCKED)
    assert found([*story()[:-1], given_up, kept, ended], world) == set()
    other = failed("x3", 2, reason="red", then=TaskState.BLOCKED)
    assert found([*story()[:-1], given_up, kept, other], world) == {"S10"}


def test_a_target_that_somebody_else_moved_is_fine_once_the_queue_knows() -> None:
    odd = TargetCommit(commit="odd")
    world = Observed(target=(*history("x1"), odd, history("x3")[-1]))
    noticed = after(ev.WorkHarvested, qe.QueueTargetMoved(commit="odd"), nth=3)(story())
    assert check(events(noticed), world) == ()


def test_work_that_a_person_gave_up_may_go() -> None:
    given_up = ev.WorkDiscarded(execution="x2", ref="refs/cto/preserved/x2", commit="work x2")
    world = Observed(unreachable=frozenset({"work x2"}))
    assert found([*story(), given_up], world) == set()


def test_another_clone_keeps_its_work_itself() -> None:
    late = leased("x1", "A", expires_ms=7 * SECOND)
    taken = ev.LeaseTaken(execution="x1", epoch=1, holder=OTHER, expires_ms=10**6)
    ended = failed("x1", reason="holder_lost", charged=False)
    assert found([*begun(), late, *worked("x1"), taken, ended]) == set()
    assert found([*begun(), late, *worked("x1"), ended]) == {"P1"}


def read(name: str) -> list[Event]:
    return [decode(line) for line in (HISTORIES / name).read_bytes().splitlines()]


def test_histories_of_released_versions_keep_the_invariants() -> None:
    assert check(read("0.1.0.jsonl")) == ()
    # It was written by hand to hold every kind of event: one execution fails with unkept work.
    assert {(each.invariant, each.seq) for each in check(read("0.2.0.jsonl"))} == {("P1", 69)}


def test_events_that_are_not_known_change_nothing() -> None:
    sound = events(story())
    raw = b'{"actor":"a","body":{"kind":"later.made"},"id":"z","prev":"","ts":1,"v":7}'
    assert "later.made" not in VERSIONS
    assert check([*sound, decode(raw)]) == ()
    assert HOLDER.count("/") == 2
