"""Finding the repository that a command was started in."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gitcto.errors import CtoError, ExitCode
from gitcto.git.hermetic import hermetic_environment
from gitcto.git.process import Completed, execute

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST_GIT = (2, 38)

_EMPTY_TREES = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}

_QUESTIONS = (
    "--show-object-format",
    "--is-bare-repository",
    "--path-format=absolute",
    "--git-dir",
    "--git-common-dir",
    "--show-toplevel",
)

# What a user may say to git about which repository to use and whether to trust it.
DISCOVERY_NAMES = re.compile(
    "HOME|XDG_CONFIG_HOME|SUDO_UID|GIT_DIR|GIT_WORK_TREE|GIT_COMMON_DIR|GIT_CEILING_DIRECTORIES"
    "|GIT_DISCOVERY_ACROSS_FILESYSTEM"
    "|GIT_CONFIG_(?:PARAMETERS|GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_[0-9]+|VALUE_[0-9]+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A git repository: absolute paths, ``program`` is the git binary to use.

    ``git_dir`` belongs to the worktree the command was started in, ``common_dir`` is shared by all
    worktrees; ``work_tree`` is None in a bare repository or inside a git directory.
    """

    git_dir: Path
    common_dir: Path
    work_tree: Path | None
    object_format: Literal["sha1", "sha256"]
    bare: bool
    program: str

    @property
    def cto_dir(self) -> Path:
        """The directory of everything git-cto keeps besides objects and refs."""
        return self.common_dir / "cto"

    @property
    def objects(self) -> Path:
        """The object directory."""
        return self.common_dir / "objects"

    @property
    def empty_tree(self) -> str:
        """The object id of the tree without entries."""
        return _EMPTY_TREES[self.object_format]


def discover(cwd: Path, environ: Mapping[str, str]) -> Repository:
    """Return the repository of ``cwd``, honouring ``GIT_DIR`` and its relatives in ``environ``.

    Raises ``CtoError`` (exit 128) when git is missing or older than 2.38, when there is no
    repository, when its owner is not trusted, or when its refs are kept as reftable.
    """
    program = _find_git(environ)
    # The user's own configuration counts here (safe.directory) and only here.
    own = hermetic_environment(program)
    del own["GIT_CONFIG_GLOBAL"], own["GIT_CONFIG_NOSYSTEM"], own["HOME"]
    env = own | {k: v for k, v in environ.items() if DISCOVERY_NAMES.fullmatch(k)}
    _require_version(program, env)
    argv = [program, "-C", str(cwd), "rev-parse", *_QUESTIONS]
    done = execute(argv, env, b"", None)
    answers = done.out.decode("utf-8", "surrogateescape").split("\n")[:-1]
    no_work_tree = done.code != 0 and b"must be run in a work tree" in done.err
    if done.code != 0 and not no_work_tree:
        raise _not_usable(cwd, done)
    if len(answers) != len(_QUESTIONS) - 1 - no_work_tree:
        raise CtoError(
            f"the path of the repository contains a newline: {str(cwd)!r}",
            "move the repository to a path without newlines",
            ExitCode.GIT,
        )
    object_format, bare, git_dir, common_dir, *top = answers
    repository = Repository(
        git_dir=Path(git_dir),
        common_dir=Path(common_dir),
        work_tree=Path(top[0]) if top else None,
        object_format="sha256" if object_format == "sha256" else "sha1",
        bare=bare == "true",
        program=program,
    )
    if (repository.common_dir / "reftable").is_dir():
        raise _reftable(cwd)
    return repository


def _find_git(environ: Mapping[str, str]) -> str:
    # shutil.which is the same, but importing shutil costs a tenth of a `status`.
    for directory in environ.get("PATH", os.defpath).split(os.pathsep):
        program = Path(directory or os.curdir, "git").absolute()
        if os.access(program, os.X_OK) and program.is_file():
            return str(program)
    raise CtoError(
        "git was not found on PATH", "install git 2.38 or newer and try again", ExitCode.GIT
    )


def _require_version(program: str, env: Mapping[str, str]) -> None:
    done = execute([program, "version"], env, b"", None)
    found = re.search(rb"(\d+)\.(\d+)[^\s]*", done.out)
    if done.code != 0 or not found:
        raise CtoError(
            f"{program} does not say its version: {done.complaint}",
            "install git 2.38 or newer and put it on PATH",
            ExitCode.GIT,
        )
    if (int(found[1]), int(found[2])) < OLDEST_GIT:
        raise CtoError(
            f"git {found[0].decode()} at {program} is too old",
            "install git 2.38 or newer and put it first on PATH",
            ExitCode.GIT,
        )


def _not_usable(cwd: Path, done: Completed) -> CtoError:
    complaint = done.complaint
    if "dubious ownership" in complaint:
        return CtoError(
            f"git does not trust the owner of this repository: {complaint}",
            f"if you do: git config --global --add safe.directory {cwd}",
            ExitCode.GIT,
        )
    if "not a git repository" in complaint:
        return CtoError(
            f"not a git repository: {cwd}",
            "run the command inside a repository, or make one with `git init`",
            ExitCode.GIT,
        )
    if "refstorage" in done.err.decode(errors="replace").lower():
        return _reftable(cwd)
    return CtoError(
        f"git cannot use the repository at {cwd}: {complaint}",
        "check it with `git status` and `git fsck`",
        ExitCode.GIT,
    )


def _reftable(cwd: Path) -> CtoError:
    return CtoError(
        f"the repository at {cwd} keeps its refs as reftable, which git-cto does not support",
        "convert it with `git refs migrate --ref-format=files`",
        ExitCode.GIT,
    )
