"""Running ``git lfs clean`` over what a worker left, in the sandbox the worker ran in."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gitcto.git.durable import storage_errors
from gitcto.git.harvest import HarvestRefused
from gitcto.git.lfs import MAX_POINTER_BYTES
from gitcto.git.process import bare
from gitcto.model.records import Execution
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.isolation import Inmate, confine
from gitcto.runtime.worker import workers
from gitcto.runtime.worker.run_files import COMMAND
from gitcto.runtime.worker.workers import Limits

CLEAN_S = 600.0
"""How long git-lfs may take for one batch of files (seconds)."""

_BATCH = 200
_SCRIPT = """\
out=$1; shift; number=0
for file do
  git lfs clean -- "$file" <"$file" >"$out/$number" || exit 1
  number=$((number + 1))
done
"""


@dataclass(frozen=True, slots=True)
class LfsCleaner:
    """Cleans the large files in an execution's room; see ``CleanLarge``. ``limits`` bound it."""

    context: Context
    execution: Execution
    limits: Limits

    def __call__(self, workspace: Path, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return what git-lfs writes for each file.

        Raises ``HarvestRefused``: ``lfs_missing`` without git-lfs and where nothing may be started,
        ``lfs_failed`` when git-lfs fails.
        """
        context = self.context
        program = shutil.which("git-lfs", path=context.worker_env.get("PATH", os.defpath))
        if program is None:
            what = "git-lfs, which these files belong to, is not installed"
            raise HarvestRefused("lfs_missing", what, *paths)
        if context.isolation is None:
            what = "git-lfs is run in the sandbox of `git cto run` only, for these files"
            raise HarvestRefused("lfs_missing", what, *paths)
        found: dict[str, bytes] = {}
        for start in range(0, len(paths), _BATCH):
            batch = paths[start : start + _BATCH]
            with self._desk() as desk:
                found |= self._clean(desk, workspace, batch, Path(program))
        return found

    @contextmanager
    def _desk(self) -> Iterator[Path]:
        """Make a directory for git-lfs to work in, beside the room; nothing of it stays."""
        place = self.context.layout.place(self.execution.id)
        with (
            storage_errors(f"use {place}"),
            tempfile.TemporaryDirectory(prefix=COMMAND, dir=place) as made,
        ):
            desk = Path(made)
            for part in ("work", "work/home", "work/out", "private"):
                (desk / part).mkdir(mode=0o700)
            bare(self.context.repository, desk / "work" / "git", "")
            yield desk

    def _clean(
        self, desk: Path, workspace: Path, paths: Sequence[str], program: Path
    ) -> dict[str, bytes]:
        work = desk / "work"
        files = [os.fspath(workspace / path) for path in paths]
        env = {
            **self.context.worker_env,
            "HOME": str(work / "home"),
            "GIT_DIR": str(work / "git"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
        }
        inmate = Inmate(
            argv=("/bin/sh", "-c", _SCRIPT, "sh", str(work / "out"), *files),
            env=env,
            cwd=work,
            writes=(work,),
            reads=(workspace, program),
        )
        inside = confine(self.context, inmate, desk / "private")
        limits = replace(self.limits, wall_s=CLEAN_S, idle_s=None)
        result = workers.run_command(inside, limits, desk)
        if result.code != 0:
            said = result.output.decode(errors="replace").strip().splitlines()
            why = said[-1] if said else f"exit code {result.code}"
            raise HarvestRefused("lfs_failed", f"git-lfs failed: {why}")
        return {path: _said(work / "out" / str(number)) for number, path in enumerate(paths)}


def _said(path: Path) -> bytes:
    """Read what git-lfs wrote; it may have been led to write anything anywhere in there."""
    if path.is_symlink() or not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(MAX_POINTER_BYTES + 1)
