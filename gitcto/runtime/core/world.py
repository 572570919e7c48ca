"""The world as the loop sees it: all that it asks besides the clock, and all that it does.

The orchestrator, its merge queue and its recovery touch no file, no process, no ref and no remote:
they ask a :class:`World`, at the level of what it means. :mod:`gitcto.runtime.team.real_world` asks
git and the operating system; ``gitcto.testing.simulation`` makes a world up. Between the two
nothing else differs, so what is true of the loop in one is true of it in the other (ADR 0005).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from threading import Event as Flag

    from gitcto.context.records import Entry
    from gitcto.contracts import MergeResult
    from gitcto.effects import Effects
    from gitcto.git.change import Change
    from gitcto.model.codec import Event
    from gitcto.model.commands import Command, RecordPreserved, Refusal
    from gitcto.model.isolation import Level
    from gitcto.model.lease_events import Signs
    from gitcto.model.records import Decision, Execution, Landing, Record, Task
    from gitcto.model.state import State
    from gitcto.model.view import StateView
    from gitcto.policy.records import Policy
    from gitcto.queue.predict import ChangePredictor
    from gitcto.runtime.core.briefing import Briefing, Kept
    from gitcto.runtime.core.candidate import Candidate
    from gitcto.runtime.core.failures import Failure
    from gitcto.runtime.core.installed import Agents
    from gitcto.runtime.core.jobs import Job, Runner
    from gitcto.runtime.core.judged import Judged, Known, Only
    from gitcto.runtime.core.mailbox_world import Mailboxes
    from gitcto.runtime.core.messages import AgentPolled, Work
    from gitcto.runtime.core.outside_record import Outside
    from gitcto.runtime.core.seats import Turn
    from gitcto.runtime.worker.worker_values import Observed
    from gitcto.store.ledger import Recorded
    from gitcto.store.queries import StoredEvent
    from gitcto.strategies.records import Strategy


class Records(Protocol):
    """A team's ledger; see ``gitcto.store.ledger.Ledger``. For the loop's thread alone."""

    @property
    def actor(self) -> str:
        """Who its events are recorded for."""

    def transact(
        self, command: Command, attachments: Mapping[str, str] | None = None
    ) -> Recorded | Refusal:
        """Decide on a command and record what follows from it: all of it, or nothing."""

    def catch_up(self) -> tuple[Record, ...]:
        """Return the records that others changed since this object looked last."""

    def load(self) -> State:
        """Return the team, its tasks and its live executions in memory."""

    def view(self) -> StateView:
        """Return the state by look-ups; it shows what is recorded when asked."""

    def queue_log(self) -> list[StoredEvent]:
        """Return the merge queue's events from its last opening on."""

    def events(self, *, newest_first: bool) -> Iterable[StoredEvent]:
        """Yield all events."""

    def distrust(self) -> str:
        """Look whether the tables are what the ledger says; if not, rebuild them and say what."""


class Rooms(Protocol):
    """Workers, their rooms and what they leave, by the names of :mod:`.seats`."""

    def brief(
        self, task: Task, execution: str, decision: Decision, news: tuple[Entry, ...]
    ) -> Kept | Decision:
        """Return what a task's next worker is told, or the denial when that is too much.

        ``execution`` is leased next; ``decision`` is about it, ``news`` are messages for it.
        """

    def said(self, task: Task, execution: Execution, summary: str) -> Kept | None:
        """Return what the next worker is told with what this one said at its end, if anything."""

    def brief_again(self, task: Task, news: tuple[Entry, ...]) -> Briefing:
        """Return what a later step of the same attempt is told of its task."""

    def patches(self, turn: Turn) -> Mapping[str, str]:
        """Return the texts of the changes that a step reads, by seat."""

    def begin(self, turn: Turn, briefing: Briefing, idle: tuple[str, ...]) -> Job:
        """Return the job of a new step; in the rooms of the ``idle`` executions nobody works."""

    def adopt(self, turn: Turn, removing: frozenset[str]) -> Job:
        """Return the job that continues a step which another orchestrator began.

        ``removing`` are the executions whose rooms this run clears away meanwhile.
        """

    def poll(self, turn: Turn, seen: AgentPolled | None) -> Job:
        """Return the job that asks what a running agent used; ``seen`` is the last answer."""

    def observe(self, run: str) -> Observed:
        """Return what is recorded of a worker and whether somebody still looks after it."""

    def heartbeats(self) -> Mapping[str, int]:
        """Return each execution's last heartbeat, as its supervisor wrote it, where it has one."""

    def signs(self, run: str, place: str, beat_ms: int, *, files: bool) -> Signs:
        """Look at a worker's signs of life; with ``files`` also at the files of its room."""

    def cut_off(self, run: str) -> None:
        """Kill the supervisor of a worker that does not answer; who waits for it ends the rest."""

    def move_in(self, execution: Execution) -> None:
        """Give who adopted late work its records, and pin the work; again changes nothing."""

    def stop(self, run: str) -> None:
        """Ask for the end of a worker, started or about to be. Returns at once."""

    def interrupt(self, run: str) -> None:
        """Ask for the same in haste: a deaf worker ends within two seconds."""

    def end(self, run: str) -> Observed:
        """End a worker and wait until nothing of it runs; return what is recorded then."""

    def take_up(self, task: Task, execution: Execution) -> Work | None:
        """Make a commit of what is in a room; None when it is gone or must stay as it is.

        ``execution`` is as that room knows it.
        """

    def take_up_unseen(self, turn: Turn) -> Work | None:
        """Return what a worker left that nobody saw start; None when its room must stay."""

    def preserve(
        self, execution: Execution, work: Work | None, beside: str = ""
    ) -> RecordPreserved | None:
        """Keep work that will not land under a ref; return the command that records it.

        ``beside`` is the seat of work beside that with which the execution goes on.
        """

    def unreachable_work(self, task: Task, execution: Execution) -> str:
        """Return why an ended execution's room must stay, or nothing when no work is in it alone.

        The proof is made, not remembered.
        """

    def removal(self, execution: Execution) -> Job:
        """Return the job that drops a settled execution's ref, and removes its room and records."""

    def leftovers(self) -> tuple[str, ...]:
        """Return all executions that left a room, records or a ref."""

    def idle(self, busy: frozenset[str]) -> tuple[str, ...]:
        """Return the executions whose rooms are there and are not among the ``busy`` ones."""

    def where(self, execution: str) -> str:
        """Return where a room is, for a person."""

    def end_strays(self) -> None:
        """End what a former run's commands and gates left, and finish what a person discarded."""

    def changed_outside(self, execution: Execution) -> Outside | None:
        """Compare what is outside with what it was before a worker began; None when unknown."""

    def forget_outside(self, execution: Execution) -> None:
        """Forget what was outside before a worker began: the comparison is recorded."""

    def shortage(self, *, again: bool = False) -> str:
        """Return why no room may be made, or nothing; look ``again`` also when just looked."""


class Bench(Protocol):
    """What judging works with: git's objects, the gates, and evidence. May be used from jobs."""

    policy: Policy

    def merge(self, execution: Execution, onto: str) -> MergeResult:
        """Merge an execution's work with a commit: a tree, or the conflicts."""

    def tree_of(self, commit: str) -> str:
        """Return the tree of a commit."""

    def changes(self, old: str, new: str) -> tuple[Change, ...]:
        """Return what differs between two trees or commits, by path."""

    def change_id(self, old: str, new: str, changed: tuple[Change, ...]) -> str:
        """Return the id of a change, whatever it is on."""

    def changed_lines(self, old: str, new: str) -> int:
        """Return how many lines a change adds and removes."""

    def subjects_of(self, tip: str, since: str, paths: Sequence[str]) -> tuple[str, ...]:
        """Return the first lines of the newest commits of ``since..tip`` that touch a path."""

    def layer(self, candidate: Candidate) -> str:
        """Write a commit on which the next change can be merged; nothing ever refers to it."""

    def landing_commit(self, candidate: Candidate, evidence: str) -> str:
        """Write the commit that would land, and return it."""

    def judge_change(self, candidate: Candidate, known: Known) -> list[Judged]:
        """Ask the gates of the change's tier that judge changes."""

    def judge_tree(
        self, candidates: Sequence[Candidate], known: Known, only: Only, stop: Flag
    ) -> list[Judged]:
        """Ask the gates that judge trees, of all tiers of the changes that lead to the last one's.

        ``only`` these tests, by gate, when it is not empty; ``stop`` ends them once it is set.
        """

    def bundle(
        self, candidate: Candidate, judged: Sequence[Judged], tree: str = ""
    ) -> tuple[str, str]:
        """Write the evidence of a judgement; return its tree, or nothing and why there is none.

        ``tree`` is what was judged when it is not the candidate's own.
        """

    def failure_bundle(
        self, task: Task, execution: Execution, failure: Failure, work: Work | None
    ) -> tuple[str, str]:
        """Write the evidence of an attempt that failed; return it, or nothing and why not."""

    def stale(self, execution: Execution, evidence: str, landing: Landing) -> str:
        """Return why a landing may not be intended on this evidence, or nothing."""


class Target(Protocol):
    """The branch that the team lands on, here and where it is shared. Names are full ref names."""

    def tip(self, name: str) -> str | None:
        """Return the commit at a branch; None when it is gone."""

    def refuse_checked_out(self, name: str) -> None:
        """Raise ``CtoError`` when a worktree has the branch checked out."""

    def move(self, landing: Landing) -> bool:
        """Move it as a landing intends, in one swap; tell whether. May be called from a job."""

    def push(self, name: str, commit: str) -> str:
        """Bring the remote's branch there; return where it was seen, or why it was not pushed."""

    def landed_as(self, execution: Execution, landing: Landing) -> str:
        """Return the target's commit of an execution, the intended one or another; or nothing."""

    def look(self) -> str:
        """Bring what a shared remote has; return why it could not be asked, or nothing."""


class World(Protocol):
    """Everything a run works with.

    ``holder`` names this run in leases, ``clone`` its clone; ``shared`` tells whether a remote's
    ledger is the authority, ``level`` how workers are kept in their rooms.
    """

    team: str
    policy: Policy
    effects: Effects
    holder: str
    clone: str
    max_workers: int
    shared: bool
    ledger: Records
    jobs: Runner
    rooms: Rooms
    mail: Mailboxes
    bench: Bench
    target: Target
    agents: Agents

    @property
    def level(self) -> Level:
        """The level of isolation that was proved when the run began; ``CtoError`` for none."""

    def strategy(self, name: str, file: str = "") -> Strategy:
        """Return a strategy as policy wants it, or as a recorded ``file`` says; or ``CtoError``."""

    def strategy_text(self, name: str) -> Mapping[str, str]:
        """Return what a lease attaches, so that its strategy can be read from the ledger."""

    def predictor(self, note: Callable[[str], None]) -> ChangePredictor:
        """Return who guesses which changes are good; ``note`` is told when it stops working."""

    def settle_effects(self, tasks: Iterable[Task]) -> list[str]:
        """Bring what was intended outside and never finished to its end; return what to say."""

    def notify(self, event: Event, seq: int) -> None:
        """Tell the plugins of a durable event."""
