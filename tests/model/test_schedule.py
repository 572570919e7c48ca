"""The schedule: bands, ageing, roles, and the cap."""

from __future__ import annotations

from msgspec.structs import replace

from gitcto.model.records import MAX_WORKERS, Execution, Task, TaskSpec, TaskState
from gitcto.model.schedule import AGEING_MS, choose


def task(name: str, priority: str = "normal", role: str = "dev", seq: int = 0, ms: int = 0) -> Task:
    spec = TaskSpec(id=name, title=name, priority=priority, role=role)  # type: ignore[arg-type]
    return Task(spec=spec, order=seq, queued_seq=seq, queued_ms=ms)


def live(role: str) -> Execution:
    return Execution(
        id="x",
        task="x",
        epoch=1,
        attempt=1,
        state=TaskState.EXECUTING,
        holder="h",
        base="b",
        provider="p",
        role=role,
        leased_ms=0,
        expires_ms=1,
    )


def names(tasks: list[Task]) -> list[str]:
    return [t.spec.id for t in tasks]


def test_bands_go_first_then_the_oldest() -> None:
    ready = [task("old", seq=1), task("new", seq=2), task("hot", "urgent", seq=3)]
    assert names(choose(ready, [], 0, 3)) == ["hot", "old", "new"]


def test_a_low_task_is_never_starved() -> None:
    low = task("low", "low", seq=1, ms=0)
    fresh = [task(f"u{n}", "urgent", seq=9 + n, ms=4 * AGEING_MS) for n in range(20)]
    assert names(choose([*fresh, low], [], 4 * AGEING_MS, 1)) == ["low"]


def test_who_waits_after_a_providers_fault_is_passed_over() -> None:
    waits = replace(task("waits", "urgent", seq=1), not_before_ms=500)
    ready = [waits, task("next", seq=2)]
    assert names(choose(ready, [], 499, 1)) == ["next"]
    assert names(choose(ready, [], 500, 1)) == ["waits"]


def test_roles_share_the_workers() -> None:
    ready = [*(task(f"d{n}", role="dev", seq=n) for n in range(9)), task("t", role="test", seq=99)]
    assert "t" in names(choose(ready, [live("dev")], 0, 3))


def test_never_more_than_six() -> None:
    ready = [task(f"t{n}", seq=n) for n in range(99)]
    assert len(choose(ready, [], 0, 99)) == MAX_WORKERS
    assert choose(ready, [live("dev")] * MAX_WORKERS, 0, 99) == []


def test_the_order_does_not_depend_on_the_order_of_asking() -> None:
    ready = [task(f"t{n}", role="ab"[n % 2], seq=n) for n in range(30)]
    assert choose(ready, [], 0, 6) == choose(ready[::-1], [], 0, 6)
