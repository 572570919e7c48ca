"""The machine under arbitrary commands: whatever is tried, the promises hold after each step."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gitcto.model import commands as cmd
from gitcto.model import events as ev
from gitcto.model.codec import GENESIS, decode, digest, seal
from gitcto.model.decide import decide
from gitcto.model.evolve import evolve
from gitcto.model.outside_events import OutsideChanged
from gitcto.model.records import (
    LIVE_STATES,
    MAX_WORKERS,
    WORKING_STATES,
    Decision,
    Execution,
    Landing,
    TaskSpec,
    TaskState,
    TeamMode,
    Verdict,
)
from gitcto.model.state import State, fold
from gitcto.model.step_commands import EndStep, StartStep
from gitcto.model.step_records import StepVerdict
from gitcto.model.step_rules import running, workers

TASKS = ("A", "B", "C", "D", "E", "F", "G", "H", "I")
TREES = ("1" * 40, "2" * 40)
ALLOW = Decision(
    action="x",
    resource="y",
    subject="z",
    rule="r",
    policy="p",
    inputs={},
    verdict="allow",
    reason="",
)
tasks = st.sampled_from(TASKS)
pick = st.integers(0, 10_000)


class Machine(RuleBasedStateMachine):
    """Drives ``decide`` and ``evolve`` as the ledger would, with the arguments of a madman."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.lines: list[bytes] = []
        self.history: list[ev.EventBody] = []
        self.prev = GENESIS
        self.ids = 0

    @initialize()
    def plan(self) -> None:
        chained = {"B": ("A",), "C": ("A", "B")}
        specs = tuple(
            TaskSpec(id=name, title=name, depends_on=chained.get(name, ())) for name in TASKS
        )
        self.send(cmd.CreateTeam(team="demo", target="refs/heads/cto/demo/integration"))
        self.send(cmd.ImportPlan(source="x", digest="y", tasks=specs))

    def new_id(self) -> str:
        self.ids += 1
        return f"{self.ids:026d}"

    def send(self, command: cmd.Command) -> object:
        answer = decide(self.state, command, 1_000)
        if isinstance(answer, cmd.Refusal):
            return answer
        sealed = seal(answer, prev=self.prev, actor="t", now_ms=1_000, new_id=self.new_id)
        for event, line in sealed:
            self.lines.append(line)
            self.prev = digest(line)
            self.state.put(evolve(self.state, event, len(self.lines)))
            self.history.append(event.body)  # type: ignore[arg-type]
        return answer

    def any_execution(self, number: int) -> Execution | None:
        known = list(self.state.executions.values())
        return known[number % len(known)] if known else None

    @rule(task=tasks, limit=st.integers(-1, 99))
    def lease(self, task: str, limit: int) -> None:
        self.send(
            cmd.Lease(
                task=task,
                execution=self.new_id(),
                base="b",
                provider="p",
                role="r",
                workspace="clone",
                holder="h",
                expires_ms=2_000,
                max_workers=limit,
                decision=ALLOW,
            )
        )

    @rule(number=pick, epoch=st.integers(0, 4), step=st.integers(0, 8), tree=st.sampled_from(TREES))
    def outcome(self, number: int, epoch: int, step: int, tree: str) -> None:
        x = self.any_execution(number)
        if x is not None:
            quoted = epoch or x.epoch
            answer = self.send(_command(x, quoted, step, tree))
            if quoted != x.epoch:
                assert isinstance(answer, tuple)
                assert [type(body) for body in answer] == [ev.OutcomeRefused]

    @rule(number=pick)
    def advance(self, number: int) -> None:
        """Take a live execution one honest step on, so that long histories are reached."""
        live = [x for x in self.state.executions.values() if x.state in LIVE_STATES]
        if not live:
            return
        x = live[number % len(live)]
        for step in {
            TaskState.DISPATCHING: (0,),
            TaskState.EXECUTING: (1, 2),
            TaskState.VALIDATING: (3, 4),
            TaskState.INTEGRATING: (5,),
        }[x.state]:
            self.send(_command(x, x.epoch, step, TREES[0]))

    @rule(number=pick, commit=st.sampled_from(TREES))
    def keep_and_discard(self, number: int, commit: str) -> None:
        """Kept work is discarded at most once, and never while its attempt is alive."""
        x = self.any_execution(number)
        if x is None:
            return
        named = {"execution": x.id, "ref": f"preserved/{x.id}", "commit": commit}
        self.send(cmd.RecordPreserved(**named))
        answer = self.send(cmd.DiscardWork(**named))
        assert isinstance(answer, cmd.Refusal) == (x.state in LIVE_STATES)
        after = self.state.executions[x.id]
        if x.state not in LIVE_STATES:
            assert after.preserved == ""
            assert self.send(cmd.DiscardWork(**named)) == ()

    @rule(number=pick, change=st.sampled_from(("hook", "file")), blocking=st.booleans())
    def outside(self, number: int, change: str, blocking: bool) -> None:
        """What changed outside a room is remembered for good, and what blocks goes on blocking."""
        x = self.any_execution(number)
        if x is None:
            return
        command = cmd.RecordOutside(execution=x.id, changes=(change,), blocking=blocking)
        assert not isinstance(self.send(command), cmd.Refusal)
        after = self.state.executions[x.id]
        assert set(after.outside) == {*x.outside, change}
        assert after.outside_blocks == (x.outside_blocks or blocking)
        assert after.state is x.state
        assert self.send(command) == ()

    @rule(number=pick, which=pick, limit=st.integers(0, 9), end=st.booleans())
    def step(self, number: int, which: int, limit: int, end: bool) -> None:
        """Start or end any step of any execution, honest or not."""
        x = self.any_execution(number)
        if x is not None:
            self.send(_ended(x, which) if end else _begun(x, which, limit))

    @rule(task=tasks)
    def requeue(self, task: str) -> None:
        self.send(cmd.RequeueTask(task=task))

    @rule(mode=st.sampled_from(TeamMode))
    def mode(self, mode: TeamMode) -> None:
        self.send(cmd.SetMode(mode=mode))

    @rule()
    def run_again(self) -> None:
        self.send(cmd.SetMode(mode=TeamMode.RUNNING))

    @invariant()
    def one_live_lease_per_task_and_never_more_than_the_cap(self) -> None:
        live = [x.task for x in self.state.executions.values() if x.state in LIVE_STATES]
        assert len(live) == len(set(live))
        working = [x for x in self.state.live() if x.state in WORKING_STATES]
        assert workers(working) <= MAX_WORKERS
        assert sorted(live) == sorted(x.task for x in self.state.live())

    @invariant()
    def done_only_with_evidence_of_a_landing_judged_green(self) -> None:
        intents = {b.execution: b for b in self.history if isinstance(b, ev.LandingIntended)}
        for task in self.state.tasks.values():
            if task.state is TaskState.DONE:
                execution = self.state.executions[task.execution]
                landing = intents[task.execution].landing
                assert task.commit == landing.new
                assert task.evidence
                assert any(
                    v.status == "pass" and v.tree == landing.tree for v in execution.verdicts
                )

    @invariant()
    def what_was_blocked_before_its_landing_never_lands(self) -> None:
        blocked: set[str] = set()
        for body in self.history:
            if isinstance(body, OutsideChanged) and body.blocking:
                blocked.add(body.execution)
            assert not (isinstance(body, ev.LandingIntended) and body.execution in blocked)

    @invariant()
    def steps_follow_each_other_and_none_outlives_its_execution(self) -> None:
        for x in self.state.executions.values():
            assert [step.number for step in x.steps] == list(range(1, len(x.steps) + 1))
            seats = [step.seat for step in running(x)]
            assert len(seats) == len(set(seats))
            assert not seats or (x.state in WORKING_STATES and not x.exit)

    @invariant()
    def what_was_judged_is_taken_up_as_it_was_approved(self) -> None:
        for x in self.state.executions.values():
            if x.place and any(step.verdict for step in x.steps):
                assert any(step.verdict == "approve" for step in x.steps)

    @invariant()
    def lands_once(self) -> None:
        landed = [b.execution for b in self.history if isinstance(b, ev.LandingDone)]
        owners = [self.state.executions[x].task for x in landed]
        assert len(owners) == len(set(owners))

    @invariant()
    def tokens_only_grow_and_are_never_reused(self) -> None:
        seen: dict[str, int] = {}
        for body in self.history:
            if isinstance(body, ev.ExecutionLeased):
                assert body.epoch > seen.get(body.task, 0)
                seen[body.task] = body.epoch

    @invariant()
    def an_old_token_changes_nothing(self) -> None:
        current: dict[str, tuple[str, int]] = {}
        task_of: dict[str, str] = {}
        for body in self.history:
            if isinstance(body, ev.ExecutionLeased):
                task_of[body.execution] = body.task
                current[body.task] = (body.execution, body.epoch)
            elif not isinstance(body, ev.OutcomeRefused) and hasattr(body, "epoch"):
                execution = body.execution
                assert current[task_of[execution]] == (execution, body.epoch)

    @invariant()
    def dependencies_come_first_and_counters_agree(self) -> None:
        tasks_by_id = self.state.tasks
        for task in tasks_by_id.values():
            undone = sum(
                tasks_by_id[name].state is not TaskState.DONE for name in task.spec.depends_on
            )
            assert task.waiting_for == undone
            assert task.state is TaskState.QUEUED or undone == 0
        team = self.state.team
        if team is not None:
            assert sum(team.counts.values()) == len(tasks_by_id)
            for state, count in team.counts.items():
                assert count == sum(t.state == state for t in tasks_by_id.values())

    def teardown(self) -> None:
        replayed = fold(decode(line) for line in self.lines)
        assert list(replayed.records()) == list(self.state.records())
        assert set(replayed.ready) == set(self.state.ready)


def _begun(x: Execution, which: int, limit: int) -> cmd.Command:
    edits = which % 3 > 0
    return StartStep(
        execution=x.id,
        epoch=x.epoch,
        number=len(x.steps) + which % 5 // 4 + 1,
        name="write",
        role="r",
        provider="p",
        seat=("main", "second", "review")[which % 3],
        edits=edits,
        asks="work" if edits else "verdict",
        max_workers=limit,
    )


def _ended(x: Execution, which: int) -> cmd.Command:
    step = x.steps[which % len(x.steps)] if x.steps else None
    verdicts: tuple[StepVerdict, ...] = ("", "approve", "reject", "none")
    return EndStep(
        execution=x.id,
        epoch=x.epoch,
        number=step.number if step else which,
        verdict="" if step is None or step.edits else verdicts[which % 4],
        change=TREES[0] if which % 2 else "",
    )


def _command(x: Execution, epoch: int, step: int, tree: str) -> cmd.Command:
    verdict = Verdict(gate="tests", status="pass", reason="ok", tree=tree, definition="d")
    landing = Landing(target="t", old="o", new=f"n-{x.id}", tree=tree, evidence="e")
    ident = {"execution": x.id, "epoch": epoch}
    choices: tuple[cmd.Command, ...] = (
        cmd.RecordStart(**ident, pid=1, process_start="1", isolation="none"),
        cmd.RecordExit(**ident, code=0, cause="exited"),
        cmd.RecordHarvest(**ident, commit="c", tree="t", changed=1, change=TREES[0]),
        cmd.RecordVerdicts(**ident, verdicts=(verdict,)),
        cmd.IntendLanding(**ident, landing=landing, required=("tests",), decision=ALLOW),
        cmd.ConfirmLanding(**ident, found="moved", decision=ALLOW),
        cmd.AbandonLanding(**ident, reason="target_moved"),
        cmd.FailExecution(**ident, reason="r", detail="", charged=True, max_attempts=2),
        cmd.TakeLease(**ident, holder="other", expires_ms=9_000),
    )
    return choices[step]


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=120, stateful_step_count=60, deadline=None, derandomize=True
)
