"""Commands of policy that are run in a room: set-up before its worker, finishing after it.

What a set-up leaves is kept under the digest of what it depends on. It is only ever kept from a
room in which no worker has been, and each room gets a copy of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.git.durable import replace_file, storage_errors
from gitcto.git.lock import exclusive
from gitcto.provider_contracts import WorkerReport, failed
from gitcto.runtime.host.isolation import Inmate, confine, make_home
from gitcto.runtime.worker import workers
from gitcto.runtime.worker.run_files import COMMAND
from gitcto.runtime.workspace.copies import copy_tree
from gitcto.runtime.workspace.rooms import needs_of
from gitcto.runtime.workspace.trash import throw
from gitcto.runtime.workspace.unstartable import Unstartable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.contracts import CommandResult
    from gitcto.model.records import Execution
    from gitcto.runtime.host.context import Context
    from gitcto.runtime.worker.workers import Exit, Limits

MARKER = "kept.json"
"""The file of a kept set-up that is written last; it says how large it is."""

OUTPUT_BYTES = 1 << 20
"""How much of a command's output is kept."""

_SHOWN_LINES = 3
_SHOWN_LENGTH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomCommands:
    """Runs policy's commands in the room of an execution, with its environment and limits."""

    context: Context
    execution: Execution
    env: Mapping[str, str]
    limits: Limits

    def set_up(self) -> None:
        """Make a fresh room ready, or take what an earlier set-up made.

        Raises ``CtoError`` when the command fails, ``Unstartable`` when it leaves anything that git
        would take for the worker's work.
        """
        setup = self.context.policy.rooms.setup
        if not setup.argv:
            return
        self._must_be_ignored(setup.keeps)
        if not setup.keeps:
            self._run_setup()
            return
        layout = self.context.layout
        kept = layout.setups / _key(self.context, self.execution)
        with exclusive(layout.setups / f"{kept.name[:2]}.lock"):
            if not (kept / MARKER).is_file():
                self._run_setup()
                self._keep(kept)
                return
        if not self._put_in(kept):  # thrown away meanwhile, to save space
            self._run_setup()

    def finish(self, ended: Exit, report: WorkerReport) -> WorkerReport:
        """Run the finishing command after a worker that ended well; return what to report now."""
        argv = self.context.policy.rooms.finish
        if not argv or ended.cause != "exited" or ended.code != 0 or not report.ok:
            return report
        try:
            done = self._run(argv, self.limits)
        except CtoError as error:
            return failed("finish", error.message)
        if done.code == 0:
            return report
        detail = f"the finishing command {_how(done)}"
        return failed("finish", detail)

    def _run_setup(self) -> None:
        setup = self.context.policy.rooms.setup
        limits = replace(self.limits, wall_s=float(setup.deadline_s), idle_s=None)
        done = self._run(setup.argv, limits)
        if done.code != 0:
            raise CtoError(
                f"the set-up command {_how(done)}",
                "run it by hand in a fresh clone, or change workspace.setup in policy.toml",
            )
        self._must_look_untouched()

    def _run(self, argv: tuple[str, ...], limits: Limits) -> CommandResult:
        layout, execution = self.context.layout, self.execution
        needs = needs_of(self.context, execution)
        room, place = layout.room(execution.id), layout.place(execution.id)
        make_home(layout.scratch(execution.id))
        inmate = Inmate(
            argv=argv,
            env=self.env,
            cwd=room,
            writes=(room, layout.scratch(execution.id)),
            reads=needs.reads,
            fixed=needs.fixed,
        )
        with tempfile.TemporaryDirectory(prefix=COMMAND, dir=place) as private:
            program = confine(self.context, inmate, Path(private))
            return workers.run_command(program, replace(limits, output_bytes=OUTPUT_BYTES), place)

    def _must_be_ignored(self, keeps: tuple[str, ...]) -> None:
        for path in keeps:
            inside = f"./{path}/x".encode()
            ignored = self._git("check-ignore", "-z", "--stdin", stdin=inside + b"\0")
            tracked = self._git("ls-files", "-z", "--", f":(top,literal){path}")
            if tracked or not ignored:
                raise CtoError(
                    f"the set-up keeps {path!r}, which git does not ignore",
                    "add it to .gitignore, or take it out of workspace.setup.keeps in policy.toml",
                )

    def _must_look_untouched(self) -> None:
        """Refuse a set-up whose traces would be taken for its worker's work."""
        self._git("update-index", "-q", "--refresh")
        changed = self._git("diff-files", "--name-only", "-z")
        new = self._git("ls-files", "--others", "--exclude-standard", "-z")
        if changed or new:
            path = (changed or new).split(b"\0")[0].decode(errors="replace")
            raise Unstartable(
                "dirty_start",
                f"the set-up command changed {path!r}, which would be taken for the worker's work",
                "let it leave tracked files alone, and list what it makes in .gitignore",
            )

    def _git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        layout = self.context.layout
        done = self.context.git.run(
            *arguments,
            stdin=stdin,
            check=False,
            work_tree=layout.room(self.execution.id),
            index=layout.index(self.execution.id),
        )
        return done.out

    def _keep(self, kept: Path) -> None:
        """Keep what a set-up made, in one step. That it made nothing is kept, too."""
        layout = self.context.layout
        room, place = layout.room(self.execution.id), layout.place(self.execution.id)
        with storage_errors(f"keep the set-up in {kept}"):
            fresh = Path(tempfile.mkdtemp(prefix=COMMAND, dir=place))
            size = 0
            for number, path in enumerate(self.context.policy.rooms.setup.keeps):
                if _is_real_folder(room, path):
                    size += copy_tree(room / path, fresh / str(number))
            replace_file(fresh / MARKER, json.dumps({"size": size}).encode())
            throw(layout.trash, kept)
            self.context.effects.crash_point("setup.kept")
            fresh.rename(kept)

    def _put_in(self, kept: Path) -> bool:
        """Copy what was kept into the room; False when it was thrown away meanwhile."""
        room = self.context.layout.room(self.execution.id)
        try:
            for number, path in enumerate(self.context.policy.rooms.setup.keeps):
                source = kept / str(number)
                if source.is_dir():
                    _make_parents(room, path)
                    copy_tree(source, room / path)
            (kept / MARKER).touch()
        except CtoError:
            if (kept / MARKER).is_file():
                raise
        if (kept / MARKER).is_file():
            return True
        for path in self.context.policy.rooms.setup.keeps:
            throw(self.context.layout.trash, room / path)
        return False


def _key(context: Context, execution: Execution) -> str:
    """Return the digest of all that a set-up depends on, as far as policy says."""
    setup = context.policy.rooms.setup
    listed = context.git.run(
        "ls-tree", "-z", "--full-tree", execution.base, "--", *setup.keyed_by
    ).out.decode("utf-8", "surrogateescape")
    system = os.uname()
    basis = {
        "argv": list(setup.argv),
        "keeps": list(setup.keeps),
        "files": sorted(listed.split("\0")[:-1]),
        "platform": [system.sysname, system.machine],
    }
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()


def _is_real_folder(room: Path, path: str) -> bool:
    """Tell whether a path in a room is a directory, and so is all above it: no link leads out."""
    whole = room / path
    steps = (step for step in (whole, *whole.parents) if step.is_relative_to(room))
    return all(step.is_dir() and not step.is_symlink() for step in steps)


def _make_parents(room: Path, path: str) -> None:
    above = str(Path(path).parent)
    with storage_errors(f"make {room / above}"):
        here = room
        for part in Path(above).parts:
            here /= part
            here.mkdir(exist_ok=True)
    if above != "." and not _is_real_folder(room, above):
        raise CtoError(
            f"the set-up keeps {path!r}, and a link stands in its way",
            "take it out of workspace.setup.keeps in policy.toml",
        )


def _how(done: CommandResult) -> str:
    lines = [line.strip() for line in done.output.decode(errors="replace").splitlines()]
    said = " / ".join([line for line in lines if line][-_SHOWN_LINES:])[-_SHOWN_LENGTH:]
    said = "".join(letter if letter.isprintable() else "?" for letter in said)
    ended = "was ended" if done.code is None else f"failed with code {done.code}"
    return f"{ended}: {said}" if said else ended
