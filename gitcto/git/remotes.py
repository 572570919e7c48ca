"""A remote of the repository: what it holds, what is brought from it, what is pushed to it.

The one place where git may use the network and the user's own settings: credentials, proxies and
``url.*.insteadOf`` count, as when the user pushes. No hook of the repository runs, no refspec, tag
or mirror setting of it adds anything, and every command has a deadline.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode
from gitcto.git.process import Completed, execute
from gitcto.git.refs import Refs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitcto.git.repository import Repository

DEADLINE_S = 60.0
"""How long one exchange with a remote may take (seconds)."""

_PREFIX = "refs/cto/remotes/"
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.fsync=committed,loose-object,reference",
    "gc.auto=0",
    "maintenance.auto=false",
    "push.gpgSign=false",
    "push.pushOption=",
    "fetch.writeCommitGraph=false",
)
# How to reach a remote and as whom; nothing about which repository this is.
_PASSED_ON = re.compile(
    r"GIT_(?:SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|SSL_\w+|PROXY_\w+|HTTP_\w+|ALLOW_PROTOCOL"
    r"|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+))"
)
# Somebody else was faster. Everything else that goes wrong is the remote's, or the network's.
_OUTRUN = re.compile(
    r"stale info|fetch first|non-fast-forward|already exists|cannot lock ref|failed to update ref"
    r"|failed to lock|atomic push failed|atomic transaction failed|incorrect old value"
)
_OUTRUN_ALONG = re.compile(r"atomic push failed|atomic transaction failed")


class RemoteUnreachable(CtoError):  # noqa: N818  # a state, not a fault
    """The remote did not answer; what it would have been told may or may not have arrived."""

    def __init__(self, name: str, complaint: str) -> None:
        super().__init__(
            f"the remote {name} cannot be reached: {complaint}",
            f"see that `git ls-remote {name}` works, then run the command again; nothing is lost",
            ExitCode.GIT,
        )


class RemoteDeclined(CtoError):  # noqa: N818  # a state, not a fault
    """The remote answered and does not take what was pushed, whoever is first."""

    def __init__(self, name: str, ref: str, reason: str) -> None:
        super().__init__(
            f"the remote {name} does not take {ref}: {reason}",
            f"let {name} accept it, or name another remote in policy.toml, [remote]",
            ExitCode.GIT,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefMove:
    """Move the ref ``name`` from ``old`` (None: it does not exist) to ``new``."""

    name: str
    old: str | None
    new: str


def tracking(remote: str, ref: str) -> str:
    """Return the name of our ref that remembers what a remote's ``ref`` was when last seen."""
    return f"{_PREFIX}{remote}/{ref.removeprefix('refs/')}"


def tracked_by(refs: Refs, ref: str) -> list[str]:
    """Return the remotes at which ``ref`` was seen."""
    end = f"/{ref.removeprefix('refs/')}"
    names = (name.removeprefix(_PREFIX) for name in refs.list(_PREFIX))
    return [name.removesuffix(end) for name in names if name.endswith(end)]


class Remote:
    """One remote, by its name in the repository's configuration.

    ``environ`` is the user's environment. Methods raise :class:`RemoteUnreachable`.
    """

    def __init__(self, repository: Repository, name: str, environ: Mapping[str, str]) -> None:
        self.name = name
        self.repository = repository
        self._refs = Refs(repository)
        self._environ = {
            key: value
            for key, value in environ.items()
            if not key.startswith("GIT_") or _PASSED_ON.fullmatch(key)
        } | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}

    def look(self, *patterns: str) -> dict[str, str]:
        """Return what the remote's refs are, by full name; ``patterns`` are names or globs."""
        out = self._run("ls-remote", "--quiet", self.name, *patterns).out.decode(errors="replace")
        rows = (line.partition("\t") for line in out.splitlines())
        return {name: oid for oid, _, name in rows if name.startswith("refs/")}

    def seen(self, ref: str) -> str | None:
        """Return what the remote's ref was when it was last fetched or pushed, without asking."""
        return self._refs.read(tracking(self.name, ref))

    def fetch(self, refs: Sequence[str]) -> None:
        """Bring refs that the remote has, and all they lead to, for :meth:`seen` to tell."""
        from gitcto.git.stale_locks import clear_lock

        for ref in refs:  # git fetch gives up at any lock that it finds
            clear_lock(self.repository, tracking(self.name, ref))
        specs = [f"+{ref}:{tracking(self.name, ref)}" for ref in refs]
        arguments = ("--quiet", "--no-tags", "--no-prune", "--no-write-fetch-head", "--refmap=")
        self._run("fetch", *arguments, "--recurse-submodules=no", self.name, *specs)

    def push(self, *moves: RefMove) -> bool:
        """Move refs of the remote, all or none; tell whether, or if somebody had moved one.

        Never overwrites: each move counts only from its old value. The caller sees to it that the
        new value contains the old one. Raises :class:`RemoteDeclined` when the remote refuses.
        """
        leases = [f"--force-with-lease={move.name}:{move.old or ''}" for move in moves]
        specs = [f"{move.new}:{move.name}" for move in moves]
        atomic = ("--atomic",) if len(moves) > 1 else ()
        options = ("--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no")
        done = self._run("push", *options, *atomic, *leases, self.name, *specs, check=False)
        if done.code == 0:
            for move in moves:
                self._remember(move.name, move.new)
            return True
        self._explain(done)
        return False

    def _explain(self, done: Completed) -> None:
        """Return when somebody else was faster; raise what it was otherwise."""
        rows = [line.split("\t") for line in done.out.decode(errors="replace").splitlines()]
        refused = {row[1].partition(":")[2]: row[2] for row in rows if row[0] == "!"}
        if not refused:
            raise RemoteUnreachable(self.name, done.complaint)
        causes = {k: v for k, v in refused.items() if not _OUTRUN_ALONG.search(v)} or refused
        for ref, why in causes.items():
            if not _OUTRUN.search(why):
                raise RemoteDeclined(self.name, ref, why)

    def _remember(self, ref: str, value: str) -> None:
        name = tracking(self.name, ref)
        for _ in range(3):  # a fetch of the user's may move it at the same time
            if self._refs.compare_and_swap(name, self._refs.read(name), value):
                return

    def _run(self, *arguments: str, check: bool = True) -> Completed:
        repository = self.repository
        settings = (*_SETTINGS, f"remote.{self.name}.mirror=false")
        options = [part for setting in settings for part in ("-c", setting)]
        # A relative URL counts from where the user's own git would take it from.
        here = ("-C", str(repository.work_tree or repository.common_dir))
        git_dir = f"--git-dir={repository.common_dir}"
        argv = [repository.program, *here, git_dir, *options, *arguments]
        try:
            done = execute(argv, self._environ, b"", DEADLINE_S)
        except CtoError as error:
            raise RemoteUnreachable(self.name, error.message) from error
        if check and done.code != 0:
            raise RemoteUnreachable(self.name, done.complaint)
        return done
