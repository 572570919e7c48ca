"""Leases of real workers: who is silent loses it, who lives keeps it, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitcto.effects import SystemEffects
from gitcto.model.codec import Event
from gitcto.model.lease_events import LeaseExpired
from gitcto.runtime.team.run import run_team
from gitcto.runtime.worker import processes
from gitcto.runtime.worker.worker_records import read_started
from tests.runtime.team.conftest import write

pytestmark = pytest.mark.timeout(150)

LEASE_S = 2
HANG = {"do": "hang"}


def run(team: Any, effects: Any = None, **policy: Any) -> Any:
    """Run the team with short limits, in a world of the test's choice."""
    request = team.request()
    limits = replace(request.policy.limits, idle_s=LEASE_S)
    retries = replace(request.policy.retries, **policy)
    short = replace(request.policy, lease_s=LEASE_S, limits=limits, retries=retries)
    request = replace(request, policy=short, effects=effects or SystemEffects())
    return run_team(request, team.told, lambda: False)


def records(team: Any, execution: str) -> Any:
    return team.path / ".git" / "cto" / "teams" / "main" / "executions" / execution


def stop_all(team: Any, execution: str) -> None:
    """Stop a supervisor and its worker with SIGSTOP, as a machine that swaps to death does."""
    started = read_started(records(team, execution))
    assert started is not None
    rows = processes.descendants({started.supervisor_pid}, processes.table())
    for pid in (started.supervisor_pid, *rows):
        os.kill(pid, signal.SIGSTOP)
    team.stopped = [(pid, processes.start_of(pid)) for pid in (started.supervisor_pid, *rows)]


def await_file(team: Any, execution: str, name: str) -> None:
    """Wait until a worker has written a file in its room."""
    path = team.rooms / "main" / execution / "room" / name
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{name} was never written"
        time.sleep(0.01)


def bodies(team: Any, kind: type) -> list[Any]:
    return [event.body for event in team.told.events if isinstance(event.body, kind)]


def test_a_worker_that_stopped_with_its_supervisor_loses_its_lease(team: Any) -> None:
    """Its lock is held and its process is there; nothing of it moves. The next attempt lands."""
    team.plan(team.task("A", [write("half.txt", "half\n"), HANG], [write("a.txt", "a\n")]))
    stop_once = [lambda event: stop_all(team, event.body.execution)]
    team.told.on["execution.started"] = lambda event: stop_once and stop_once.pop()(event)
    run(team)
    [expired] = bodies(team, LeaseExpired)
    assert expired.quiet_ms >= expired.limit_ms == LEASE_S * 1000
    assert expired.signs.supervised
    assert expired.signs.written_ns
    assert team.landed() == ["A"]
    assert team.tasks()["A"].retries == {"lease_expired": 1}
    assert team.tasks()["A"].epoch == 2
    assert all(processes.start_of(pid) != start for pid, start in team.stopped)
    team.assert_clean()


def test_a_run_that_is_killed_between_expiry_and_end_leaves_it_to_the_next(
    team: Any, monkeypatch: Any
) -> None:
    """A process of its own, with the shortest lease that a policy file may ask for."""
    monkeypatch.setattr("gitcto.runtime.loop.leases.PATIENCE_S", 1.0)
    team.plan(team.task("A", [write("half.txt", "half\n"), HANG], [write("a.txt", "a\n")]))
    team.policy_text = team.policy_text.replace(
        "[roles.developer]", "lease_s = 10\n[limits]\nidle_s = 10\n[roles.developer]", 1
    )
    team.save_policy()
    program = Path(__file__).with_name("run_and_die.py")
    argv = [sys.executable, str(program), str(team.root), "lease.expired", "1"]
    with subprocess.Popen(argv, env=team.environ) as process:
        deadline = time.monotonic() + 60
        while not list(team.rooms.glob("main/*/room/half.txt")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        stop_all(team, team.tasks()["A"].execution)
        assert process.wait(timeout=100) == -signal.SIGKILL
    pid, start = team.stopped[0]
    assert processes.start_of(pid) == start
    team.run()
    assert all(processes.start_of(pid) != start for pid, start in team.stopped)
    assert team.landed() == ["A"]
    assert team.tasks()["A"].retries == {"lease_expired": 1}
    team.assert_clean()


class Jumping(SystemEffects):
    """A machine whose wall clock somebody sets."""

    def __init__(self) -> None:
        self.off_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.off_ms


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_jumps_ends_no_living_worker(team: Any, hours: int) -> None:
    """The worker says nothing for longer than its lease; its supervisor's heart beats."""
    go, world = team.root / "go", Jumping()
    team.plan(team.task("A", [{"do": "wait_for", "path": str(go)}, write("a.txt", "a\n")]))
    timer = threading.Timer(LEASE_S * 2, go.touch)

    def jump(_event: Event) -> None:
        world.off_ms = hours * 3_600_000
        timer.start()

    team.told.on["execution.started"] = jump
    request = team.request()
    short = replace(request.policy, lease_s=LEASE_S)
    run_team(replace(request, policy=short, effects=world), team.told, lambda: False)
    assert bodies(team, LeaseExpired) == []
    assert team.landed() == ["A"]
    assert team.tasks()["A"].attempts == 1


def test_a_stopped_task_ends_its_worker_and_the_team_goes_on(team: Any) -> None:
    """One of three is stopped while it works; another that waits for it is named at the end."""
    from gitcto.model.lease_commands import StopTask

    team.plan(
        team.task("A", [write("a.txt", "half\n"), HANG]),
        team.task("B", [write("b.txt", "b\n")]),
        team.task("C", [write("c.txt", "c\n")], depends_on=("A",)),
    )

    def stop(event: Event) -> None:
        if event.body.execution == team.tasks()["A"].execution:
            await_file(team, event.body.execution, "a.txt")
            with team.ledger() as ledger:
                ledger.transact(StopTask(task="A", reason="not now"))

    team.told.on["execution.started"] = stop
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason) == ("blocked", "stopped")
    assert "not now" in task.detail
    assert team.landed() == ["B"]
    assert any("C waits for A, which is blocked" in note for note in team.told.notes)
    [kept] = team.preserved()
    assert team.show("a.txt", kept) == "half"
    team.assert_clean()


def test_a_stolen_worker_is_ended_and_its_task_done_by_another(team: Any) -> None:
    from gitcto.model.lease_commands import StealLease

    team.plan(team.task("A", [write("half.txt", "half\n"), HANG], [write("a.txt", "a\n")]))

    def steal(event: Event) -> None:
        if event.body.epoch == 1:
            await_file(team, event.body.execution, "half.txt")
            with team.ledger() as ledger:
                command = StealLease(
                    execution=event.body.execution,
                    epoch=1,
                    by="bob",
                    reason="gone",
                    max_attempts=2,
                )
                ledger.transact(command)

    team.told.on["execution.started"] = steal
    team.run()
    assert team.landed() == ["A"]
    assert team.tasks()["A"].retries == {"lease_stolen": 1}
    assert "adoption.refused" in team.told.kinds()
    assert "outcome.refused" in team.told.kinds()
    team.assert_clean()


def test_drain_ends_a_run_when_what_runs_has_landed(team: Any) -> None:
    from gitcto.model.commands import SetMode
    from gitcto.model.records import TeamMode

    go = team.root / "go"
    wait = {"do": "wait_for", "path": str(go)}
    names = ("A", "B", "C", "D")
    team.plan(*(team.task(name, [wait, write(f"{name}.txt", name)]) for name in names))
    seen: list[str] = []

    def drain(event: Event) -> None:
        seen.append(event.body.execution)
        if len(seen) == 3:
            with team.ledger() as ledger:
                ledger.transact(SetMode(mode=TeamMode.DRAINING))
            go.touch()

    team.told.on["execution.started"] = drain
    result = team.run()
    assert len(team.landed()) == 3
    assert len(result.unfinished) == 1
    assert json.dumps(sorted(task.state for task in team.tasks().values())).count("queued") == 1
    team.assert_clean()
