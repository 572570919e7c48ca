"""The faults by name: real signals, real files, real refs. Each is something that happens."""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from gitcto.runtime.worker import processes
from gitcto.testing.chaos.process import until
from gitcto.testing.chaos.scratch import LEDGER
from gitcto.testing.chaos.strays import strays

if TYPE_CHECKING:
    from gitcto.testing.chaos.process import Run
    from gitcto.testing.chaos.stage import Stage

_AHEAD_S = 3600
_BACK = 3
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Whom a fault hit: the execution, the run that must refuse, the run that recovers.

    Where nothing is named it is the run in the front.
    """

    execution: str = ""
    refused: Run | None = None
    watched: Run | None = None


def _nothing(stage: Stage) -> None:
    del stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """``inject`` makes it happen, ``mend`` ends it.

    With ``ends_run`` the run in the front must end, and another one is started once it is mended.
    ``lasting`` faults allow no recovery before they are mended: an outage counts from then.
    """

    inject: Callable[[Stage], Hit]
    mend: Callable[[Stage], None] = _nothing
    ends_run: bool = False
    lasting: bool = False


def _none(stage: Stage) -> Hit:
    """Nothing from outside: what the tasks and gates do is trouble enough."""
    del stage
    return Hit()


def _a_worker(stage: Stage) -> tuple[str, processes.Process]:
    from gitcto.testing.chaos.scenario import draw

    ended = {each.execution for each in stage.front.seen if each.kind == "execution.exited"}
    started = [each for each in stage.front.seen if each.kind == "execution.started"]
    told = [each.execution for each in started if each.execution not in ended]
    victim = told[draw(stage.seed, f"victim {stage.round}", 0, len(told) - 1)]
    return victim, next(row for name, row in stage.workers() if name == victim)


def _kill_worker(stage: Stage) -> Hit:
    victim, process = _a_worker(stage)
    processes.send(process, signal.SIGKILL)
    return Hit(execution=victim)


def _freeze_worker(stage: Stage) -> Hit:
    victim, process = _a_worker(stage)
    processes.send(process, signal.SIGSTOP)
    return Hit(execution=victim)


def _kill_run(stage: Stage) -> Hit:
    stage.front.kill()
    return Hit()


def _kill_all(stage: Stage) -> Hit:
    """Kill the run, the supervisors and the workers, so that nobody can clear up."""
    stage.front.kill()
    until(lambda: not _killed_now(stage), "the end of all processes")
    return Hit()


def _killed_now(stage: Stage) -> int:
    left = [*stage.workers(), *strays(stage.scratch.place).items()]
    return sum(processes.send(process, signal.SIGKILL) for _, process in left)


def _freeze_machine(stage: Stage) -> Hit:
    """Let a machine sleep through its leases, while another clone goes on an hour later."""
    stage.front.process.send_signal(signal.SIGSTOP)
    for _, process in stage.workers():
        processes.send(process, signal.SIGSTOP)
    stage.scratch.clock.write_text(str(_AHEAD_S), encoding="ascii")
    stage.scratch.release()
    return Hit(watched=stage.start(stage.scratch.clones[1], stage.scratch.clock))


def _thaw_machine(stage: Stage) -> None:
    stage.runs[-1].wait()
    for _, process in stage.workers():
        processes.send(process, signal.SIGCONT)
    stage.front.process.send_signal(signal.SIGCONT)


def _fill_disk(stage: Stage) -> Hit:
    with (stage.scratch.place / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        for size in (_CHUNK, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass
    stage.scratch.release()  # an empty file takes no block; workers end, which must be recorded
    return Hit()


def _empty_disk(stage: Stage) -> None:
    (stage.scratch.place / "ballast").unlink()


def _make_read_only(stage: Stage) -> Hit:
    """Make it read-only; the kernel refuses that under open files, so everybody is killed first."""
    _kill_all(stage)
    _remount(stage, "ro")
    return Hit(refused=stage.start())


def _make_writable(stage: Stage) -> None:
    _remount(stage, "rw")


def _remount(stage: Stage, how: str) -> None:
    argv = ("mount", "-o", f"remount,bind,{how}", str(stage.scratch.place))
    subprocess.run(argv, check=True)


def _move_clock(stage: Stage) -> Hit:
    offset = stage.scenario.trouble.offsets_s[stage.round]
    _replace(stage.scratch.clock, str(offset))
    return Hit()


def _replace(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="ascii")
    fresh.replace(path)


def _remove_remote(stage: Stage) -> Hit:
    stage.scratch.hub.rename(stage.scratch.hub.with_suffix(".away"))
    return Hit()


def _bring_remote_back(stage: Stage) -> None:
    stage.scratch.hub.with_suffix(".away").rename(stage.scratch.hub)


def _second_run(stage: Stage) -> Hit:
    front = stage.front
    second = stage.scratch.start(stage.clone)
    second.wait()
    stage.runs.insert(0, second)
    return Hit(refused=second, watched=front)


def _second_clone(stage: Stage) -> Hit:
    return Hit(watched=stage.start(stage.scratch.clones[1]))


def _copy_clone(stage: Stage) -> Hit:
    """Kill the run, copy its clone with all that is in it, and resume the copy as well."""
    stage.front.kill()
    stage.start(stage.scratch.copy(stage.clone))
    return Hit()


def _delete_sidecar(stage: Stage) -> Hit:
    for name in ("sidecar.db", "sidecar.db-wal", "sidecar.db-shm"):
        (stage.clone.cto / name).unlink(missing_ok=True)
    return Hit()


def _rewind_ledger(stage: Stage) -> Hit:
    """Move the ledger's ref back to what it was three transactions ago, as a stranger would."""
    _swap_ledger(stage, lambda tip: f"{tip}~{_BACK}")
    return Hit()


def _foreign_commit(stage: Stage) -> Hit:
    """Commit something to the ledger's ref that is no transaction, as a stranger would."""
    note = ("-m", "a note of mine")
    _swap_ledger(
        stage, lambda tip: stage.clone.git("commit-tree", f"{tip}^{{tree}}", "-p", tip, *note)
    )
    return Hit()


def _swap_ledger(stage: Stage, strange: Callable[[str], str]) -> None:
    """Move the ledger's ref from where it is, whoever writes to it at the same time."""
    while True:
        stage.kept = stage.clone.git("rev-parse", LEDGER)
        moved = stage.clone.call("git", "update-ref", LEDGER, strange(stage.kept), stage.kept)
        if moved.returncode == 0:
            return


def _put_ledger_back(stage: Stage) -> None:
    stage.clone.git("update-ref", LEDGER, stage.kept)


def _do_as_told(stage: Stage) -> None:
    """Do what the refused run said, to the letter: its hint must be a way out."""
    hint = stage.refused[-1].said.partition("hint: ")[2]
    command = shlex.split(hint.split("`")[1])
    stage.clone.git(*command[1:])


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "none": Fault(inject=_none),
        "kill-worker": Fault(inject=_kill_worker),
        "freeze-worker": Fault(inject=_freeze_worker),
        "kill-run": Fault(inject=_kill_run, ends_run=True),
        "kill-all": Fault(inject=_kill_all, ends_run=True),
        "freeze-machine": Fault(inject=_freeze_machine, mend=_thaw_machine),
        "fill-disk": Fault(inject=_fill_disk, mend=_empty_disk, ends_run=True, lasting=True),
        "read-only": Fault(
            inject=_make_read_only, mend=_make_writable, ends_run=True, lasting=True
        ),
        "move-clock": Fault(inject=_move_clock),
        "remove-remote": Fault(
            inject=_remove_remote, mend=_bring_remote_back, ends_run=True, lasting=True
        ),
        "second-run": Fault(inject=_second_run),
        "second-clone": Fault(inject=_second_clone),
        "copy-clone": Fault(inject=_copy_clone, ends_run=True),
        "delete-sidecar": Fault(inject=_delete_sidecar),
        "rewind-ledger": Fault(
            inject=_rewind_ledger, mend=_do_as_told, ends_run=True, lasting=True
        ),
        "foreign-commit": Fault(
            inject=_foreign_commit, mend=_put_ledger_back, ends_run=True, lasting=True
        ),
    }
)
"""Every fault that a scenario may name."""

NEEDS_OWN_FILESYSTEM = frozenset({"fill-disk", "read-only"})
"""Faults that would hit more than the scratch otherwise."""
