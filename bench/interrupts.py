"""Stop: from `git cto mail send --stop` being typed to its worker's processes being gone."""

from __future__ import annotations

import sys
import threading
import time
from statistics import median

from bench.measure import Effort, Row, program
from bench.repositories import Place, scratch
from bench.teams import BenchTeam, policy_text
from gitcto.model.codec import Event
from gitcto.model.events import ExecutionStarted
from gitcto.model.state import State
from gitcto.policy.load import parse
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.team.run import run_team
from gitcto.runtime.worker import workers

TASKS = 20
LIMIT_MS = 2000.0
_CTO = (sys.executable, "-c", "import sys; from gitcto.cli.entry import main; sys.exit(main())")
_BARE = (sys.executable, "-I", "-S", "-c", "pass")
_WORKERS = {"a worker": "exec sleep 600", "a deaf worker": 'trap "" INT TERM; sleep 600; sleep 600'}


class _Stopper:
    """A listener that stops every worker as soon as it runs, as a person would."""

    def __init__(self, place: Place) -> None:
        self.took_s: list[float] = []
        self._place = place
        self._stopping: list[threading.Thread] = []
        self._layout = Layout(place.repository(), "main", place.beside("rooms"))

    def recorded(self, event: Event, state: State) -> None:
        """Begin to stop a worker that started."""
        if isinstance(event.body, ExecutionStarted):
            execution = event.body.execution
            task = state.executions[execution].task
            thread = threading.Thread(target=self._stop, args=(task, execution))
            self._stopping.append(thread)
            thread.start()

    def note(self, text: str) -> None:
        """Take no note."""

    def wait(self) -> None:
        """Wait until all that was begun is measured: a run may be over before."""
        for thread in self._stopping:
            thread.join()

    def _stop(self, task: str, execution: str) -> None:
        began = time.perf_counter()
        argv = (*_CTO, "mail", "send", task, "--subject", "stop", "--stop")
        program(argv, self._place.path, self._place.env)
        workers.wait(self._layout.records(execution))
        self.took_s.append(time.perf_counter() - began)


def measure(effort: Effort) -> list[Row]:
    """Return rows for a worker that ends when it is asked to, and for one that does not."""
    rows: list[Row] = []
    for what, script in _WORKERS.items():
        with scratch() as place:
            stopper = _stopped(place, script, effort.size(TASKS, 1))
            bare = [program(_BARE, place.path, place.env).wall_s for _ in stopper.took_s]
        for how, pick in (("median", median), ("maximum", max)):
            rows.append(
                Row(
                    what=f"{what} stopped, {how} of {len(stopper.took_s)}",
                    value=pick(stopper.took_s) * 1e3,
                    unit="ms",
                    baseline=pick(bare) * 1e3,
                    versus="python -I -S -c pass",
                    limit=LIMIT_MS,
                )
            )
    return rows


def _stopped(place: Place, script: str, tasks: int) -> _Stopper:
    team = BenchTeam(place, "clone")
    command = f'argv = ["sh", "-c", {script!r}]'
    lines = policy_text("clone", 2).splitlines()
    text = "\n".join(command if line.startswith("argv") else line for line in lines)
    team.policy = parse(text.encode(), "policy.toml")
    team.plan(team.tasks(tasks))
    stopper = _Stopper(place)
    run_team(team.request(), stopper, lambda: False)
    stopper.wait()
    return stopper
