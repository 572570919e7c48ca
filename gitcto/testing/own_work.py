"""What becomes of an attempt's work, and the records of its worker, as small programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.git.durable import storage_errors
from gitcto.model import commands as cmd
from gitcto.runtime.core.messages import work_of
from gitcto.runtime.queue.landing import carry_out
from gitcto.runtime.team.real_world import real_world
from gitcto.runtime.worker import run_files
from gitcto.runtime.workspace.preserved import drop, finish_drops, kept_work
from gitcto.runtime.workspace.settle import preserve
from gitcto.testing import own_team as own
from gitcto.testing.scene import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcto.model.records import Execution
    from gitcto.runtime.host.context import Context
    from gitcto.testing.scene import Scene


def _execution(context: Context) -> Execution:
    found = context.ledger.view().execution(own.EXECUTION)
    if found is None:
        raise AssertionError("the execution is unknown")
    return found


def _land(scene: Scene) -> None:
    """Carry an intended landing out, or see that it was: what a run does when it starts."""
    context = own.open_context(scene)
    with context.ledger:
        x = _execution(context)
        if x.landing is None or x.state != "integrating":
            return
        world = real_world(context)
        if not world.target.landed_as(x, x.landing):
            carry_out(world, x.landing)
        confirm = cmd.ConfirmLanding(execution=x.id, epoch=1, found="moved", decision=own.YES)
        own.record(scene, context.ledger, confirm)


def _landed_once(scene: Scene) -> Iterator[str]:
    trailers = "--format=%(trailers:key=Cto-Execution,valueonly,separator=)"
    found = own.git(scene, "log", trailers, own.TARGET).split()
    if found != [own.EXECUTION]:
        yield f"landed {len(found)} times"
    with own.open_ledger(scene) as ledger:
        states = [task.state for task in ledger.tasks()]
    if states != ["done"]:
        yield f"the task is {states}"


def _preserve(scene: Scene) -> None:
    context = own.open_context(scene)
    with context.ledger:
        x = _execution(context)
        kept = preserve(context, x, work_of(x))
        if kept is not None:
            own.record(scene, context.ledger, kept)


def _preserved(scene: Scene) -> Iterator[str]:
    context = own.open_context(scene)
    with context.ledger:
        x = _execution(context)
        held = context.refs.read(context.layout.preserved_ref(x.id))
    if not held or held != x.work or x.preserved != context.layout.preserved_ref(x.id):
        yield f"{x.preserved or 'nothing'} is recorded and {held} kept"


def _with_kept_work(scene: Scene) -> None:
    own.make_failed(scene)
    _preserve(scene)
    own.git(scene, "pack-refs", "--all")


def _drop(scene: Scene) -> None:
    context = own.open_context(scene)
    with context.ledger:
        finish_drops(context.layout, context.refs, context.ledger)
        for kept in kept_work(context.layout, context.refs, context.ledger):
            if drop(context.ledger, context.refs, context.effects, kept, "given up") is not None:
                raise AssertionError("refused")


def _drop_and_go_on(scene: Scene) -> None:
    _drop(scene)
    own.go_on(scene)


def _dropped(scene: Scene) -> Iterator[str]:
    left = own.git(scene, "for-each-ref", "--format=%(refname)", "refs/cto/teams/demo/preserved")
    if left:
        yield f"{left} is still there"
    if not own.git(scene, "for-each-ref", "refs/heads/main"):
        yield "a branch of the user's is gone"


def _run_dir(scene: Scene) -> None:
    (scene.root / "run").mkdir()


def _write_records(scene: Scene) -> None:
    """Record a start and, once, an end, as a supervisor does."""
    run_dir = str(scene.root / "run")
    for name in (run_files.STARTED, run_files.EXITED):
        with storage_errors(f"write {name}"):
            if run_files.read_record(run_dir, name) is None:
                run_files.write_record(run_dir, name, {"pid": 1, "code": 0, "detail": "x" * 5000})
                scene.acknowledge(name)


def _recorded(scene: Scene, name: str) -> bool:
    record = run_files.read_record(str(scene.root / "run"), name)
    return record is not None and len(record) == 3  # noqa: PLR2004  # all of what was written


def _both_records(scene: Scene) -> Iterator[str]:
    run_dir = scene.root / "run"
    for name in (run_files.STARTED, run_files.EXITED):
        if run_files.read_record(str(run_dir), name) is None:
            yield f"{name} is not there"
    left = sorted(path.name for path in run_dir.iterdir())
    if len(left) > len((run_files.STARTED, run_files.EXITED)) + 1:
        yield f"scratch files pile up: {left}"


LANDING = Operation(name="landing", prepare=own.make_landing, act=_land, check=_landed_once)
PRESERVE = Operation(
    name="preserved ref made", prepare=own.make_failed, act=_preserve, check=_preserved
)
DROP = Operation(
    name="preserved ref dropped",
    prepare=_with_kept_work,
    act=_drop,
    recover=_drop_and_go_on,
    check=_dropped,
)
RECORDS = Operation(
    name="worker records",
    prepare=_run_dir,
    act=_write_records,
    check=_both_records,
    kept=_recorded,
)
