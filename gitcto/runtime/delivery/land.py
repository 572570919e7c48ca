"""Bringing what landed to a branch of the user's, by fast-forward and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitcto.errors import CtoError, ExitCode
from gitcto.git.process import execute, trusted
from gitcto.git.refs import Refs
from gitcto.git.repository import Repository
from gitcto.git.trees import commit_count, is_ancestor


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """A branch was moved from ``old`` to ``new`` over ``commits`` commits.

    ``worktree`` is the checkout that was updated with it, if somebody has one.
    """

    branch: str
    old: str
    new: str
    commits: int
    worktree: Path | None


def fast_forward(
    repository: Repository, target: str, branch: str | None, environ: Mapping[str, str]
) -> Forwarded:
    """Move ``branch`` (default: the one that is checked out here) to the target's tip.

    A checkout of the branch is updated by git itself, as the user would: it refuses where local
    changes would be overwritten. Raises ``CtoError`` when the branch has commits of its own.
    """
    refs = Refs(repository)
    name = _full_name(refs, branch)
    tip = refs.read(target)
    if tip is None:
        raise CtoError("nothing has landed yet", "let the team work first: `git cto run`")
    old = refs.read(name)
    short = name.removeprefix("refs/heads/")
    if old is None:
        raise CtoError(f"there is no branch {short}", f"make it: `git branch {short} {tip[:12]}`")
    git = trusted(repository)
    if not is_ancestor(git, old, tip):
        onto = target.removeprefix("refs/heads/")
        raise CtoError(
            f"{short} has commits that {onto} does not have",
            f"merge it yourself: `git switch {short} && git merge {onto}`",
        )
    worktree = refs.checked_out().get(name)
    if worktree is not None:
        _merge(git.program, worktree, tip, environ)
    elif not refs.compare_and_swap(name, old, tip):
        raise CtoError(f"{short} was moved meanwhile", "run `git cto land` again")
    return Forwarded(
        branch=short, old=old, new=tip, commits=commit_count(git, tip, old), worktree=worktree
    )


def _full_name(refs: Refs, branch: str | None) -> str:
    if branch is not None:
        return branch if branch.startswith("refs/heads/") else f"refs/heads/{branch}"
    head, _ = refs.head()
    if head is None:
        raise CtoError(
            "HEAD is detached, so no branch is meant", "name one: `git cto land --branch NAME`"
        )
    return head


def _merge(program: str, worktree: Path, tip: str, environ: Mapping[str, str]) -> None:
    """Run git in the user's checkout with the user's configuration, but without hooks."""
    env = {key: value for key, value in environ.items() if not key.startswith("GIT_")}
    options = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
    argv = (program, "-C", str(worktree), *options, "merge", "--ff-only", "--quiet", tip)
    done = execute(argv, env, b"", None)
    if done.code != 0:
        raise CtoError(
            f"git could not update {worktree}: {done.complaint}",
            "commit or stash your changes there, then run `git cto land` again",
            ExitCode.GIT,
        )
