"""The real store under arbitrary commands, kills, strangers and damage, beside a plain fold.

The model is what the accepted commands' events fold to, in memory. Whatever is done to the sidecar,
whoever writes, and wherever it dies, the store answers as the model does. For many more examples,
drawn anew each time: ``pytest --hypothesis-profile=many tests/store/test_machine.py``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gitcto.git.process import plumbing
from gitcto.git.repository import discover
from gitcto.model import commands as cmd
from gitcto.model.decide import decide
from gitcto.model.evolve import evolve
from gitcto.model.records import LIVE_STATES, Execution, TaskSpec, TaskState, TeamMode
from gitcto.model.state import State
from gitcto.store import growth
from gitcto.store.ledger import Ledger, Recorded
from gitcto.store.sidecar import sidecar_path
from tests.store.conftest import (
    ALLOW,
    ENVIRONMENT,
    LANDING,
    MANY,
    VERDICT,
    Died,
    TestEffects,
    git,
    lease,
    make_repository,
)

TASKS = ("A", "B", "C", "D")
POINTS = ("ledger.object", "ledger.ref", "ledger.sidecar")
pick = st.integers(0, 1000)
times = st.integers(-7_200_000, 7_200_000)


class StoreMachine(RuleBasedStateMachine):
    """One repository, two writers of its ledger, and the state that both must show."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp(prefix="gitcto-machine-", dir=_memory()))
        shutil.copytree(self.template, self.place / "repo")
        self.repository = discover(self.place / "repo", ENVIRONMENT)
        self.effects = (TestEffects(seed=1), TestEffects(seed=2))
        self.ledgers = [self.opened(0), self.opened(1)]
        self.model = State()
        self.seq = 0
        self.executions = 0

    def opened(self, who: int) -> Ledger:
        return Ledger(self.repository, "demo", self.effects[who], f"writer{who}")

    def send(self, who: int, command: cmd.Command) -> Recorded | cmd.Refusal:
        """Let a writer record a command, and the model decide on it for itself."""
        expected = decide(self.model, command, self.effects[who].clock)
        outcome = self.ledgers[who].transact(command)
        if isinstance(expected, cmd.Refusal):
            assert outcome == expected
            return outcome
        assert isinstance(outcome, Recorded), outcome
        assert tuple(event.body for event in outcome.events) == tuple(expected)
        self.fold(outcome.events)
        assert outcome.seq == self.seq
        return outcome

    def fold(self, events) -> None:
        for event in events:
            self.seq += 1
            self.model.put(evolve(self.model, event, self.seq))

    @initialize()
    def begin(self) -> None:
        specs = tuple(
            TaskSpec(id=name, title=name, depends_on=("A",) if name == "C" else ())
            for name in TASKS
        )
        self.send(0, cmd.CreateTeam(team="demo", target=LANDING.target))
        self.send(1, cmd.ImportPlan(source="p", digest="d", tasks=specs))

    @rule(who=st.integers(0, 1), task=st.sampled_from(TASKS))
    def claim(self, who: int, task: str) -> None:
        self.executions += 1
        command = lease(task, f"x{self.executions}", now_ms=self.effects[who].clock)
        self.send(who, command)

    @rule(who=st.integers(0, 1), number=pick, step=st.integers(0, 9), old=st.booleans())
    def outcome(self, who: int, number: int, step: int, old: bool) -> None:
        """Any outcome of any execution, also one that quotes another token."""
        x = self.some(number, self.model.executions)
        if x is not None:
            self.send(who, _command(x, x.epoch + old, step, self.effects[who].clock))

    @rule(who=st.integers(0, 1), number=pick)
    def advance(self, who: int, number: int) -> None:
        """Take a live execution one honest step on, so that long histories are reached."""
        live = {x.id: x for x in self.model.executions.values() if x.state in LIVE_STATES}
        x = self.some(number, live)
        if x is not None:
            for step in _NEXT[x.state]:
                self.send(who, _command(x, x.epoch, step, self.effects[who].clock))

    @rule(who=st.integers(0, 1), task=st.sampled_from(TASKS))
    def requeue(self, who: int, task: str) -> None:
        self.send(who, cmd.RequeueTask(task=task))

    @rule(who=st.integers(0, 1), mode=st.sampled_from(TeamMode))
    def mode(self, who: int, mode: TeamMode) -> None:
        self.send(who, cmd.SetMode(mode=mode))
        self.send(1 - who, cmd.SetMode(mode=TeamMode.RUNNING))

    @rule(who=st.integers(0, 1), number=pick)
    def keep_and_discard(self, who: int, number: int) -> None:
        x = self.some(number, self.model.executions)
        if x is not None:
            named = {"execution": x.id, "ref": f"preserved/{x.id}", "commit": "c" * 40}
            self.send(who, cmd.RecordPreserved(**named))
            self.send(who, cmd.DiscardWork(**named))

    @rule(who=st.integers(0, 1), point=st.sampled_from(POINTS), number=pick)
    def die(self, who: int, point: str, number: int) -> None:
        """A writer dies at a step; what it had done by then counts, and nothing else."""
        command = cmd.ImportPlan(
            source="p", digest="d", tasks=(TaskSpec(id=f"K{number}", title="k"),)
        )
        expected = decide(self.model, command, 0)
        effects = self.effects[who]
        effects.die_at = point
        with suppress(Died):
            outcome = self.ledgers[who].transact(command)
            assert outcome == expected or outcome.events == expected == ()
        effects.die_at = ""
        self.ledgers[who].close()
        self.ledgers[who] = self.opened(who)
        found = [stored.event for stored in self.ledgers[who].events(after=self.seq)]
        if isinstance(expected, cmd.Refusal) or point == "ledger.object":
            assert found == []
        else:
            assert tuple(event.body for event in found) == tuple(expected)
        self.fold(found)

    @rule(who=st.integers(0, 1))
    def reopen(self, who: int) -> None:
        self.ledgers[who].close()
        self.ledgers[who] = self.opened(who)

    @rule(suffixes=st.sampled_from([("",), ("", "-wal", "-shm"), ("-wal",), ("-shm",)]))
    def lose_the_sidecar(self, suffixes: tuple[str, ...]) -> None:
        """Files go while others have them open, or while nobody has."""
        if suffixes != ("", "-wal", "-shm"):
            self.close()
        for suffix in suffixes:
            path = sidecar_path(self.repository)
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    @rule(at=st.floats(0, 1), data=st.binary(min_size=1, max_size=600))
    def damage_the_sidecar(self, at: float, data: bytes) -> None:
        """Bytes are written over; what SQLite cannot see would be a lie, so headers are hit too."""
        self.close()
        path = sidecar_path(self.repository)
        if path.exists():
            with path.open("r+b") as file:
                file.write(b"\xff" * 100)
                file.seek(int(at * path.stat().st_size))
                file.write(data)

    @rule(at=st.floats(0, 1))
    def cut_the_sidecar(self, at: float) -> None:
        self.close()
        path = sidecar_path(self.repository)
        if path.exists():
            os.truncate(path, int(at * path.stat().st_size))

    @rule()
    def gc(self) -> None:
        git(self.repository, "gc", "-q", "--prune=now")

    @rule()
    def pack(self) -> None:
        """Pack as a long ledger is packed, however short it is."""
        ledger = self.ledgers[0]
        ledger.summary()
        tip, first = str(ledger.tip()), git(self.repository, "rev-list", ledger.ref).split()[-1]
        side = ledger.sidecar()
        number = side.db.execute("SELECT commits FROM cursor WHERE team = 'demo'").fetchone()[0]
        assert tip
        assert first
        growth._pack(self.repository, side.db, "demo", (0, number))
        assert plumbing(self.repository).run("count-objects").code == 0

    @rule()
    def lose_a_commit(self) -> None:
        """Git loses a commit that the sidecar knows; healing writes it again bit for bit."""
        ledger = self.ledgers[1]
        ledger.summary()
        oid = str(ledger.tip())
        path = self.repository.objects / oid[:2] / oid[2:]
        if path.exists():
            path.unlink()
            assert ledger.heal() == 1

    @rule(who=st.integers(0, 1), by=times)
    def clock(self, who: int, by: int) -> None:
        """A clock is set, also back: dates and leases must not mind."""
        self.effects[who].clock = max(1, self.effects[who].clock + by)

    @rule(who=st.integers(0, 1))
    def rebuild(self, who: int) -> None:
        self.ledgers[who].rebuild()

    def some(self, number: int, known: dict[str, Execution]) -> Execution | None:
        found = list(known.values())
        return found[number % len(found)] if found else None

    def close(self) -> None:
        for ledger in self.ledgers:
            ledger.close()

    @precondition(lambda self: self.seq)
    @invariant()
    def both_writers_see_the_model(self) -> None:
        for ledger in self.ledgers:
            seen = ledger.load()
            assert seen.team == self.model.team
            assert seen.tasks == self.model.tasks
            live = [x for x in self.model.executions.values() if x.state in LIVE_STATES]
            assert sorted(seen.live(), key=_id) == sorted(live, key=_id)
            view = ledger.view()
            for known in self.model.executions.values():
                assert view.execution(known.id) == known

    def teardown(self) -> None:
        try:
            if self.seq:
                ledger = self.ledgers[0]
                assert ledger.verify_chain() == []
                followed = ledger.sidecar().dump()
                ledger.rebuild()
                assert ledger.sidecar().dump() == followed
                assert git(self.repository, "fsck", "--strict", "--no-dangling") == ""
        finally:
            self.close()
            shutil.rmtree(self.place)


def _id(x: Execution) -> str:
    return x.id


_NEXT = {
    TaskState.DISPATCHING: (0,),
    TaskState.EXECUTING: (1, 2),
    TaskState.VALIDATING: (3, 4),
    TaskState.INTEGRATING: (5,),
}


def _command(x: Execution, epoch: int, step: int, now_ms: int) -> cmd.Command:
    who = {"execution": x.id, "epoch": epoch}
    choices: tuple[cmd.Command, ...] = (
        cmd.RecordStart(**who, pid=1, process_start="1", isolation="none"),
        cmd.RecordExit(**who, code=0, cause="exited"),
        cmd.RecordHarvest(**who, commit="c" * 40, tree=LANDING.tree, changed=1),
        cmd.RecordVerdicts(**who, verdicts=(VERDICT,)),
        cmd.IntendLanding(**who, landing=LANDING, required=("tests",), decision=ALLOW),
        cmd.ConfirmLanding(**who, found="moved", decision=ALLOW),
        cmd.AbandonLanding(**who, reason="target_moved"),
        cmd.FailExecution(**who, reason="r", detail="", charged=True, max_attempts=2),
        cmd.TakeLease(**who, holder="other", expires_ms=now_ms + 9_000_000),
        cmd.RenewLease(**who, expires_ms=max(now_ms, x.expires_ms) + 1_000),
    )
    return choices[step]


def _memory() -> str | None:
    """Return a directory in memory where there is one: nothing here needs a disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108


USUAL = settings(
    max_examples=80,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(0)  # many examples take as long as they take; the usual ones half a minute
def test_the_store_is_what_a_plain_fold_says(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    StoreMachine.template = tmp_path / "template"
    make_repository(StoreMachine.template)
    many = pytestconfig.getoption("--hypothesis-profile", default=None) == MANY
    chosen = settings.get_profile(MANY) if many else USUAL
    run_state_machine_as_test(StoreMachine, settings=chosen)
