"""Two clones of one bare remote run one team at the same time: each change lands once."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import pytest

from gitcto.effects import SystemEffects
from gitcto.model.codec import Event
from gitcto.model.events import ExecutionLeased
from gitcto.runtime.team.run import run_team
from tests.runtime.shared.conftest import SHARED, TARGET, Clone, Hub, Later
from tests.runtime.team.conftest import POLICY, Told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]  # several runs of whole teams

EIGHT = tuple("ABCDEFGH")


def test_two_clones_run_one_team_at_once(hub: Hub) -> None:
    first = hub.first()
    first.cto("init")
    first.plan_more(*(hub.task(first, name) for name in EIGHT))
    second = hub.another()
    runs = [first.start("run"), second.start("run")]
    ends = [process.communicate(timeout=100) for process in runs]
    assert [process.returncode for process in runs] == [0, 0], ends
    assert sorted(hub.landed()) == list(EIGHT)
    assert hub.starts() == dict.fromkeys(EIGHT, 1)
    for clone in hub.clones:
        clone.cto("run")
        assert {task.state.value for task in clone.tasks().values()} == {"done"}
        clone.assert_clean()
    hub.assert_agreed()
    assert "joined" in ends[1][1]


def test_the_limit_of_workers_counts_over_all_clones(hub: Hub, until: Any) -> None:
    first = hub.first((POLICY + SHARED).replace("max_workers = 3", "max_workers = 6"))
    first.cto("init")
    go = {"do": "wait_for", "path": str(hub.root / "go")}
    first.plan_more(*(hub.task(first, name, go) for name in EIGHT))
    second = hub.another()
    runs = [first.start("run", "--workers", "4")]
    until(lambda: hub.witness.exists() and len(hub.witness.read_text().split()) == 4)
    runs.append(second.start("run"))
    until(lambda: len(hub.witness.read_text().split()) == 6)
    with first.ledger() as ledger:
        first.shared().look()
        holders = Counter(x.holder.split("/")[1] for x in ledger.view().live())
    assert sorted(holders.values()) == [2, 4]
    (hub.root / "go").touch()
    ends = [process.communicate(timeout=100) for process in runs]
    assert [process.returncode for process in runs] == [0, 0], ends
    assert sorted(hub.landed()) == list(EIGHT)
    assert hub.starts() == dict.fromkeys(EIGHT, 1)


POINTS = (
    ("ledger.object", 9),
    ("ledger.pushed", 2),
    ("ledger.pushed", 9),
    ("attempt.leased", 1),
    ("landing.intended", 1),
    ("landing.pushed", 1),
    ("landing.moved", 1),
)


@pytest.mark.parametrize(("point", "passings"), POINTS)
def test_a_killed_clone_goes_on_itself(hub: Hub, point: str, passings: int) -> None:
    first, second = hub.pair("A", "B")
    first.die_at(point, passings)
    first.cto("run")
    second.cto("run")
    assert sorted(hub.landed()) == ["A", "B"]
    hub.assert_agreed()
    for clone in hub.clones:
        clone.assert_clean()


@pytest.mark.parametrize(("point", "passings"), POINTS)
def test_another_clone_goes_on_when_the_lease_is_over(hub: Hub, point: str, passings: int) -> None:
    first, second = hub.pair("A", "B")
    first.die_at(point, passings)
    second.run_with(Later())
    assert sorted(hub.landed()) == ["A", "B"]
    assert {task.state.value for task in second.tasks().values()} == {"done"}
    first.cto("run")  # comes back, and finds that all is done
    assert sorted(hub.landed()) == ["A", "B"]
    for clone in hub.clones:
        clone.assert_clean()
    hub.assert_agreed()


def test_what_another_clone_holds_is_left_alone_while_its_lease_lasts(hub: Hub) -> None:
    first, second = hub.pair("A")
    first.die_at("attempt.leased")
    interrupted = chain([False] * 5, repeat(True))
    told = Told()
    request = replace(second.request(), effects=SystemEffects())
    result = run_team(request, told, lambda: next(interrupted))
    assert [x.task for x in result.live] == ["A"]
    assert "lease.taken" not in told.kinds()
    assert hub.landed() == []


def test_a_landing_that_was_pushed_is_recorded_by_who_takes_over(hub: Hub) -> None:
    first, second = hub.pair("A")
    first.die_at("landing.pushed")
    assert hub.landed() == ["A"]
    second.run_with(Later())
    assert hub.starts() == {"A": 1}
    with second.ledger() as ledger:
        [done] = [x.event.body for x in ledger.events() if x.event.kind == "landing.done"]
    assert done.found == "recovered"


class Enough(Exception):  # noqa: N818 - not a fault
    """The other clone's run ends here."""


class Overtaken(SystemEffects):
    """At one step, another clone runs the team in a later world: all of it, or up to an event."""

    def __init__(self, point: str, other: Clone, until: str = "") -> None:
        self.point, self.other, self.until = point, other, until

    def crash_point(self, name: str) -> None:
        if name == self.point:
            self.point = ""
            with suppress(Enough):
                self.other.run_with(Later(), Told(on={self.until: self._stop}))

    def _stop(self, event: Event) -> None:
        raise Enough(event.kind)


def test_who_sleeps_through_his_lease_lands_nothing_afterwards(hub: Hub) -> None:
    """The intent is recorded, the branch has not moved, and the lease went to another clone."""
    first, second = hub.pair("A")
    first.run_with(Overtaken("landing.intended", second))
    assert hub.landed() == ["A"]
    assert hub.starts() == {"A": 2}
    with first.ledger() as ledger:
        kinds = [stored.event.kind for stored in ledger.events()]
    assert kinds.count("landing.done") == 1
    assert "outcome.refused" in kinds
    first.cto("run")
    first.assert_clean()
    hub.assert_agreed()


def test_who_lost_his_lease_cannot_land_though_the_branch_has_not_moved(hub: Hub) -> None:
    """Nothing but the ledger can tell that it is too late: the old tip is still the right one."""
    first, second = hub.pair("A")
    first.run_with(Overtaken("landing.intended", second, until="execution.failed"))
    assert "execution.leased" not in second.told.kinds()
    assert hub.landed() == ["A"]
    with first.ledger() as ledger:
        events = [stored.event.body for stored in ledger.events()]
    leased = [body.execution for body in events if isinstance(body, ExecutionLeased)]
    assert len(leased) == 2
    trailer = "--format=%(trailers:key=Cto-Execution,valueonly,separator=%x2C)"
    assert hub.git("log", trailer, f"main..{TARGET}").split() == leased[1:]
    first.cto("run")
    first.assert_clean()
    hub.assert_agreed()


def test_who_works_through_his_lease_keeps_the_work_and_says_so(hub: Hub) -> None:
    first, second = hub.pair("A")
    first.run_with(Overtaken("attempt.harvested", second))
    assert hub.landed() == ["A"]
    assert any("came too late" in note for note in first.told.notes), first.told.notes
    [kept] = first.preserved()
    assert first.show("A.txt", kept) == "A"
    first.assert_clean()
    hub.assert_agreed()


class Inattentive(Overtaken):
    """Whose watch stands still: it looks at the remote once, and then only to record something."""

    def monotonic_s(self) -> float:
        return 0.0


def test_who_hears_of_it_only_when_he_records_keeps_the_work_too(hub: Hub) -> None:
    """The ledger answers with a refusal that it remembers: that is no harvest."""
    first, second = hub.pair("A")
    first.run_with(Inattentive("attempt.harvested", second))
    assert hub.landed() == ["A"]
    [kept] = first.preserved()
    assert first.show("A.txt", kept) == "A"
    first.assert_clean()
    hub.assert_agreed()


class Interleaved(SystemEffects):
    """Before its second landing another clone lands something; it ends when it judges again."""

    def __init__(self, other: Clone, hub: Hub) -> None:
        self.other, self.hub, self.landings = other, hub, 0

    def crash_point(self, name: str) -> None:
        if name == "queue.started" and self.landings == 2:
            raise Enough(name)
        self.landings += name == "landing.intended"
        if name != "landing.intended" or self.landings != 2:
            return
        self.other.plan_more(self.hub.task(self.other, "B"))
        with suppress(Enough):
            self.other.run_with(SystemEffects(), Told(on={"landing.done": self._stop}))

    def _stop(self, event: Event) -> None:
        raise Enough(event.kind)


def test_what_two_queues_did_in_turn_is_told_apart(hub: Hub) -> None:
    first, second = hub.pair("A")
    first.plan_more(hub.task(first, "C", depends_on=("A",)))
    with pytest.raises(Enough):
        first.run_with(Interleaved(second, hub))
    first.cto("run")
    assert sorted(hub.landed()) == ["A", "B", "C"]
    assert hub.starts() == {"A": 1, "B": 1, "C": 1}
    second.cto("run")
    hub.assert_agreed()
    for clone in hub.clones:
        clone.assert_clean()
