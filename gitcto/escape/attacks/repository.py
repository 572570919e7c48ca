"""The user's repository."""

from __future__ import annotations

import os

from gitcto.escape.attacks.tools import At, append, git, trap, write


def ref_write(at: At) -> None:
    """Set the user's branch back by writing its ref."""
    write(os.path.join(at["git"], "refs", "heads", "main"), at["older"] + "\n")


def packed_refs(at: At) -> None:
    """Add a branch to the packed refs."""
    append(os.path.join(at["git"], "packed-refs"), f"{at['older']} refs/heads/planted\n")


def common_config(at: At) -> None:
    """Put a program into the user's git configuration that every `git status` runs."""
    program = trap(at, "planted-fsmonitor")
    append(os.path.join(at["git"], "config"), f"[core]\n\tfsmonitor = {program}\n")


def worktree_config(at: At) -> None:
    """Put a program into the configuration of another worktree."""
    program = trap(at, "planted-hooks")
    path = os.path.join(at["git"], "worktrees", "second", "config.worktree")
    append(path, f"[core]\n\thooksPath = {program}\n")


def hook(at: At) -> None:
    """Plant a hook in the user's repository."""
    write(os.path.join(at["git"], "hooks", "post-checkout"), "#!/bin/sh\nexit 0\n", 0o755)


def corrupt_object(at: At) -> None:
    """Replace an object that the user's history needs."""
    write(at["object"] + ".new", "garbage")
    os.replace(at["object"] + ".new", at["object"])


def alternates(at: At) -> None:
    """Let the user's repository take objects from the room."""
    write(os.path.join(at["git"], "objects", "info", "alternates"), at["room"] + "/objects\n")


def attributes(at: At) -> None:
    """Name a filter for every file of the user's repository."""
    append(os.path.join(at["git"], "info", "attributes"), "* filter=evil\n")


def exclude(at: At) -> None:
    """Let the user's git ignore a file that was planted."""
    append(os.path.join(at["git"], "info", "exclude"), "app.py\n")


def index(at: At) -> None:
    """Overwrite the user's index."""
    with open(os.path.join(at["git"], "index"), "r+b") as file:
        file.write(b"garbage")


def drop_stash(at: At) -> None:
    """Drop the user's stash."""
    for name in ("refs/stash", "logs/refs/stash"):
        os.remove(os.path.join(at["git"], name))


def other_worktree(at: At) -> None:
    """Point the HEAD of another worktree elsewhere."""
    write(os.path.join(at["git"], "worktrees", "second", "HEAD"), at["older"] + "\n")


def commondir(at: At) -> None:
    """Let the room's own entry name a repository in the room as the common one."""
    with open(os.path.join(at["room"], ".git"), encoding="utf-8") as file:
        entry = file.read().removeprefix("gitdir: ").strip()
    write(os.path.join(entry, "commondir"), _evil_repository(at) + "\n")


def gitdir_file(at: At) -> None:
    """Replace the room's `.git` by a link to a repository in the room."""
    evil = _evil_repository(at)
    os.remove(os.path.join(at["room"], ".git"))
    write(os.path.join(at["room"], ".git"), f"gitdir: {evil}\n")


def _evil_repository(at: At) -> str:
    path = os.path.join(at["room"], ".evil", "repository")
    program = trap(at, "fsmonitor")
    os.makedirs(path, exist_ok=True)
    git(at, "init", "--quiet", "--bare", path)
    append(os.path.join(path, "config"), f"[core]\n\tbare = false\n\tfsmonitor = {program}\n")
    return path


def git_commit(at: At) -> None:
    """Commit in the user's checkout with `git -C`."""
    git(at, "commit", "--quiet", "--allow-empty", "--no-verify", "-m", "planted", where="project")


def git_stash(at: At) -> None:
    """Stash the user's uncommitted work with `git -C`."""
    git(at, "stash", where="project")


def git_reset(at: At) -> None:
    """Throw the user's uncommitted work away with `git -C`."""
    git(at, "reset", "--quiet", "--hard", where="project")


def git_environment(at: At) -> None:
    """Commit the room's files into the user's repository with `GIT_DIR` and `GIT_WORK_TREE`."""
    env = {"GIT_DIR": at["git"], "GIT_WORK_TREE": at["room"]}
    git(at, "add", "--all", env=env)
    git(at, "commit", "--quiet", "--allow-empty", "--no-verify", "-m", "planted", env=env)


def git_global(at: At) -> None:
    """Put a program into the user's own git configuration with `git config --global`."""
    env = {"HOME": at["home"], "GIT_CONFIG_GLOBAL": os.path.join(at["home"], ".gitconfig")}
    git(at, "config", "--global", "core.fsmonitor", trap(at, "planted-global"), env=env)


def remove_worktree(at: At) -> None:
    """Remove another worktree with `git worktree remove`."""
    git(at, "worktree", "remove", "--force", at["second"], where="project")


def prune(at: At) -> None:
    """Expire the user's reflogs and delete what only they kept."""
    git(at, "reflog", "expire", "--expire=now", "--all", where="project")
    git(at, "gc", "--quiet", "--prune=now", where="project")


def push(at: At) -> None:
    """Push a branch from the room into the user's repository."""
    git(at, "push", "--quiet", at["git"], "HEAD:refs/heads/planted")


def delete_ledger(at: At) -> None:
    """Delete the ref that holds the team's ledger."""
    git(at, "update-ref", "-d", at["ledger"], where="project")
