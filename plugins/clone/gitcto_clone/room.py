"""A worker's room with a repository of its own that borrows the objects of the user's."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from gitcto.api import CtoError, RoomNeeds, RoomTips, discard, written_ids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gitcto.api import Git, Repository, RoomRequest

# The worker can commit without a home directory, is never asked for a key, and no background gc
# starts beside it. What it commits is taken as files only, so this name reaches no history.
_CONFIG = """\
[user]
\tname = git-cto worker
\temail = worker@git-cto.invalid
[commit]
\tgpgSign = false
[tag]
\tgpgSign = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""
_SPARSE_CONFIG = """\
[core]
\tsparseCheckout = true
\tsparseCheckoutCone = true
"""


class CloneRoom:
    """Makes what ``git clone --shared`` makes, without its remote and with one branch only."""

    def create(self, request: RoomRequest) -> None:
        """Make the room's repository, or raise ``CtoError`` and leave none behind."""
        git_dir = request.path / ".git"
        try:
            git_dir.mkdir()
        except OSError as error:
            raise CtoError(
                f"cannot make the repository of the room {request.path}: {error.strerror}",
                "see to it that no file `.git` is in the commit it starts from",
            ) from error
        try:
            _fill(request, git_dir)
        except BaseException as error:
            discard(git_dir)
            if isinstance(error, OSError):
                raise CtoError(
                    f"cannot fill {git_dir}: {error.strerror}",
                    "free some disk space and run the command again",
                ) from error
            raise

    def needs(self, repository: Repository, path: Path) -> RoomNeeds:  # noqa: ARG002
        """Return the object directories that the room borrows from."""
        return RoomNeeds(reads=tuple(_borrowed(repository.objects)))

    def tips(self, repository: Repository, path: Path) -> RoomTips:  # noqa: ARG002
        """Return what the worker's branches, stash, HEAD and reflogs name."""
        git_dir = path / ".git"
        return RoomTips(commits=written_ids(git_dir), objects=git_dir / "objects")

    def release(self, repository: Repository, git: Git, path: Path) -> None:  # noqa: ARG002
        """Remove the room's repository; the user's holds no trace of it. Absent is fine."""
        discard(path / ".git")


def _borrowed(objects: Path) -> Iterator[Path]:
    """Yield an object directory and all that it borrows from itself, whatever the order."""
    seen: set[Path] = set()
    pending = [objects]
    while pending:
        directory = pending.pop()
        if directory in seen:
            continue
        seen.add(directory)
        yield directory
        alternates = directory / "info" / "alternates"
        if alternates.is_file():
            lines = alternates.read_text(errors="surrogateescape").splitlines()
            pending += [directory / line for line in lines if line and not line.startswith("#")]


def _fill(request: RoomRequest, git_dir: Path) -> None:
    repository = request.repository
    request.git.at(git_dir).run(
        "init",
        "--quiet",
        "--template=",
        f"--object-format={repository.object_format}",
        f"--initial-branch={request.branch}",
    )
    info = git_dir / "objects" / "info"
    info.mkdir(exist_ok=True)
    (info / "alternates").write_text(f"{repository.objects}\n", errors="surrogateescape")
    shallow = repository.common_dir / "shallow"
    if shallow.exists():
        shutil.copyfile(shallow, git_dir / "shallow")
    with (git_dir / "config").open("a") as config:
        config.write(_CONFIG + (_SPARSE_CONFIG if request.sparse else ""))
    if request.sparse:
        (git_dir / "info").mkdir(exist_ok=True)
        (git_dir / "info" / "sparse-checkout").write_text(request.sparse, errors="surrogateescape")
    branch = git_dir / "refs" / "heads" / request.branch
    branch.parent.mkdir(parents=True, exist_ok=True)
    branch.write_text(f"{request.base}\n")
    shutil.copyfile(request.index, git_dir / "index")
