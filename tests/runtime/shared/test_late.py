"""A worker that outlives its lease: its work is judged once or kept, never lost, never twice."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.runtime.worker import processes
from tests.runtime.shared.conftest import SHARED, Clone, Hub, Later
from tests.runtime.shared.test_two_clones import Enough
from tests.runtime.team.conftest import POLICY, Told

if TYPE_CHECKING:
    from gitcto.model.codec import Event

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]


class Scene:
    """Two clones; the first one's worker has written half of its work and waits for ``go``."""

    def __init__(self, hub: Hub, until: Any, *, adopt_late: bool) -> None:
        word = "true" if adopt_late else "false"
        policy = (POLICY + SHARED).replace("conflict = 2", f"conflict = 2\nadopt_late = {word}")
        self.hub, self.first = hub, hub.first(policy)
        self.go = hub.root / "go"
        self.first.cto("init")
        wait = {"do": "wait_for", "path": str(self.go)}
        half = {"do": "write", "path": "half.txt", "text": "half\n"}
        self.first.plan_more(hub.task(self.first, "A", half, wait))
        self.second = hub.another()
        self.second.cto("init")
        self.run = self.first.start("run")
        until(lambda: any((self.first.rooms / "main").glob("*/room/half.txt")))
        until(lambda: "execution.started" in self.kinds(self.second))

    def kinds(self, clone: Clone) -> list[str]:
        clone.shared().look()
        with clone.ledger() as ledger:
            return [stored.event.kind for stored in ledger.events()]

    def tree(self) -> list[int]:
        """Return the run of the first clone with all its supervisors and workers."""
        rows = processes.table()
        marked = {
            pid
            for pid, shown in processes.environments(rows).items()
            if any(os.fsencode(str(self.first.path)) in entry for entry in shown)
        }
        supervisors = {rows[pid].parent for pid in marked if pid in rows} - {1, os.getpid()}
        return sorted({self.run.pid, *marked, *supervisors})

    def give_up(self) -> None:
        """Let the second clone give the task up in a later world, and begin nothing itself."""

        def stop(event: Event) -> None:
            raise Enough(event.kind)

        with suppress(Enough):
            self.second.run_with(Later(), Told(on={"execution.failed": stop}))
        assert "execution.failed" in self.second.told.kinds()


def assert_landed_once(hub: Hub, first: Clone) -> None:
    assert hub.landed() == ["A"]
    assert first.git("show", "cto/main/integration:half.txt") == "half"
    first.assert_clean()
    hub.assert_agreed()


@pytest.mark.parametrize("adopt_late", [True, False])
def test_a_run_that_was_killed_comes_back_after_its_lease(
    hub: Hub, until: Any, adopt_late: bool
) -> None:
    """Its worker went on under its supervisor, and ended well while nobody looked."""
    scene = Scene(hub, until, adopt_late=adopt_late)
    scene.run.kill()
    scene.run.communicate()
    scene.give_up()
    scene.go.touch()
    told = scene.first.cto("run")
    kinds = scene.kinds(scene.first)
    assert ("work.adopted" in kinds) == adopt_late
    assert ("adoption.refused" in kinds) != adopt_late
    assert hub.starts() == {"A": 1 if adopt_late else 2}
    assert "its lease was taken" in told
    [kept] = scene.first.preserved()
    assert scene.first.show("half.txt", kept) == "half"
    assert_landed_once(hub, scene.first)
    shown = scene.first.cto("show", "A")
    assert ("adopted: judged as attempt 2" if adopt_late else "retries.adopt_late") in shown


@pytest.mark.parametrize("point", ["late.kept", "late.adopted"])
def test_who_is_killed_while_late_work_is_taken_does_it_once(
    hub: Hub, until: Any, point: str
) -> None:
    scene = Scene(hub, until, adopt_late=True)
    scene.run.kill()
    scene.run.communicate()
    scene.give_up()
    scene.go.touch()
    scene.first.save_policy()
    scene.first.die_at(point)
    scene.first.cto("run")
    kinds = scene.kinds(scene.first)
    assert (kinds.count("work.adopted"), kinds.count("landing.done")) == (1, 1)
    assert hub.starts() == {"A": 1}
    assert_landed_once(hub, scene.first)


@pytest.mark.parametrize("adopt_late", [True, False])
def test_a_machine_that_slept_through_its_lease(hub: Hub, until: Any, adopt_late: bool) -> None:
    """The run, the supervisor and the worker are stopped, and go on when the lease is another's."""
    scene = Scene(hub, until, adopt_late=adopt_late)
    asleep = scene.tree()
    for pid in asleep:
        os.kill(pid, signal.SIGSTOP)
    scene.give_up()
    for pid in asleep:
        os.kill(pid, signal.SIGCONT)
    if adopt_late:  # it may finish: nothing newer exists
        until(lambda: not _is_behind(scene))
    scene.go.touch()
    out, err = scene.run.communicate(timeout=100)
    assert scene.run.returncode == 0, out + err
    kinds = scene.kinds(scene.first)
    assert kinds.count("landing.done") == 1
    assert ("work.adopted" in kinds) == adopt_late
    assert kinds.count("execution.leased") == 2
    assert_landed_once(hub, scene.first)


def _is_behind(scene: Scene) -> bool:
    with scene.first.ledger() as ledger:
        return not any(stored.event.kind == "execution.failed" for stored in ledger.events())


def test_what_another_clone_began_meanwhile_is_newer(hub: Hub, until: Any) -> None:
    """The late worker is ended, what it did is kept and says why it was not judged."""
    scene = Scene(hub, until, adopt_late=True)
    asleep = scene.tree()
    for pid in asleep:
        os.kill(pid, signal.SIGSTOP)
    scene.go.touch()
    scene.second.run_with(Later())
    for pid in asleep:
        os.kill(pid, signal.SIGCONT)
    out, err = scene.run.communicate(timeout=100)
    assert scene.run.returncode == 0, out + err
    assert hub.landed() == ["A"]
    assert "task_done: A has landed" in scene.first.cto("show", "A")
    [kept] = scene.first.preserved()
    assert scene.first.show("half.txt", kept) == "half"
    hub.assert_agreed()


def test_a_person_takes_a_task_from_a_clone_that_is_gone(hub: Hub, until: Any) -> None:
    scene = Scene(hub, until, adopt_late=True)
    scene.run.kill()
    scene.run.communicate()
    assert "elsewhere" in scene.second.cto("lease", "list")
    scene.go.touch()
    said = scene.second.cto("lease", "steal", "A", "--reason", "the laptop was lost")
    assert "A is taken away from" in said
    scene.second.cto("run")
    assert hub.landed() == ["A"]
    scene.first.cto("run")  # it comes back after all
    assert hub.landed() == ["A"]
    assert "the laptop was lost" in scene.first.cto("log", "-n", "99")
    assert "task_done" in scene.first.cto("show", "A")
    hub.assert_agreed()
