"""The product's own durable operations as small programs, for the fault harnesses.

Each is what a run or a command does at that step, by the same functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.effects import SystemEffects
from gitcto.git.objects import Objects
from gitcto.git.remotes import Remote
from gitcto.model import commands as cmd
from gitcto.store import bundle, growth
from gitcto.store.chain import ledger_ref
from gitcto.store.ledger import Ledger
from gitcto.store.shared import Shared
from gitcto.store.sidecar import sidecar_path
from gitcto.testing import own_team as own
from gitcto.testing.own_rooms import ROOMS
from gitcto.testing.own_work import DROP, LANDING, PRESERVE, RECORDS
from gitcto.testing.scene import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.testing.scene import Scene


def _append(scene: Scene) -> None:
    with own.open_ledger(scene) as ledger:
        _add_task(scene, ledger)


def _add_task(scene: Scene, ledger: Ledger) -> None:
    if not ledger.exists():
        own.record(scene, ledger, cmd.CreateTeam(team=own.TEAM, target=own.TARGET))
    own.record(scene, ledger, own.plan(f"T{len(ledger.tasks())}"))


def _without_sidecar(scene: Scene) -> None:
    own.make_team(scene)
    for _ in range(3):
        _append(scene)
    sidecar_path(scene.repository()).unlink()


def _rebuild(scene: Scene) -> None:
    with own.open_ledger(scene) as ledger:
        ledger.rebuild()


def _three_tasks(scene: Scene) -> Iterator[str]:
    with own.open_ledger(scene) as ledger:
        found = [task.spec.id for task in ledger.tasks()]
    if found != ["T0", "T1", "T2"]:
        yield f"the tasks are {found}"


def _long(scene: Scene) -> None:
    """Make a ledger whose next commit is the last one before it is packed."""
    own.make_team(scene)
    with own.open_ledger(scene) as ledger:
        for number in range(growth.PACK_EVERY - 2):
            own.record(scene, ledger, own.plan(f"T{number}"))


def _write_evidence(scene: Scene) -> None:
    repository = scene.repository()
    files = {"report.json": b"{}\n", "test.log": b"ok\n" * 900, "raw/stdout.log": b"said\n"}
    tree = bundle.write(Objects(repository), files)
    with own.open_ledger(scene) as ledger:
        name = f"T{len(ledger.tasks())}"
        own.record(scene, ledger, own.plan(name), {f"evidence/{name}": tree})


def _has_evidence(scene: Scene) -> Iterator[str]:
    names = own.git(scene, "ls-tree", "-r", "--name-only", ledger_ref(own.TEAM)).split()
    if not any(name.endswith("/manifest.json") for name in names):
        yield f"the evidence is incomplete: {names}"


def _with_remote(scene: Scene) -> None:
    own.make_repository(scene)
    own.git(scene, "init", "-q", "--bare", str(scene.root / "hub"))
    own.git(scene, "remote", "add", "origin", str(scene.root / "hub"))
    _publish(scene)


def _publish(scene: Scene) -> None:
    repository, effects = scene.repository(), SystemEffects()
    shared = Shared(Remote(repository, "origin", scene.environ), own.TEAM, effects)
    shared.sync()
    with Ledger(repository, own.TEAM, effects, "tester", shared) as ledger:
        _add_task(scene, ledger)


def _agreed(scene: Scene) -> Iterator[str]:
    ours = own.git(scene, "rev-parse", ledger_ref(own.TEAM))
    theirs = own.git(scene, "rev-parse", ledger_ref(own.TEAM), repo="hub")
    if ours != theirs:
        yield f"the ledger is {ours[:12]} here and {theirs[:12]} at the remote"


OWN = (
    Operation(name="append", prepare=own.make_team, act=_append),
    Operation(name="first append", prepare=own.make_repository, act=_append),
    Operation(name="sidecar rebuild", prepare=_without_sidecar, act=_rebuild, check=_three_tasks),
    Operation(name="pack", prepare=_long, act=_append),
    Operation(name="evidence", prepare=own.make_team, act=_write_evidence, check=_has_evidence),
    Operation(
        name="publish",
        prepare=_with_remote,
        act=_publish,
        check=_agreed,
        elsewhere=frozenset({"hub"}),
    ),
    LANDING,
    PRESERVE,
    DROP,
    RECORDS,
    *ROOMS,
)
"""Every operation of the product that is tried."""
