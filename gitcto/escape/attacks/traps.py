"""Programs that git would run when it takes the work up."""

from __future__ import annotations

import hashlib
import os
import zlib

from gitcto.escape.attacks.tools import At, append, git, room_config, trap, write


def _touch(at: At) -> None:
    append(os.path.join(at["room"], "app.py"), "# changed\n")


def _attribute(at: At, line: str) -> None:
    _touch(at)
    append(os.path.join(at["room"], ".gitattributes"), line + "\n")


def hooks_path(at: At) -> None:
    """Set `core.hooksPath` to hooks of the worker's."""
    _touch(at)
    for name in ("pre-commit", "post-commit", "post-index-change", "reference-transaction"):
        trap(at, name)
    room_config(at, "core", f"hooksPath = {at['scratch']}/evil")


def own_hook(at: At) -> None:
    """Put a hook into the room's own `.git/hooks`."""
    _touch(at)
    program = trap(at, "own-hook")
    os.makedirs(os.path.join(at["room"], ".git", "hooks"), exist_ok=True)
    os.symlink(program, os.path.join(at["room"], ".git", "hooks", "pre-commit"))


def husky(at: At) -> None:
    """Commit a hook under `.husky`, as JavaScript projects have them."""
    _touch(at)
    program = trap(at, "husky")
    with open(program, encoding="utf-8") as file:
        write(os.path.join(at["room"], ".husky", "pre-commit"), file.read(), 0o755)
    room_config(at, "core", "hooksPath = .husky")


def fsmonitor(at: At) -> None:
    """Set `core.fsmonitor`, which every `git status` runs."""
    room_config(at, "core", f"fsmonitor = {trap(at, 'fsmonitor')}")


def filter_clean(at: At) -> None:
    """Name a clean filter in `.gitattributes`, which `git add` runs."""
    _attribute(at, "* filter=evil")
    room_config(at, 'filter "evil"', f"clean = {trap(at, 'clean', passes=True)}")


def filter_smudge(at: At) -> None:
    """Name a smudge filter in `.gitattributes`, which a checkout runs."""
    _attribute(at, "* filter=evil")
    room_config(at, 'filter "evil"', f"smudge = {trap(at, 'smudge', passes=True)}")


def filter_process(at: At) -> None:
    """Name a filter process in `.gitattributes`."""
    _attribute(at, "* filter=evil")
    room_config(at, 'filter "evil"', f"process = {trap(at, 'process')}")


def diff_external(at: At) -> None:
    """Set `diff.external`, which `git diff` runs."""
    _touch(at)
    room_config(at, "diff", f"external = {trap(at, 'external')}")


def textconv(at: At) -> None:
    """Name a text conversion in `.gitattributes`, which `git log -p` runs."""
    _attribute(at, "* diff=evil")
    room_config(at, 'diff "evil"', f"textconv = {trap(at, 'textconv')}")


def merge_driver(at: At) -> None:
    """Name a merge driver in the room's own attributes."""
    _touch(at)
    write(os.path.join(at["room"], ".git", "info", "attributes"), "* merge=evil\n")
    room_config(at, 'merge "evil"', f"driver = {trap(at, 'driver')}")


def alias(at: At) -> None:
    """Replace an alias that the user has for everyday use."""
    room_config(at, "alias", f"st = !{trap(at, 'alias')}")


def credential_helper(at: At) -> None:
    """Set a credential helper, which would also be told passwords."""
    room_config(at, "credential", f"helper = {trap(at, 'helper')}")


def ssh_command(at: At) -> None:
    """Set `core.sshCommand` and a remote to fetch from."""
    room_config(at, "core", f"sshCommand = {trap(at, 'ssh')}")
    room_config(at, 'remote "origin"', "url = ssh://host.invalid/x", "fetch = +refs/*:refs/o/*")


def remote_helper(at: At) -> None:
    """Name a remote whose address is a program."""
    room_config(at, 'protocol "ext"', "allow = always")
    address = f"ext::{trap(at, 'ext')}"
    room_config(at, 'remote "origin"', f"url = {address}", "fetch = +refs/*:refs/o/*")


def pager(at: At) -> None:
    """Set `core.pager`, which git runs on a terminal."""
    room_config(at, "core", f"pager = {trap(at, 'pager')}")


def editor(at: At) -> None:
    """Set `core.editor`, which a commit without a message runs."""
    _touch(at)
    room_config(at, "core", f"editor = {trap(at, 'editor')}")


def submodule(at: At) -> None:
    """Add a submodule that a program of the worker's updates."""
    path = _repository(at, "lib")
    first = git(at, "-C", "lib", "rev-parse", "HEAD").decode().strip()
    git(at, "-C", "lib", "commit", "--quiet", "--allow-empty", "--no-verify", "-m", "next")
    write(
        os.path.join(at["room"], ".gitmodules"),
        '[submodule "lib"]\n\tpath = lib\n\turl = ./lib\n',
    )
    update = f"update = !{trap(at, 'submodule')}"
    room_config(at, 'submodule "lib"', "active = true", f"url = {path}", update)
    git(at, "update-index", "--add", "--cacheinfo", f"160000,{first},lib")


def _repository(at: At, name: str) -> str:
    path = os.path.join(at["room"], name)
    os.makedirs(path)
    git(at, "init", "--quiet", path)
    append(os.path.join(path, "file"), "x\n")
    git(at, "-C", name, "add", "--all")
    git(at, "-C", name, "commit", "--quiet", "--no-verify", "-m", "nested")
    return path


def _trapped(at: At, path: str) -> None:
    program = trap(at, "nested")
    append(os.path.join(path, ".git", "config"), f"[core]\n\tfsmonitor = {program}\n")


def nested_repository(at: At) -> None:
    """Hide a repository with a program in its configuration in a directory."""
    _trapped(at, _repository(at, "lib"))


def nested_ignored(at: At) -> None:
    """Hide such a repository in a directory that git ignores, and add it to the room's index."""
    _trapped(at, _repository(at, "build/lib"))
    git(at, "add", "--force", "build/lib")


def gitfile(at: At) -> None:
    """Let a `.git` file in a directory name such a repository elsewhere in the room."""
    path = _repository(at, "lib")
    _trapped(at, path)
    os.rename(os.path.join(path, ".git"), os.path.join(at["room"], ".evil", "gitdir"))
    write(os.path.join(path, ".git"), "gitdir: ../.evil/gitdir\n")


def bare_repository(at: At) -> None:
    """Commit files that make a directory a bare repository to whoever runs git in it."""
    path = os.path.join(at["room"], "vendor")
    for name in ("objects", "refs", "worktree"):
        write(os.path.join(path, name, ".keep"), "")
    write(os.path.join(path, "HEAD"), "ref: refs/heads/main\n")
    program = trap(at, "bare")
    settings = ("repositoryFormatVersion = 0", "bare = false", "worktree = worktree")
    lines = "".join(f"\t{each}\n" for each in (*settings, f"fsmonitor = {program}"))
    write(os.path.join(path, "config"), f"[core]\n{lines}")


def pipe_ignore(at: At) -> None:
    """Make `.gitignore` a pipe that nobody writes, so that git waits for ever."""
    os.remove(os.path.join(at["room"], ".gitignore"))
    os.mkfifo(os.path.join(at["room"], ".gitignore"))


def upper_git(at: At) -> None:
    """Commit a tree with an entry `.GIT`, which some file systems take for `.git`."""
    _commit_entry(at, b".GIT")


def short_git(at: At) -> None:
    """Commit a tree with an entry `git~1`, which some file systems take for `.git`."""
    _commit_entry(at, b"git~1")


def _commit_entry(at: At, name: bytes) -> None:
    config = _object(at, b"blob", b"[core]\n\tfsmonitor = touch fired\n")
    inner = _object(at, b"tree", b"100644 config\0" + bytes.fromhex(config))
    tree = _object(at, b"tree", b"40000 " + name + b"\0" + bytes.fromhex(inner))
    commit = git(at, "commit-tree", "-p", "HEAD", "-m", "planted", tree).decode().strip()
    git(at, "update-ref", "refs/heads/planted", commit)


def _object(at: At, kind: bytes, content: bytes) -> str:
    """Write an object that git's own commands would refuse to make."""
    whole = kind + b" %d\0" % len(content) + content
    name = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    path = os.path.join(at["room"], ".git", "objects", name[:2], name[2:])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(zlib.compress(whole))
    return name
