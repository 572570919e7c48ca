"""The world that is: git, files and processes of this machine, asked as the loop asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Event as Flag

from gitcto.context.records import Entry
from gitcto.contracts import MergeResult
from gitcto.errors import CtoError
from gitcto.git.change import Change
from gitcto.git.change_id import change_id
from gitcto.git.harvest import HarvestRefused
from gitcto.git.stale_locks import clear_locks
from gitcto.git.trees import changed_lines, changes, subjects_of
from gitcto.model.codec import Event
from gitcto.model.commands import RecordPreserved
from gitcto.model.isolation import Level
from gitcto.model.lease_events import Signs
from gitcto.model.records import Decision, Execution, Landing, Task
from gitcto.queue.predict import ChangePredictor
from gitcto.runtime.agents import attempt, polling, reading, vitals, worker_context
from gitcto.runtime.agents.backends import RealAgents
from gitcto.runtime.agents.mailboxes import RealMailboxes
from gitcto.runtime.agents.worker_context import Desk
from gitcto.runtime.core.briefing import Briefing, Kept
from gitcto.runtime.core.candidate import Candidate
from gitcto.runtime.core.failures import Failure
from gitcto.runtime.core.jobs import Job, Jobs
from gitcto.runtime.core.judged import Judged, Known, Only
from gitcto.runtime.core.messages import AgentPolled, Work
from gitcto.runtime.core.outside_record import Outside
from gitcto.runtime.core.seats import Turn
from gitcto.runtime.core.world import Bench, Rooms, World
from gitcto.runtime.delivery import merging
from gitcto.runtime.delivery.outside_effects import settle_open
from gitcto.runtime.delivery.predicting import predictor_of
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.isolation import isolation_of
from gitcto.runtime.loop.leases import PATIENCE_S
from gitcto.runtime.proving import evidence, gates
from gitcto.runtime.proving.gate_trees import clear_gates
from gitcto.runtime.proving.recorded_strategies import Shelf
from gitcto.runtime.team.real_records import RealRecords
from gitcto.runtime.team.real_target import real_target
from gitcto.runtime.worker import hung, workers
from gitcto.runtime.worker.remains import end_commands
from gitcto.runtime.worker.worker_values import Observed
from gitcto.runtime.workspace import commits, outside, settle, taking_up
from gitcto.runtime.workspace.clean import leftovers
from gitcto.runtime.workspace.preserved import finish_drops, restore_lost
from gitcto.runtime.workspace.space import Space
from gitcto.strategies.records import Strategy


class _Rooms(Rooms):
    """Directories outside the repository, and processes under their supervisors."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._space = Space(context)
        self._desk = Desk(blobs=context.objects, ledger=context.ledger, policy=context.policy)

    def brief(
        self, task: Task, execution: str, decision: Decision, news: tuple[Entry, ...]
    ) -> Kept | Decision:
        return worker_context.brief(self._desk, task, execution, decision, news)

    def said(self, task: Task, execution: Execution, summary: str) -> Kept | None:
        return worker_context.said(self._desk, task, execution, summary)

    def brief_again(self, task: Task, news: tuple[Entry, ...]) -> Briefing:
        return worker_context.again(self._desk, task, news)

    def patches(self, turn: Turn) -> Mapping[str, str]:
        return reading.patches(self._context, turn)

    def begin(self, turn: Turn, briefing: Briefing, idle: tuple[str, ...]) -> Job:
        return attempt.begin(self._context, turn, briefing, idle)

    def adopt(self, turn: Turn, removing: frozenset[str]) -> Job:
        return attempt.adopt(self._context, turn, removing)

    def poll(self, turn: Turn, seen: AgentPolled | None) -> Job:
        return polling.poll(self._context, turn, seen)

    def observe(self, run: str) -> Observed:
        return workers.observe(self._context.layout.records(run))

    def heartbeats(self) -> Mapping[str, int]:
        return vitals.heartbeats(self._context)

    def signs(self, run: str, place: str, beat_ms: int, *, files: bool) -> Signs:
        return vitals.signs_of(self._context, run, place, beat_ms, files=files)

    def cut_off(self, run: str) -> None:
        hung.cut_off(self._context.layout.records(run))

    def move_in(self, execution: Execution) -> None:
        settle.move_in(self._context, execution)

    def stop(self, run: str) -> None:
        workers.request_stop(self._context.layout.records(run))

    def interrupt(self, run: str) -> None:
        workers.interrupt(self._context.layout.records(run))

    def end(self, run: str) -> Observed:
        records = self._context.layout.records(run)
        hung.end(records, self._context.effects, PATIENCE_S)
        return workers.observe(records)

    def take_up(self, task: Task, execution: Execution) -> Work | None:
        try:
            return taking_up.take_up(self._context, task, execution)
        except HarvestRefused:
            return None

    def take_up_unseen(self, turn: Turn) -> Work | None:
        return taking_up.work_unseen(self._context, turn)

    def preserve(
        self, execution: Execution, work: Work | None, beside: str = ""
    ) -> RecordPreserved | None:
        return settle.preserve(self._context, execution, work, beside)

    def unreachable_work(self, task: Task, execution: Execution) -> str:
        return settle.unreachable_work(self._context, task, execution)

    def removal(self, execution: Execution) -> Job:
        return settle.removal(self._context, execution)

    def leftovers(self) -> tuple[str, ...]:
        return leftovers(self._context)

    def idle(self, busy: frozenset[str]) -> tuple[str, ...]:
        return outside.idle_rooms(self._context.layout, busy)

    def where(self, execution: str) -> str:
        return str(self._context.layout.room(execution))

    def end_strays(self) -> None:
        context = self._context
        clear_locks(context.repository)
        finish_drops(context.layout, context.refs, context.ledger)
        restore_lost(context.layout, context.refs, context.objects, context.ledger)
        for place in sorted(context.layout.rooms.glob("*")):
            end_commands(place)
        clear_gates(context)

    def changed_outside(self, execution: Execution) -> Outside | None:
        before = outside.remembered(self._context, execution)
        return None if before is None else outside.compare(self._context, execution, before)

    def forget_outside(self, execution: Execution) -> None:
        outside.forget(self._context, execution)

    def shortage(self, *, again: bool = False) -> str:
        return self._space.look_again() if again else self._space.shortage()


class _Bench(Bench):
    """Git's objects, and gates in places of their own."""

    def __init__(self, context: Context) -> None:
        self._context, self.policy = context, context.policy

    def merge(self, execution: Execution, onto: str) -> MergeResult:
        return merging.merge(self._context, execution, onto)

    def tree_of(self, commit: str) -> str:
        return merging.tree_of(self._context, commit)

    def changes(self, old: str, new: str) -> tuple[Change, ...]:
        return changes(self._context.git, old, new)

    def change_id(self, old: str, new: str, changed: tuple[Change, ...]) -> str:
        return change_id(self._context.git, old, new, changed)

    def changed_lines(self, old: str, new: str) -> int:
        return changed_lines(self._context.git, old, new)

    def subjects_of(self, tip: str, since: str, paths: Sequence[str]) -> tuple[str, ...]:
        return subjects_of(self._context.git, tip, since, paths)

    def layer(self, candidate: Candidate) -> str:
        return commits.layer_commit(self._context, candidate)

    def landing_commit(self, candidate: Candidate, evidence: str) -> str:
        return commits.landing_commit(self._context, candidate, evidence)

    def judge_change(self, candidate: Candidate, known: Known) -> list[Judged]:
        return gates.judge_change(self._context, candidate, known)

    def judge_tree(
        self, candidates: Sequence[Candidate], known: Known, only: Only, stop: Flag
    ) -> list[Judged]:
        return gates.judge_tree(self._context, candidates, known, only, stop=stop)

    def bundle(
        self, candidate: Candidate, judged: Sequence[Judged], tree: str = ""
    ) -> tuple[str, str]:
        return evidence.bundle_or_why(self._context, candidate, judged, tree=tree)

    def failure_bundle(
        self, task: Task, execution: Execution, failure: Failure, work: Work | None
    ) -> tuple[str, str]:
        try:
            return evidence.write_failure(self._context, task, execution, failure, work=work), ""
        except (CtoError, ValueError) as error:
            return "", error.message if isinstance(error, CtoError) else str(error)

    def stale(self, execution: Execution, evidence_tree: str, landing: Landing) -> str:
        return evidence.check(self._context, execution, evidence_tree, landing)


class _World(World):
    def __init__(self, context: Context) -> None:
        self._context = context
        self.team = context.layout.team
        self.policy, self.effects = context.policy, context.effects
        self.holder, self.clone = context.holder, context.clone
        self.max_workers, self.shared = context.max_workers, context.shared is not None
        self.ledger = RealRecords(context)
        self.jobs = Jobs()
        self.rooms, self.bench = _Rooms(context), _Bench(context)
        self.mail = RealMailboxes(context)
        self.target = real_target(context)
        self.agents = RealAgents(context)
        self._shelf = Shelf(context)

    @property
    def level(self) -> Level:
        return isolation_of(self._context).level

    def strategy(self, name: str, file: str = "") -> Strategy:
        return self._shelf.strategy(name, file)

    def strategy_text(self, name: str) -> Mapping[str, str]:
        return self._shelf.text(name)

    def predictor(self, note: Callable[[str], None]) -> ChangePredictor:
        return predictor_of(self._context, note)

    def settle_effects(self, tasks: Iterable[Task]) -> list[str]:
        return settle_open(self._context, tasks)

    def notify(self, event: Event, seq: int) -> None:
        home = self._context.layout.home
        self._context.plugins.notify(event, team=self.team, seq=seq, state_root=home / "plugins")


def real_world(context: Context) -> World:
    """Return the world of a run with this context."""
    return _World(context)
