"""One run's world in a simulation: it fails when its faults say so, and keeps what is durable."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from gitcto.model.codec import Event
from gitcto.model.commands import Refusal, RenewLease, Together
from gitcto.model.events import LeaseRenewed
from gitcto.model.ids import ulid
from gitcto.model.records import Execution, Landing, Task
from gitcto.queue.predict import ChangePredictor, PlainPredictor
from gitcto.runtime.core.installed import Agents, Installed
from gitcto.runtime.core.jobs import Job, Runner
from gitcto.runtime.core.push_record import NOT_PUSHED
from gitcto.runtime.core.world import Target, World
from gitcto.strategies.records import Strategy
from gitcto.testing.mailboxes import QuietMailboxes
from gitcto.testing.simulation.bench import MadeUpBench
from gitcto.testing.simulation.clock import START_MS
from gitcto.testing.simulation.ledger import Book, Failing, Write
from gitcto.testing.simulation.room_world import MadeUpRooms

if TYPE_CHECKING:
    from gitcto.policy.records import Policy
    from gitcto.runtime.core.messages import Message
    from gitcto.runtime.core.queue_messages import QueueMessage
    from gitcto.testing.simulation.node import Node

TEAM = "sim"
_MONOTONIC_0 = 1000.0


class MadeUpEffects:
    """The virtual clock, as one machine's wall clock shows it; seeded ids; deadly crash points."""

    def __init__(self, node: Node, *, deadly: bool = True) -> None:
        self._node = node
        self._deadly = deadly

    def now_ms(self) -> int:
        """Return wall-clock time in milliseconds since the epoch."""
        return START_MS + self._node.clock.ms + self._node.skew_ms

    def monotonic_s(self) -> float:
        """Return the clock that nobody sets (seconds)."""
        return _MONOTONIC_0 + self._node.clock.ms / 1000

    def new_id(self) -> str:
        """Return a new ULID."""
        return ulid(self.now_ms(), self._node.ids.getrandbits(80))

    def pause(self, seconds: float) -> None:
        """Let time go by for everybody."""
        self._node.clock.ms += int(seconds * 1000)

    def crash_point(self, name: str) -> None:
        """Pass a durable step, or die at it."""
        if self._deadly:
            self._node.faults.step(name)


class MadeUpJobs(Runner):
    """Jobs end on the virtual clock; they die with the run that started them."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def start(self, name: str, job: Job) -> None:
        """Plan a job."""
        self._node.later(self._node.duration_ms(name), lambda: job(self._node.post))

    def next(self, timeout_s: float) -> Message | QueueMessage | None:
        """Return nothing: whoever turns the loop hands its messages to it."""
        del timeout_s
        return None


class RunWrite(Write):
    """What can go wrong around a run's transaction."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def begin(self) -> None:
        """Reach the authority."""
        if self._node.options.clones > 1 and self._node.cut_off:
            raise Failing("the remote does not answer")

    def before(self) -> None:
        """Stand before the one step that counts."""
        node = self._node
        if node.disk_full and node.faults.rng.random() < 0.3:  # noqa: PLR2004
            raise Failing("no space left on device")
        node.faults.step("ledger.object")

    def after(self) -> None:
        """Stand behind it."""
        self._node.faults.step("ledger.ref")
        if self._node.options.clones > 1 and self._node.faults.strikes("answer_lost"):
            raise Failing("the remote took it, and its answer was lost")
        self._node.faults.step("ledger.sidecar")


class MadeUpTarget(Target):
    """The target here, and at the remote where the team is shared."""

    def __init__(self, node: Node, effects: MadeUpEffects, ledger: Book) -> None:
        self._node = node
        self._effects = effects
        self._ledger = ledger

    def tip(self, name: str) -> str | None:
        """Return the commit at a branch."""
        return self._node.refs.get(name)

    def refuse_checked_out(self, name: str) -> None:
        """Raise ``CtoError`` when a worktree has the branch checked out."""
        if self._node.checked_out:
            raise Failing(f"{name} is checked out")

    def move(self, landing: Landing) -> bool:
        """Move it as a landing intends, in one swap; tell whether."""
        node = self._node
        node.faults.step("target.move")
        if node.faults.strikes("overtaken"):
            node.overtake()
        if node.options.clones > 1 and not self._move_shared(landing):
            return False
        if node.refs.get(landing.target) != landing.old:
            return node.options.clones > 1
        node.move_target(landing.new)
        return True

    def _move_shared(self, landing: Landing) -> bool:
        node, remote = self._node, self._node.remote
        expires = self._effects.now_ms() + node.policy.lease_s * 1000
        renewals = tuple(
            RenewLease(execution=x.id, epoch=x.epoch, expires_ms=max(expires, x.expires_ms + 1))
            for x in self._ledger.view().live()
            if x.landing is not None and x.landing.new == landing.new
        )

        def along() -> bool:
            if remote[landing.target] != landing.old:
                return False
            remote[landing.target] = landing.new
            return True

        answer = self._ledger.transact_along(Together(renewals), along)
        node.follow_target()
        if answer is None or isinstance(answer, Refusal) or not answer.events:
            return False
        return all(isinstance(event.body, LeaseRenewed) for event in answer.events)

    def push(self, name: str, commit: str) -> str:
        """Bring the remote's branch there; return where it was seen, or why it was not pushed."""
        node = self._node
        if not node.options.remote:
            return f"{NOT_PUSHED}policy names no remote"
        if node.cut_off:
            return f"{NOT_PUSHED}the remote does not answer"
        if node.options.clones == 1:
            node.faults.step("target.push")
            node.remote[name] = commit
        return f"origin {name}"

    def landed_as(self, execution: Execution, landing: Landing) -> str:
        """Return the target's commit of an execution, the intended one or another; or nothing."""
        tip = self._node.refs.get(landing.target, "")
        if self._node.history.contains(tip, landing.new):
            return landing.new
        since = self._node.history.since(tip, landing.old)
        return next((oid for oid, commit in since if commit.execution == execution.id), "")

    def look(self) -> str:
        """Bring what a shared remote has."""
        node = self._node
        if node.options.clones > 1:
            if node.cut_off:
                return "the remote does not answer"
            node.clone.follow()
            node.follow_target()
        return ""


class MadeUpAgents(Agents):
    """Every provider of policy is there, as part of git-cto."""

    def __init__(self, policy: Policy) -> None:
        self.engines = ()
        self._policy = policy

    def found(self, names: Collection[str]) -> Mapping[str, Installed]:
        """Return what is installed."""
        plugins = {name: self._policy.providers[name].plugin for name in names}
        return {name: Installed(plugin=plugin, shipped=True) for name, plugin in plugins.items()}

    def bounded(self, boundary: Collection[str], base: str) -> str:
        """Return nothing: no admission has a boundary."""
        return ""


class MadeUpWorld(World):
    """Everything one run works with."""

    def __init__(self, node: Node) -> None:
        effects = MadeUpEffects(node)
        ledger = Book(node.chain, node.clone, effects, node.actor, RunWrite(node))
        self.team, self.policy, self.effects = TEAM, node.policy, effects
        self.clone = node.name
        self.holder = f"ada@box/{node.name}/{effects.new_id()}"
        self.max_workers = node.options.max_workers
        self.shared = node.options.clones > 1
        self.ledger = ledger
        self.jobs = MadeUpJobs(node)
        self.rooms = MadeUpRooms(node, effects)
        self.mail = QuietMailboxes()
        self.bench = MadeUpBench(node.history, node.policy, node.faults)
        self.target = MadeUpTarget(node, effects, ledger)
        self.agents = MadeUpAgents(node.policy)

    @property
    def level(self) -> Literal["strict"]:
        """The level of isolation."""
        return "strict"

    def strategy(self, name: str, file: str = "") -> Strategy:
        """Return a strategy of the seed's policy, which nobody changes."""
        del file
        strategy = self.policy.strategies[name].own
        assert strategy is not None
        return replace(strategy, file=self.policy.digest)

    def strategy_text(self, name: str) -> Mapping[str, str]:
        """Return nothing: the policy says what it is."""
        del name
        return {}

    def predictor(self, note: Callable[[str], None]) -> ChangePredictor:
        """Return the plain predictor."""
        del note
        return PlainPredictor()

    def settle_effects(self, tasks: Iterable[Task]) -> list[str]:
        """Settle nothing: nobody asked for anything outside."""
        return []

    def notify(self, event: Event, seq: int) -> None:
        """Tell nobody."""
