from __future__ import annotations

from gitcto.model.records import Task, TaskSpec, TaskState
from gitcto.model.standstill import standstill


def tasks(**depends: tuple[str, ...]) -> dict[str, Task]:
    return {
        name: Task(
            spec=TaskSpec(id=name, title=name, depends_on=needed),
            order=order,
            waiting_for=len(needed),
        )
        for order, (name, needed) in enumerate(depends.items())
    }


def stuck(task: Task) -> Task:
    return Task(spec=task.spec, order=task.order, state=TaskState.BLOCKED, reason="stopped")


def test_who_waits_behind_what_needs_a_person_is_named_once_for_each() -> None:
    plan = tasks(A=(), B=("A",), C=("B",), D=(), E=("A", "D"), F=("D",))
    plan["A"] = stuck(plan["A"])
    assert list(standstill(plan)) == [
        "B, C, E wait for A, which is blocked (stopped): `git cto retry A`"
    ]
    plan["D"] = stuck(plan["D"])
    assert [line.partition(",")[0] for line in standstill(plan)] == ["B", "E"]


def test_where_nobody_waits_there_is_nothing_to_say() -> None:
    plan = tasks(A=(), B=("A",))
    assert list(standstill(plan)) == []
    plan["B"] = stuck(plan["B"])
    assert list(standstill(plan)) == []


def test_many_are_counted() -> None:
    plan = tasks(A=(), **{f"B{n}": ("A",) for n in range(9)})
    plan["A"] = stuck(plan["A"])
    [line] = standstill(plan)
    assert line.startswith("B0, B1, B2 and 6 more wait for A")
