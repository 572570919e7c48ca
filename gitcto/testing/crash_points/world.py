"""Small worlds of real repositories: made once for a flow, and copied for each of its runs."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.testing.crash_points.flow import Flow, Planned

TARGET = "cto/main/integration"
WITNESS = "../" * 8 + "witness"
"""From a worker's room to a file of this world, where workers say what they wrote."""

PAID = "../" * 8 + "paid"
"""The same for a file in which an agent says that it was paid for a plan."""

POLICY = """\
version = 1
[concurrency]
max_workers = 2
[roles.developer]
provider = "scripted"
[providers.scripted]
plugin = "fake"
[sandbox]
use = ["none"]
"""
_SAMPLE = 1 << 16


@dataclass(frozen=True, slots=True)
class World:
    """Clones ``a`` and ``b``, perhaps a bare ``hub.git``, and the home of whoever works here."""

    root: Path

    def clone(self, name: str = "a") -> Path:
        """Return the work tree of a clone."""
        return self.root / name / "repo"

    def state(self, name: str = "a") -> Path:
        """Return where that clone's rooms lie."""
        return self.root / name / "state"

    @property
    def hub(self) -> Path:
        """The bare repository that clones share."""
        return self.root / "hub.git"

    @property
    def witness(self) -> Path:
        """The file in which workers say what they wrote."""
        return self.root / "witness"

    def environ(self, name: str = "a", user: str = "ada") -> dict[str, str]:
        """Return the whole environment of a person at a clone."""
        return {
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "HOME": str(self.root),
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "PATH": os.environ["PATH"],
            "TMPDIR": str(self.root / "tmp"),
            "USER": user,
            "XDG_STATE_HOME": str(self.state(name)),
        }

    def git(self, *arguments: str, where: str = "a") -> str:
        """Run git in a clone, or in the hub, and return what it printed."""
        directory = self.hub if where == "hub" else self.clone(where)
        done = subprocess.run(
            ("git", *arguments),
            cwd=directory,
            env=self.environ("a" if where == "hub" else where),
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="surrogateescape",
        )
        if done.returncode:
            raise RuntimeError(f"git {' '.join(arguments)} in {where}: {done.stderr.strip()}")
        return done.stdout.strip()


def make(root: Path, flow: Flow) -> World:
    """Make the repositories of a flow, without a team; raises ``RuntimeError``."""
    world = World(root)
    for place in (world.clone(), world.state(), root / "tmp"):
        place.mkdir(parents=True)
    files = {
        **flow.files,
        "base.txt": "base\n",
        "plan.toml": _plan(flow.tasks),
        "policy.toml": POLICY + flow.policy,
    }
    for name, text in files.items():
        path = world.clone() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    world.git("init", "-q", "-b", "main")
    world.git("add", "-A")
    world.git("commit", "-qm", "start")
    if flow.hub:
        world.git("init", "-q", "--bare", "-b", "main", str(world.hub))
        world.git("remote", "add", "origin", str(world.hub))
        world.git("push", "-q", "origin", "main")
    return world


def add_clone(world: World, name: str) -> None:
    """Clone the hub once more, as somebody on another machine would."""
    place = world.clone(name)
    world.state(name).mkdir(parents=True)
    world.git("clone", "-q", str(world.hub), str(place))


def copied(world: World, root: Path) -> World:
    """Copy a world to a path of the same length; paths in small files of its own follow it.

    Nothing may be running in it.
    """
    old, new = os.fsencode(world.root), os.fsencode(root)
    if len(old) != len(new):
        raise ValueError(f"{world.root} and {root} must be of one length")
    subprocess.run(("cp", "-a", world.root, root), check=True)
    for directory, _, names in os.walk(root):
        for name in names:
            _follow(f"{directory}/{name}", old, new)
    return World(root)


def _follow(path: str, old: bytes, new: bytes) -> None:
    if os.path.islink(path) or os.path.getsize(path) > _SAMPLE:  # noqa: PTH114, PTH202
        return
    with open(path, "rb") as file:  # noqa: PTH123
        content = file.read()
    if old in content and not content.startswith(b"SQLite format"):
        times = os.stat(path)  # noqa: PTH116
        with open(path, "r+b") as file:  # noqa: PTH123
            file.write(content.replace(old, new))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _plan(tasks: tuple[Planned, ...]) -> str:
    parts = []
    for task in tasks:
        fields: dict[str, object] = {"id": task.id, "title": f"do {task.id}"}
        fields |= {"depends_on": list(task.needs)} if task.needs else {}
        fields |= {"paths": list(task.paths)} if task.paths else {}
        fields |= {"strategy": task.strategy} if task.strategy else {}
        lines = [f"{key} = {json.dumps(value)}" for key, value in fields.items()]
        script = json.dumps([list(steps) for steps in task.attempts])
        lines.append(f"inputs = {{ script = {json.dumps(script)} }}")
        parts.append("\n".join(["[[task]]", *lines]))
    return "\n\n".join(parts) + "\n"
