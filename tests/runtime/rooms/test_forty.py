"""Forty rooms at once, with each kind: all are made, all are different, nothing is left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gitcto.model.records import Execution, Task, TaskSpec, TaskState
from gitcto.runtime.agents.attempt import commands_in
from gitcto.runtime.core.seats import Turn, unrecorded
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.team.run import make_context
from gitcto.runtime.workspace import trash
from gitcto.runtime.workspace.rooms import make_room, release_room

NUMBER = 40


def execution(number: int, base: str, workspace: str) -> tuple[Task, Execution]:
    spec = TaskSpec(id=f"T-{number}", title="x")
    made = Execution(
        id=f"x{number}",
        task=spec.id,
        epoch=1,
        attempt=1,
        state=TaskState.DISPATCHING,
        holder="h",
        base=base,
        provider="scripted",
        role="developer",
        leased_ms=1,
        expires_ms=2,
        workspace=workspace,
    )
    return Task(spec=spec, state=TaskState.DISPATCHING, queued_ms=1, order=1), made


def base_of(context: Context, task: Task, made: Execution) -> str:
    turn = Turn(task=task, execution=made, step=unrecorded(made))
    return commands_in(context, turn).env["CTO_PORT_BASE"]


@pytest.mark.parametrize("workspace", ["clone", "worktree"])
def test_forty_at_once(crew: Any, workspace: str) -> None:
    crew.files(30)
    before = crew.team.git("worktree", "list"), crew.team.git("for-each-ref")
    request = crew.team.request()
    context = make_context(request, Layout(request.repository, "main", request.rooms_root))
    wanted = [execution(n, crew.team.git("rev-parse", "main"), workspace) for n in range(NUMBER)]
    with ThreadPoolExecutor(NUMBER) as threads:
        list(threads.map(lambda pair: make_room(context, *pair), wanted))
        bases = list(threads.map(lambda pair: base_of(context, *pair), wanted))
        rooms = [context.layout.room(pair[1].id) for pair in wanted]
        assert all((room / "many/part0/29").is_file() for room in rooms)
        assert [crew.team.git("-C", str(room), "status", "--porcelain") for room in rooms] == (
            [""] * NUMBER
        )
        assert len(set(bases)) == NUMBER
        problems = list(threads.map(lambda pair: release_room(context, pair[1]), wanted))
    assert problems == [""] * NUMBER
    trash.empty(context.layout.trash)
    assert list(context.layout.rooms.iterdir()) == []
    assert (crew.team.git("worktree", "list"), crew.team.git("for-each-ref")) == before
    assert list(context.layout.ports.iterdir()) == [context.layout.ports / "lock"]
    assert trash.waiting(context.layout.trash) == ()


def test_each_worker_is_told_its_ports(crew: Any) -> None:
    crew.workspace("ports = 7")
    say = "echo $CTO_PORT_BASE $CTO_PORT_COUNT >"
    flags = [crew.team.root / name for name in "ab"]
    wait = f"touch {flags[0]}; while ! test -e {flags[1]}; do :; done"
    back = f"touch {flags[1]}; while ! test -e {flags[0]}; do :; done"
    crew.tasks(A=f"{say} a; {wait}", B=f"{say} b; {back}")
    crew.team.run()
    first, second = crew.team.show("a").split(), crew.team.show("b").split()
    assert first[1] == second[1] == "7"
    assert abs(int(first[0]) - int(second[0])) >= 100
    assert [path.name for path in (crew.rooms.parent / ".ports").iterdir()] == ["lock"]
