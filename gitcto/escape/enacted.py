"""The real way: what a run does with an attempt, by the same functions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Self

from gitcto.errors import CtoError, ExitCode
from gitcto.escape.attacks.forgery import FORGED
from gitcto.escape.building import policy
from gitcto.escape.way import UNREADABLE, Trail, thawing
from gitcto.escape.world import ATTACKER, GATE, IDLE, TASK, TEAM, World
from gitcto.model.codec import canonical
from gitcto.model.records import Execution, Task, TaskSpec, TaskState
from gitcto.model.state import State
from gitcto.plugins import Plugins
from gitcto.runtime.agents import attempt
from gitcto.runtime.core.briefing import Briefing
from gitcto.runtime.core.jobs import Post
from gitcto.runtime.core.messages import (
    Message,
    NotStarted,
    RoomRemoved,
    WorkerFinished,
    WorkerStarted,
)
from gitcto.runtime.core.queue_messages import QueueMessage
from gitcto.runtime.core.seats import Turn, unrecorded
from gitcto.runtime.host.isolation import Isolation
from gitcto.runtime.proving.gates import judge_change, judge_tree
from gitcto.runtime.queue import admission
from gitcto.runtime.team.real_world import real_world
from gitcto.runtime.team.run import make_context
from gitcto.runtime.workspace import settle
from gitcto.store.ledger import Ledger

PATIENCE_S = 90.0
"""After how long a job that does not end counts as held up for ever (seconds)."""

_CTO = "home/project/.git/cto/"
_OURS = (
    ".ports",
    "home/fired",
    "rooms/.",
    f"{_CTO}lock",
    f"{_CTO}sidecar.db",
    f"{_CTO}worktrees.lock",
)


class Enacted:
    """One attempt in a sandbox. Enter it before use, leave it after ``finish``.

    ``room`` is the workspace plugin to use; with ``network`` its worker gets a proxy.
    """

    def __init__(
        self,
        world: World,
        plugins: Plugins,
        isolation: Isolation,
        *,
        room: str = "clone",
        network: bool = False,
    ) -> None:
        self._world = world
        self._room = room
        opened = make_context(world.request(plugins, policy(network=network)), world.layout())
        self._context = replace(opened, isolation=isolation)
        self._stack = ExitStack()
        self._execution = self._executing()
        self._task = Task(spec=TaskSpec(id=TASK, title="Attack"), order=1)
        self._own = (*_OURS, *self._own_places())

    def _own_places(self) -> list[str]:
        layout, execution = self._context.layout, self._execution.id
        places = (layout.place(execution), layout.records(execution), layout.outside(execution))
        return [str(each.relative_to(self._world.root)) for each in places]

    def __enter__(self) -> Self:
        """Open the ledger, as a run does."""
        self._stack.enter_context(self._context.ledger)
        self._before = _records(self._context.ledger.load())
        return self

    def __exit__(self, *_: object) -> None:
        """Close the ledger."""
        self._stack.close()

    @property
    def place(self) -> Path:
        """The directory with the attacker's room and scratch space."""
        return self._context.layout.place(self._execution.id)

    @property
    def records(self) -> Path:
        """The directory with the records of the attacker's process."""
        return self._context.layout.records(self._execution.id)

    def act(self, name: str, at: Mapping[str, object]) -> Trail:
        """Make the room, let the attack run, take its work up, and judge it."""
        inputs = {"name": name, "at": canonical(dict(at)).decode()}
        spec = TaskSpec(id=TASK, title="Attack", inputs=inputs)
        self._task = Task(spec=spec, order=1)
        said: list[Message | QueueMessage] = []
        with thawing() as (watch, needed):

            def post(message: Message | QueueMessage) -> None:
                if isinstance(message, WorkerStarted):
                    watch(message.started.supervisor_pid)
                said.append(message)

            told = Briefing(b"", ())
            step = unrecorded(self._execution)
            turn = Turn(task=self._task, execution=self._execution, step=step)
            job = attempt.begin(self._context, turn, told, (IDLE,))
            ended = _bounded(job, post)
            hung = "" if ended else "taking the work up never ends"
            hung = "the supervisor was stopped" if needed() else hung
        return self._trail(said, hung)

    def _trail(self, said: list[Message | QueueMessage], hung: str) -> Trail:
        output = self.records / "stdout.log"
        if hung and not any(isinstance(message, WorkerFinished) for message in said):
            return Trail(code=-1, output=output, hung=hung)
        finished = said[-1]
        if not isinstance(finished, WorkerFinished):
            detail = (
                finished.detail if isinstance(finished, NotStarted) else "no end of it was told"
            )
            raise CtoError(
                f"the attack could not be started: {detail}",
                "look with `git cto doctor` whether the sandbox works here",
                ExitCode.REFUSED,
            )
        taken, passed = self._judged(finished)
        believed = []
        if finished.exit.detail == FORGED:
            believed.append("its own record of its end")
        if passed and taken.startswith(b"broken"):
            believed.append("its own report of its tests")
        log = self.records / "stderr.log"
        return Trail(
            code=finished.exit.code,
            output=output,
            error=log.read_text(errors="replace") if log.exists() else "",
            hung=hung,
            believed=tuple(believed),
            noticed=finished.outside.changes,
            taken=taken,
            passed=passed,
        )

    def _judged(self, finished: WorkerFinished) -> tuple[bytes, bool]:
        """Run the gates on what was taken up; return it, and whether they were green."""
        work = finished.work
        if work is None:
            return b"", False
        self._execution = self._executing(work=work.commit, tree=work.tree, changed=work.changed)
        taken = self._context.git.run("show", f"{work.tree}:app.py", check=False).out
        try:
            bench = real_world(self._context).bench
            candidate = admission.candidate(bench, self._task, self._execution)
            judged = judge_change(self._context, candidate, {})
            if all(one.verdict.status == "pass" for one in judged):
                judged += judge_tree(self._context, [candidate], {}, {})
        except CtoError:  # a run would stop here, and say why
            return taken, False
        return taken, any(
            one.verdict.gate == GATE and one.verdict.status == "pass" for one in judged
        )

    def _executing(self, *, work: str = "", tree: str = "", changed: int = 0) -> Execution:
        now = self._context.effects.now_ms()
        known = getattr(self, "_execution", None)
        return Execution(
            id=known.id if known else self._context.effects.new_id(),
            task=TASK,
            epoch=1,
            attempt=1,
            state=TaskState.VALIDATING if work else TaskState.DISPATCHING,
            holder="suite",
            base=known.base if known else self._world.git("rev-parse", "HEAD"),
            provider=ATTACKER,
            role="developer",
            leased_ms=known.leased_ms if known else now,
            expires_ms=now + 3_600_000,
            workspace=self._room,
            work=work,
            tree=tree,
            changed=changed,
        )

    def finish(self) -> str:
        """Remove the room as a run does, with what its worker committed kept."""
        said: list[Message | QueueMessage] = []
        if not _bounded(settle.removal(self._context, self._execution), said.append):
            return "removing the room never ends"
        return next((each.problem for each in said if isinstance(each, RoomRemoved)), "")

    def misled(self) -> list[str]:
        """Open the ledger anew: it must say what it said before."""
        ledger = Ledger(self._context.repository, TEAM, self._context.effects, "suite@localhost")
        try:
            with ledger:
                same = _records(ledger.load()) == self._before
        except CtoError as error:
            return [f"{UNREADABLE}: {error.message}"]
        return [] if same else ["the ledger is read differently"]

    def is_ours(self, path: str) -> bool:
        """Tell whether a path of the world is changed by this way itself."""
        return path.startswith(self._own)

    def may_add(self, path: str) -> bool:
        """Tell whether this way itself may make such a path: objects, and refs to kept work."""
        git = "home/project/.git/"
        linked = (f"{git}worktrees/{self._execution.id}", f"{git}refs/heads/cto/{TEAM}/{TASK}")
        kept = f"{git}refs/cto/teams/{TEAM}/preserved"
        new = path.startswith((f"{git}objects/", kept, *linked)) and "/info" not in path
        return new or path in {f"{_CTO}teams/{TEAM}/outside", f"{git}worktrees"}


def _records(state: State) -> tuple[object, ...]:
    return (state.team, state.tasks, state.executions)


def _bounded(job: Callable[[Post], None], post: Post) -> bool:
    """Run a job; tell whether it ended. One that does not is left behind."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            job(post)
        except BaseException as error:  # noqa: BLE001 - raised again where it can be seen
            failed.append(error)

    thread = threading.Thread(target=run, name="attempt", daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    if failed:
        raise failed[0]
    return not thread.is_alive()
