"""Talking to a remote: with the user's credentials, and without running the repository's code.

Git runs in our own git directory, which borrows the objects. Of the repository's configuration
only the remote's address is read; the user's own configuration counts, because it knows the
credentials. No hook runs here, nothing is asked, and everything has a deadline.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gitcto.errors import CtoError, ExitCode
from gitcto.git.hermetic import REMOTE_OPTIONS, remote_environment
from gitcto.git.process import converse, plumbing, trusted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.git.process import Completed
    from gitcto.git.repository import Repository

ASK_DEADLINE_S = 60.0
"""How long a remote may take to list its refs (seconds)."""

PUSH_DEADLINE_S = 600.0
"""How long one push may take (seconds)."""

_USERINFO = re.compile(r"\A([a-z][a-z0-9+.-]*://)[^/@]*@")
_REASON = re.compile(r"\((.*)\)\Z")
_MOVED = (
    "stale info",
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "failed to update ref",
)
_LONGEST = 300


class Move(NamedTuple):
    """A ref of the remote that is to go from ``old`` (empty: it is not there) to ``new``."""

    ref: str
    old: str
    new: str


class RemoteFailed(CtoError):  # noqa: N818  # an answer from the world, not a fault of ours
    """The remote did not answer, or did not do what it was asked to.

    ``moved`` tells that a ref was not where it was expected: looking again may help.
    """

    def __init__(self, message: str, hint: str, *, moved: bool = False) -> None:
        super().__init__(message, hint, ExitCode.GIT)
        self.moved = moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A remote of the repository; ``shown`` is its address without credentials.

    Make it with :func:`open_remote`.
    """

    name: str
    shown: str
    address: str = field(repr=False)
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)

    def refs(self, *names: str) -> dict[str, str]:
        """Ask the remote for refs by their full names; those that it lacks are left out.

        Raises :class:`RemoteFailed`.
        """
        done = self._git(ASK_DEADLINE_S, "ls-remote", "--refs", "--quiet", self.address, *names)
        if done.code != 0:
            what = f"{self.name} cannot be reached: {self._printable(done.complaint)}"
            raise RemoteFailed(what, f"try `git ls-remote {self.name}`")
        lines = (line.split("\t") for line in done.out.decode("utf-8", "replace").splitlines())
        found = {name: commit for commit, name in lines}
        return {name: found[name] for name in names if name in found}

    def push(self, *moves: Move) -> None:
        """Move refs of the remote: all or none, each only from where it is expected to be.

        It is the caller's to know that a move throws nothing away. Raises :class:`RemoteFailed`.
        """
        leases = (f"--force-with-lease={move.ref}:{move.old}" for move in moves)
        atomic = ("--atomic",) if len(moves) > 1 else ()
        wanted = (f"{move.new}:{move.ref}" for move in moves)
        options = ("--porcelain", "--no-follow-tags", *atomic, *leases)
        done = self._git(PUSH_DEADLINE_S, "push", *options, "--", self.address, *wanted)
        if done.code != 0:
            raise self._refused(done)

    def _refused(self, done: Completed) -> RemoteFailed:
        lines = done.out.decode("utf-8", "replace").splitlines()
        refusals = [line.split("\t")[-1] for line in lines if line.startswith("!")]
        if not refusals:
            what = f"pushing to {self.name} failed: {self._printable(done.complaint)}"
            return RemoteFailed(what, f"try `git ls-remote {self.name}`")
        reasons = [found[1] for line in refusals if (found := _REASON.search(line))]
        said = done.err.decode("utf-8", "replace").splitlines()
        spoken = [line.removeprefix("remote:").strip() for line in said if line[:7] == "remote:"]
        why = self._printable(": ".join([*reasons[:1], *list(filter(None, spoken))[:1]]))
        return RemoteFailed(
            f"{self.name} rejected it: {why or 'it gave no reason'}",
            "see what the remote demands, then run the command again",
            moved=any(reason.startswith(_MOVED) for reason in reasons),
        )

    def _printable(self, text: str) -> str:
        text = text.replace(self.address, self.shown)
        return "".join(letter if letter.isprintable() else "?" for letter in text)[:_LONGEST]

    def _git(self, deadline_s: float, *arguments: str) -> Completed:
        try:
            return converse((*self.argv, *arguments), self.env, deadline_s)
        except CtoError as error:
            raise RemoteFailed(f"{self.name}: {error.message}", error.hint) from error


def open_remote(repository: Repository, name: str, environ: Mapping[str, str]) -> Remote:
    """Return a remote by the name it has in the repository; nothing is asked of it yet.

    ``environ`` is the user's environment. Raises ``CtoError`` for a remote that does not exist or
    that has several addresses to push to.
    """
    done = plumbing(repository).run("remote", "get-url", "--push", "--all", name, check=False)
    addresses = done.out.decode("utf-8", "surrogateescape").splitlines()
    if len(addresses) != 1:
        several = f"the remote {name!r} has {len(addresses)} addresses to push to"
        raise CtoError(
            several if addresses else f"this repository has no remote {name!r}",
            f"set one with `git remote add {name} URL`, or name another in policy.toml, [remote]",
        )
    git = trusted(repository)
    env = remote_environment(repository.program, environ)
    env |= {"GIT_DIR": str(git.git_dir), "GIT_OBJECT_DIRECTORY": str(git.objects)}
    if git.shallow is not None:
        env["GIT_SHALLOW_FILE"] = str(git.shallow)
    settings = [part for option in REMOTE_OPTIONS for part in ("-c", option)]
    address = _absolute(repository, addresses[0])
    return Remote(
        name=name,
        shown=_USERINFO.sub(r"\1", address),
        address=address,
        argv=(repository.program, "-C", "/", *settings),
        env=env,
    )


def _absolute(repository: Repository, address: str) -> str:
    """Return an address that means the same in every directory."""
    host, colon, _ = address.partition(":")
    if address.startswith("/") or (colon and "/" not in host):
        return address
    return os.path.normpath((repository.work_tree or repository.common_dir) / address)
