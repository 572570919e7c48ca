"""A remote has the last word on a ledger: pushed first, decided again when outrun, never forked."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gitcto.git.refs import Refs
from gitcto.git.remotes import RefMove, Remote, RemoteUnreachable
from gitcto.git.repository import Repository
from gitcto.model import commands as cmd
from gitcto.store.chain import teams
from gitcto.store.ledger import Ledger
from gitcto.store.shared import Diverged, Shared, TargetMoved, joined, leave, of_joined, teams_at
from tests.store.conftest import (
    ENVIRONMENT,
    Died,
    TestEffects,
    begin,
    git,
    lease,
    make_repository,
    recorded,
)

REF = "refs/cto/teams/demo/ledger"
TARGET = "refs/heads/cto/demo/integration"
WRITER = Path(__file__).with_name("shared_writer.py")


class Deaf(Remote):
    """Does not hear the answers to its first pushes; the remote has got them all the same."""

    lost = 0

    def push(self, *moves: RefMove) -> bool:
        done = super().push(*moves)
        if self.lost:
            self.lost -= 1
            raise RemoteUnreachable(self.name, "the answer was lost")
        return done


class Site:
    """One clone of the hub with its ledger open."""

    def __init__(self, repository: Repository, seed: int, target: str = "") -> None:
        self.repository = repository
        self.effects = TestEffects(seed=seed)
        self.remote = Deaf(repository, "origin", ENVIRONMENT)
        self.shared = Shared(
            self.remote, "demo", self.effects, target=target, patience_s=(1.0, 2.0)
        )
        self.ledger = Ledger(repository, "demo", self.effects, f"site{seed}", self.shared)
        self.refs = Refs(repository)

    def new_commit(self) -> str:
        return git(self.repository, "commit-tree", self.repository.empty_tree, "-m", "x")


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    path = tmp_path / "hub.git"
    subprocess.run(["git", "init", "-q", "--bare", str(path)], check=True, env=ENVIRONMENT)
    return path


@pytest.fixture
def sites(hub: Path, tmp_path: Path) -> Iterator[tuple[Site, Site]]:
    made = []
    for number in (1, 2):
        repository = make_repository(tmp_path / f"clone{number}")
        git(repository, "remote", "add", "origin", str(hub))
        made.append(Site(repository, number))
    with ExitStack() as stack:
        for site in made:
            stack.enter_context(site.ledger)
        begin(made[0].ledger)
        made[1].shared.sync()
        yield made[0], made[1]


def test_what_is_recorded_is_at_the_remote(hub: Path, sites: tuple[Site, Site]) -> None:
    one, two = sites
    assert git(hub, "rev-parse", REF) == one.ledger.tip() == two.ledger.tip()
    answer = recorded(two.ledger.transact(lease("T1", "X1")))
    assert git(hub, "rev-parse", REF) == answer.tip
    assert one.ledger.tip() != answer.tip
    one.shared.look()
    assert [x.id for x in one.ledger.view().live()] == ["X1"]


def test_who_is_outrun_decides_again(sites: tuple[Site, Site]) -> None:
    one, two = sites
    recorded(one.ledger.transact(lease("T1", "X1")))
    refusal = two.ledger.transact(lease("T1", "X2"))
    assert isinstance(refusal, cmd.Refusal)
    assert (refusal.code, refusal.detail) == (
        "not_queued",
        "T1 is dispatching, held by here",
    )
    recorded(two.ledger.transact(lease("T2", "X2")))
    one.shared.look()
    assert [x.id for x in one.ledger.view().live()] == ["X1", "X2"]
    assert one.ledger.verify_chain() == two.ledger.verify_chain() == []


def test_a_state_in_memory_hears_of_what_outran_it(sites: tuple[Site, Site]) -> None:
    one, two = sites
    state = two.ledger.load()
    recorded(one.ledger.transact(lease("T1", "X1")))
    state.put(recorded(two.ledger.transact(lease("T2", "X2"))).records)
    state.put(two.ledger.catch_up())
    assert {x.id for x in state.live()} == {"X1", "X2"}


@pytest.mark.parametrize("point", ["ledger.object", "ledger.pushed", "ledger.ref"])
def test_a_crash_on_the_way_is_made_good_by_the_next_look(
    hub: Path, sites: tuple[Site, Site], point: str
) -> None:
    one, two = sites
    one.effects.die_at = point
    with pytest.raises(Died):
        one.ledger.transact(lease("T1", "X1"))
    one.effects.die_at = ""
    reached = point != "ledger.object"
    assert (git(hub, "rev-parse", REF) == one.ledger.tip()) == (point != "ledger.pushed")
    one.shared.sync()
    assert git(hub, "rev-parse", REF) == one.ledger.tip()
    assert len(one.ledger.view().live()) == reached
    two.ledger.transact(lease("T2", "X2"))
    assert two.ledger.verify_chain() == []


def test_what_was_pushed_before_a_crash_is_not_written_over(
    hub: Path, sites: tuple[Site, Site]
) -> None:
    """The push names what the remote was known to hold; that must be in what is pushed."""
    one, _ = sites
    one.effects.die_at = "ledger.pushed"
    with pytest.raises(Died):
        one.ledger.transact(lease("T1", "X1"))
    one.effects.die_at = ""
    pushed = git(hub, "rev-parse", REF)
    recorded(one.ledger.transact(lease("T2", "X2")))  # without a look before
    assert git(hub, "merge-base", pushed, REF) == pushed
    assert [x.id for x in one.ledger.view().live()] == ["X1", "X2"]


def test_a_push_whose_answer_was_lost_counts_once(sites: tuple[Site, Site]) -> None:
    one, _ = sites
    one.remote.lost = 1
    answer = recorded(one.ledger.transact(lease("T1", "X1")))
    assert [event.kind for event in answer.events] == ["execution.leased"]
    assert one.ledger.count("execution.leased") == 1
    assert one.shared.holds(str(answer.tip))


def test_a_push_whose_answer_was_lost_counts_once_though_others_went_on_from_it(
    sites: tuple[Site, Site],
) -> None:
    one, two = sites
    one.remote.lost = 1
    one.effects.on_pause = lambda: recorded(two.ledger.transact(lease("T2", "X2")))
    answer = recorded(one.ledger.transact(lease("T1", "X1")))
    assert [event.kind for event in answer.events] == ["execution.leased"]
    assert [x.id for x in one.ledger.view().live()] == ["X1", "X2"]
    assert one.ledger.verify_chain() == []


def test_a_remote_that_stays_silent_refuses_after_its_pauses(
    hub: Path, sites: tuple[Site, Site]
) -> None:
    one, _ = sites
    tip, before = one.ledger.tip(), one.effects.clock
    hub.rename(hub.with_name("away"))
    with pytest.raises(RemoteUnreachable):
        one.ledger.transact(lease("T1", "X1"))
    assert one.ledger.tip() == tip
    assert one.effects.clock - before >= 3000
    assert list(one.ledger.view().live()) == []


def test_a_second_ref_moves_with_the_ledger_or_not_at_all(
    hub: Path, sites: tuple[Site, Site]
) -> None:
    one, two = sites
    commit, other = one.new_commit(), two.new_commit()
    along = RefMove(name=TARGET, old=None, new=commit)
    recorded(one.ledger.transact(lease("T1", "X1"), along=along))
    assert git(hub, "rev-parse", TARGET) == commit
    late = Shared(two.remote, "demo", two.effects, target=TARGET)
    with Ledger(two.repository, "demo", two.effects, "late", late) as ledger:
        with pytest.raises(TargetMoved):
            ledger.transact(lease("T2", "X2"), along=RefMove(name=TARGET, old=None, new=other))
        assert ledger.view().execution("X2") is None
    assert git(hub, "rev-parse", TARGET) == commit


def test_an_outcome_that_is_refused_moves_nothing_else(hub: Path, sites: tuple[Site, Site]) -> None:
    one, _ = sites
    recorded(one.ledger.transact(lease("T1", "X1")))
    stale = cmd.RenewLease(execution="X1", epoch=7, expires_ms=1_900_000_000_000)
    along = RefMove(name=TARGET, old=None, new=one.new_commit())
    answer = recorded(one.ledger.transact(stale, along=along))
    assert [event.kind for event in answer.events] == ["outcome.refused"]
    assert git(hub, "for-each-ref", TARGET) == ""


def test_ledgers_that_both_grew_are_not_joined(hub: Path, sites: tuple[Site, Site]) -> None:
    one, two = sites
    with Ledger(two.repository, "demo", two.effects, "alone") as alone:
        recorded(alone.transact(lease("T1", "X2")))
    recorded(one.ledger.transact(lease("T1", "X1")))
    theirs = git(hub, "rev-parse", REF)
    for action in (two.shared.sync, lambda: two.ledger.transact(lease("T2", "X3"))):
        with pytest.raises(Diverged, match=f"ledger forked: {REF} is "):
            action()
    assert git(hub, "rev-parse", REF) == theirs


def test_a_ledger_that_was_made_alone_is_given_to_the_remote(
    hub: Path, tmp_path: Path, ledger: Ledger, repository: Repository
) -> None:
    git(repository, "remote", "add", "origin", str(hub))
    site = Site(repository, 3)
    with site.ledger:
        site.shared.sync()
    assert git(hub, "rev-parse", REF) == ledger.tip()
    assert teams_at(site.remote) == ["demo"]


def test_every_command_finds_the_remote_that_a_team_was_joined_through(
    sites: tuple[Site, Site],
) -> None:
    _, two = sites
    assert teams(two.repository) == ["demo"]
    assert joined(two.repository, "demo") == "origin"
    found = of_joined(two.repository, "demo", two.effects, ENVIRONMENT)
    assert found is not None
    assert found.remote.name == "origin"
    leave(two.repository, "demo", but="origin")
    assert joined(two.repository, "demo") == "origin"
    leave(two.repository, "demo", but="")
    assert joined(two.repository, "demo") == ""
    assert of_joined(two.repository, "demo", two.effects, ENVIRONMENT) is None


def test_a_user_who_fetches_refs_in_between_disturbs_nobody(sites: tuple[Site, Site]) -> None:
    one, _ = sites

    class Fetching(TestEffects):
        def crash_point(self, name: str) -> None:
            if name == "ledger.pushed":
                git(one.repository, "fetch", "-q", "origin", "refs/cto/teams/*:refs/cto/teams/*")

    effects = Fetching(seed=9)
    with Ledger(one.repository, "demo", effects, "fetching", one.shared) as ledger:
        answer = recorded(ledger.transact(lease("T1", "X1")))
        assert ledger.tip() == answer.tip
        assert ledger.count("execution.leased") == 1


@pytest.mark.timeout(120)
def test_processes_on_two_clones_lose_nothing(hub: Path, sites: tuple[Site, Site]) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, str(WRITER), "demo", "12"],
            cwd=str(site.repository.work_tree),
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for site in (*sites, sites[0])
    ]
    ends = [writer.communicate() for writer in writers]
    assert [error for _, error in ends if error] == []
    acknowledged = [name for out, _ in ends for name in out.split()]
    assert len(acknowledged) == 3 * 12 * 2
    for site in sites:
        site.shared.look()
        assert site.ledger.tip() == git(hub, "rev-parse", REF)
        assert site.ledger.verify_chain() == []
        stored = Counter(event.event.id for event in site.ledger.events())
        assert [name for name in acknowledged if stored[name] != 1] == []
        assert sum(stored.values()) == 5 + len(acknowledged)
    git(hub, "fsck", "--full", "--strict")
