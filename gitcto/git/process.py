"""The one wrapper that runs the git binary.

Nothing of the user's environment reaches git, and nothing that a repository or a worker's tree
configures (hooks, fsmonitor, filters, diff and merge drivers, aliases, helpers) can run:

* :func:`trusted` runs git in a git directory of our own that borrows only the objects; its
  configuration is ours, so that a driver named in an attributes file is not defined anywhere.
* :func:`plumbing` runs git in the user's git directory, for refs and the list of worktrees only:
  commands that never read a tree, with hooks and helpers switched off.

What talks to another machine needs the user's own settings, and is :mod:`gitcto.git.remote`'s.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.git.durable import discard, replace_file, storage_errors, sync_directory
from gitcto.git.hermetic import DURABLE, PLUMBING_OPTIONS, TRUSTED_CONFIG, hermetic_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitcto.git.repository import Repository

_DAMAGE = (
    "corrupt|unable to read|bad object|missing (?:blob|tree|commit)|not our ref"
    "|inflate|loose object|unable to unpack|could not parse"
)

_HINTS = (
    ("No space left on device", "free some disk space and run the command again"),
    ("Disk quota exceeded", "free some of your disk quota and run the command again"),
    ("Read-only file system", "mount the file system writable and run the command again"),
    ("Permission denied", "make the repository writable for this user"),
    (".lock': File exists", "wait for the other git process; if none runs, delete that file"),
    (_DAMAGE, "run `git fsck --full` and fetch the broken objects again from a good copy"),
)


@dataclass(frozen=True, slots=True)
class Completed:
    """How one git process ended: exit code, standard output and standard error."""

    code: int
    out: bytes
    err: bytes

    @property
    def complaint(self) -> str:
        """The first line git wrote to standard error that says something."""
        lines = [line.strip() for line in self.err.decode(errors="replace").splitlines()]
        spoken = [line for line in lines if line and not line.startswith(("hint:", "warning:"))]
        return next(iter(spoken or filter(None, lines)), "no message")


class GitError(CtoError):
    """Git failed; ``completed`` holds the exit code and the whole output."""

    def __init__(self, arguments: Sequence[str], completed: Completed) -> None:
        command = " ".join(arguments[:2])
        complaint = completed.complaint
        spoken = completed.err.decode(errors="replace")
        hint = next(
            (hint for pattern, hint in _HINTS if re.search(pattern, spoken)),
            "run `git cto doctor` to look at the repository",
        )
        message = f"git {command} failed with exit code {completed.code}: {complaint}"
        super().__init__(message, hint, ExitCode.GIT)
        self.completed = completed


def execute(
    argv: Sequence[str], env: Mapping[str, str], stdin: bytes, timeout_s: float | None
) -> Completed:
    """Run one git process to its end; ``CtoError`` when it cannot start or takes too long."""
    import subprocess

    try:
        done = subprocess.run(
            argv,
            env=env,
            input=stdin,
            capture_output=True,
            check=False,
            # Lets Python use posix_spawn; its own descriptors are never inherited anyway.
            close_fds=False,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired as error:
        raise CtoError(
            f"git did not end within {timeout_s:g} s: {argv[-1]}",
            "look for a hanging file system, then run the command again",
            ExitCode.GIT,
        ) from error
    except OSError as error:
        raise _not_started(argv[0], error) from error
    return Completed(done.returncode, done.stdout, done.stderr)


def converse(argv: Sequence[str], env: Mapping[str, str], timeout_s: float) -> Completed:
    """Run git that may talk to another machine; what it started ends with it at the deadline.

    It has no terminal, so that nothing can ask a person. Raises ``CtoError``.
    """
    import signal
    import subprocess

    try:
        process = subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise _not_started(argv[0], error) from error
    with process:
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise CtoError(
                f"no answer within {timeout_s:g} s",
                "look whether the other machine can be reached, then run the command again",
                ExitCode.GIT,
            ) from error
    return Completed(process.returncode, out, err)


def _not_started(program: str, error: OSError) -> CtoError:
    return CtoError(
        f"cannot run {program}: {error.strerror}",
        "install git 2.38 or newer and put it on PATH",
        ExitCode.GIT,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """One way to run git: ``program`` in ``git_dir``; ``objects`` when it borrows them.

    ``options`` are ``key=value`` settings that win over every file; ``shallow`` is the list of
    commits a shallow repository ends at. ``file_transport`` allows to fetch from another git
    directory of ours, and from nowhere else. ``timeout_s`` is for processes that state none.
    """

    program: str
    git_dir: Path
    objects: Path | None = None
    options: tuple[str, ...] = ()
    shallow: Path | None = None
    file_transport: bool = False
    timeout_s: float | None = None

    def run(  # noqa: PLR0913  # each is one thing a git process is given
        self,
        *arguments: str,
        stdin: bytes = b"",
        check: bool = True,
        work_tree: Path | None = None,
        index: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> Completed:
        """Run ``git <arguments>``; with ``check``, an exit code other than 0 is a ``GitError``.

        All paths must be absolute: git runs in ``/``. ``env`` is added to the fixed environment.
        """
        environment = hermetic_environment(self.program)
        environment["GIT_DIR"] = str(self.git_dir)
        for name, path in (
            ("GIT_OBJECT_DIRECTORY", self.objects),
            ("GIT_SHALLOW_FILE", self.shallow),
            ("GIT_WORK_TREE", work_tree),
            ("GIT_INDEX_FILE", index),
        ):
            if path is not None:
                environment[name] = str(path)
        if self.file_transport:
            environment["GIT_ALLOW_PROTOCOL"] = "file"
        environment.update(env or {})
        settings = [part for option in self.options for part in ("-c", option)]
        argv = [self.program, "-C", "/", *settings, *arguments]
        completed = execute(argv, environment, stdin, timeout_s or self.timeout_s)
        if check and completed.code != 0:
            raise GitError(arguments, completed)
        return completed

    def text(self, *arguments: str, stdin: bytes = b"", timeout_s: float | None = None) -> str:
        """Run git and return its output without surrounding white space."""
        out = self.run(*arguments, stdin=stdin, timeout_s=timeout_s).out
        return out.decode("utf-8", "surrogateescape").strip()

    def at(self, git_dir: Path) -> Git:
        """Return the same program in another git directory that has objects of its own.

        Only for one that no worker has touched: its configuration counts.
        """
        return replace(self, git_dir=git_dir, objects=None, shallow=None)


def trusted(repository: Repository) -> Git:
    """Return git in our own git directory with the repository's objects.

    For everything that touches trees, indexes, attributes and merges. Refs of the repository are
    not visible there: pass object ids. Made on first use; two processes may race for it.
    """
    git_dir = repository.cto_dir / "trusted.git"
    config = _trusted_config(repository)
    with storage_errors(f"prepare {git_dir}"):
        try:
            current = (git_dir / "config").read_bytes()
        except FileNotFoundError:
            _make_trusted(git_dir, config)
        else:
            if current != config:
                replace_file(git_dir / "config", config)
    shallow = repository.common_dir / "shallow"
    return Git(
        program=repository.program,
        git_dir=git_dir,
        objects=repository.objects,
        shallow=shallow if shallow.exists() else None,
    )


def _trusted_config(repository: Repository) -> bytes:
    sha256 = repository.object_format == "sha256"
    text = TRUSTED_CONFIG.format(version=int(sha256), durable=DURABLE)
    if sha256:
        text += "[extensions]\n\tobjectFormat = sha256\n"
    return text.encode()


def _make_trusted(git_dir: Path, config: bytes) -> None:
    import tempfile

    git_dir.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="trusted.git.", dir=git_dir.parent))
    _fill_bare(made, config)
    _sync_bare(made)
    if git_dir.exists() and not (git_dir / "config").exists():
        discard(git_dir)
    try:
        made.rename(git_dir)
    except OSError:
        discard(made)
        if not (git_dir / "config").exists():
            raise


def _fill_bare(git_dir: Path, config: bytes) -> None:
    (git_dir / "refs").mkdir()
    (git_dir / "objects").mkdir()
    (git_dir / "HEAD").write_bytes(b"ref: refs/heads/none\n")
    (git_dir / "config").write_bytes(config)


def _sync_bare(git_dir: Path) -> None:
    """Let a git directory be whole after a power cut, once it has its name."""
    for path in (git_dir / "HEAD", git_dir / "config"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sync_directory(git_dir)


def bare(repository: Repository, git_dir: Path, settings: str) -> None:
    """Make an empty git directory, configured as the trusted one and by ``settings``."""
    git_dir.mkdir()
    _fill_bare(git_dir, _trusted_config(repository) + settings.encode())


def plumbing(repository: Repository) -> Git:
    """Return git in the repository's common directory: refs, worktree entries, history.

    Never for commands that read a tree into files or an index: those are :func:`trusted`'s.
    """
    return Git(
        program=repository.program,
        git_dir=repository.common_dir,
        options=PLUMBING_OPTIONS,
    )
