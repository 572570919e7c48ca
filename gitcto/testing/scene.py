"""What the fault harnesses work on: an operation, and the directory in which it happens."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.git.repository import Repository, discover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

STALE_S = 3600
"""How long ago a fault is said to have happened when somebody comes to recover (seconds)."""


def _ignore(text: str) -> None:
    del text


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A directory with everything that an operation touches, and the environment it runs in.

    ``acknowledge`` is called with the id of an event that was recorded: it must never be lost.
    """

    root: Path
    environ: Mapping[str, str]
    acknowledge: Callable[[str], None] = _ignore

    def repository(self, name: str = "repo") -> Repository:
        """Return the repository of that name."""
        return discover(self.root / name, self.environ)

    def repositories(self) -> Iterator[Path]:
        """Yield the git directories that lie directly below the root."""
        for path in sorted(self.root.iterdir()):
            if (path / "HEAD").is_file():
                yield path
            elif (path / ".git" / "HEAD").is_file():
                yield path / ".git"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Something durable, as a small program; make one of your own to try your plugin with.

    ``prepare`` fills an empty scene, once. ``act`` does it, and must do no harm when it is done
    again; it raises a ``CtoError`` for what a person has to know, and nothing else. ``recover`` is
    the next ordinary command, ``act`` itself unless told. ``check`` names what is wrong then.
    ``kept`` tells, before that, whether something that was acknowledged is there: without it, ids
    of events are acknowledged. ``until_reboot`` is for what is thrown away when the machine starts
    anew, so that a power cut can do it no harm; ``elsewhere`` names what lies on another machine.
    """

    name: str
    prepare: Callable[[Scene], object]
    act: Callable[[Scene], object]
    recover: Callable[[Scene], object] | None = None
    check: Callable[[Scene], Iterable[str]] = lambda _: ()
    kept: Callable[[Scene, str], bool] | None = None
    until_reboot: bool = False
    elsewhere: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Puts a scene back as it was prepared, always at the same path."""

    scene: Scene
    template: Path

    @classmethod
    def make(cls, place: Path, operation: Operation) -> Stage:
        """Prepare an operation's scene, with a home of its own, below an existing directory."""
        home = place / "home"
        home.mkdir()
        scene = Scene(root=place / "scene", environ=environment(home))
        scene.root.mkdir(parents=True)
        operation.prepare(scene)
        template = place / "template"
        shutil.copytree(scene.root, template, symlinks=True)
        return cls(scene=scene, template=template)

    def reset(self) -> None:
        """Throw away what happened in the scene."""
        shutil.rmtree(self.scene.root)
        shutil.copytree(self.template, self.scene.root, symlinks=True)

    def heard(self, acknowledge: Callable[[str], None], path: str) -> Scene:
        """Return the scene for code that is watched: it acknowledges, and finds ``git`` in path."""
        environ = {**self.scene.environ, "PATH": path}
        return replace(self.scene, acknowledge=acknowledge, environ=environ)


def environment(home: Path) -> dict[str, str]:
    """Return an environment without anything of the machine's user."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def stale_locks(git_dir: Path) -> list[Path]:
    """Return the lock files in a git directory that would stop git, and what goes with them.

    Files below ``cto`` are held by ``flock``, so they are never stale.
    """
    found = []
    for directory, folders, files in os.walk(git_dir):
        if directory == str(git_dir) and "cto" in folders:
            folders.remove("cto")
        names = (name for name in files if name.endswith(".lock") or name == "packed-refs.new")
        found += [Path(directory, name) for name in names]
    return sorted(found)


def age(scene: Scene) -> int:
    """Let the locks of a scene look as if the fault was long ago; return how many there are."""
    locks = [lock for git_dir in scene.repositories() for lock in stale_locks(git_dir)]
    for lock in locks:
        then = lock.stat().st_mtime - STALE_S
        os.utime(lock, (then, then))
    return len(locks)
