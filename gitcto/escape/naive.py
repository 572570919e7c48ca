"""The naive way: no sandbox, no limits, and plain git in the worker's own repository.

It shows that an attack is one. An attack that does not come through here proves nothing elsewhere.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from gitcto.errors import CtoError
from gitcto.escape import program
from gitcto.escape.attacks.forgery import FORGED
from gitcto.escape.way import Trail, thawing
from gitcto.escape.world import World
from gitcto.git.process import execute
from gitcto.model.codec import canonical

_GIT_S = 5.0
_BRANCH = "naive"
_TESTS = 'cd "$0" && exec "$1" -I -S check.py'
_HARVEST: tuple[tuple[str, ...], ...] = (
    ("submodule", "update", "--init"),
    ("status",),
    ("diff",),
    ("st",),
    ("add", "--all"),
    ("status",),
    ("commit", "--quiet", "--message", "work"),
    ("commit", "--quiet", "--allow-empty", "--amend"),
    ("log", "-p", "-1"),
    ("branch", "--quiet", "--force", f"{_BRANCH}/work"),
    ("switch", "--quiet", "--force-create", f"{_BRANCH}/onto", "HEAD~1"),
)
_MERGE: tuple[tuple[str, ...], ...] = (
    ("commit", "--quiet", "--all", "--no-verify", "--message", "meanwhile"),
    ("merge", "--quiet", f"{_BRANCH}/work"),
    ("fetch", "--quiet", "origin"),
    ("credential", "fill"),
    ("add", "--all"),
    ("status",),
)


class Naive:
    """One attempt as many tools make them: a tree below the user's checkout, and trust."""

    def __init__(self, world: World, room: str) -> None:
        self._world = world
        self._linked = room == "worktree"
        self.place = world.project / ".worktrees" / "attempt"
        self.records = self.place / "records"
        self._hung = ""
        self._before = self._sidecar()

    def act(self, name: str, at: Mapping[str, object]) -> Trail:
        """Make the room, let the attack run, and take its work up with plain git in it."""
        room = self.place / "room"
        for directory in (self.place / "scratch" / "tmp", self.records):
            directory.mkdir(parents=True)
        if self._linked:
            self._world.git("worktree", "add", "--quiet", "-b", f"{_BRANCH}/room", str(room))
        else:
            self._world.git("clone", "--quiet", "--shared", str(self._world.project), str(room))
            self._world.git("remote", "remove", "origin", where=room)
        code = self._attack(name, at)
        self._harvest(room)
        self._land(room)
        return Trail(
            code=code,
            output=self.records / "stdout.log",
            error=(self.records / "stderr.log").read_text(errors="replace"),
            hung=self._hung,
            believed=tuple(self._believed(room)),
            taken=self._taken(),
            passed=True,
        )

    def _attack(self, name: str, at: Mapping[str, object]) -> int:
        """Start the worker below a shell, with everything we have, and wait for it alone."""
        argv = [sys.executable, "-I", "-S", program.__file__, name, canonical(dict(at)).decode()]
        shell = ["/bin/sh", "-c", '"$@"; exit $?', "sh", *argv]
        left_open = os.open(self._world.home, os.O_RDONLY)
        os.set_inheritable(left_open, True)
        actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
        for number, file in ((1, "stdout.log"), (2, "stderr.log")):
            path = str(self.records / file)
            actions.append((os.POSIX_SPAWN_OPEN, number, path, os.O_WRONLY | os.O_CREAT, 0o600))
        try:
            pid = os.posix_spawn(
                shell[0], shell, self._world.environ, file_actions=actions, setpgroup=0
            )
        finally:
            os.close(left_open)
        with thawing() as (watch, needed):
            watch(pid)
            _, status = os.waitpid(pid, 0)
            self._hung = "the supervisor was stopped" if needed() else ""
        return os.waitstatus_to_exitcode(status)

    def _harvest(self, room: Path) -> None:
        for arguments in _HARVEST:
            self._git(room, *arguments)
        self._on_a_terminal(room, "log", "-1")
        app = room / "app.py"
        with suppress(OSError):
            app.write_text("# meanwhile\n" + app.read_text())
        for arguments in _MERGE:
            self._git(room, *arguments)
        self._run(["/bin/sh", "-c", _TESTS, str(room), sys.executable])
        for directory in _directories(room):
            self._git(directory, "status")

    def _git(self, where: Path, *arguments: str) -> None:
        self._run([self._world.program, "-C", str(where), *arguments])

    def _run(self, argv: list[str]) -> None:
        if self._hung:
            return
        question = b"protocol=https\nhost=host.invalid\n\n"
        try:
            execute(argv, self._world.environ, question, _GIT_S)
        except CtoError:
            self._hung = f"{' '.join(argv[-2:])} never ends"

    def _on_a_terminal(self, where: Path, *arguments: str) -> None:
        if self._hung:
            return
        shown, typed = os.openpty()
        argv = [self._world.program, "-C", str(where), "--paginate", *arguments]
        actions = [(os.POSIX_SPAWN_DUP2, typed, number) for number in range(3)]
        try:
            env = {**self._world.environ, "TERM": "dumb", "PAGER": "cat"}
            pid = os.posix_spawn(argv[0], argv, env, file_actions=actions)
            os.waitpid(pid, 0)
        finally:
            os.close(shown)
            os.close(typed)

    def _land(self, room: Path) -> None:
        """Fetch every branch of the room into the user's repository."""
        if not self._hung:
            self._git(
                self._world.project,
                "fetch",
                "--quiet",
                "--no-tags",
                str(room),
                f"+refs/heads/*:refs/heads/{_BRANCH}/*",
            )

    def _taken(self) -> bytes:
        name = f"refs/heads/{_BRANCH}/{_BRANCH}/work:app.py"
        return self._world.git("show", name, check=False).encode("utf-8", "surrogateescape")

    def _believed(self, room: Path) -> list[str]:
        found = []
        if _holds(self.records / "exited.json", FORGED):
            found.append("its own record of its end")
        if _holds(room / "report.json", "pass"):
            found.append("its own report of its tests")
        return found

    def finish(self) -> str:
        """Delete the room; return why it could not be deleted, or nothing."""
        try:
            shutil.rmtree(self.place)
        except OSError as error:
            return f"cannot remove the room: {error}"
        return ""

    def misled(self) -> list[str]:
        """Look at the index of the ledger as a program that trusts it would."""
        same = self._sidecar() == self._before
        return [] if same else ["the index of the ledger is another one"]

    def _sidecar(self) -> bytes:
        place = self._world.git_dir / "cto"
        return b"".join(path.read_bytes() for path in sorted(place.glob("sidecar.db*")))

    def is_ours(self, path: str) -> bool:
        """Tell whether a path of the world is changed by this way itself."""
        git = "home/project/.git/"
        own = ("cto/sidecar.db", "FETCH_HEAD", "worktrees/room", f"refs/heads/{_BRANCH}")
        logs = f"{git}logs/refs/heads/{_BRANCH}"
        fixed = ("home/fired", "home/project/.worktrees", logs)
        return path.startswith((*fixed, *(git + each for each in own)))

    def may_add(self, path: str) -> bool:
        """Tell whether this way itself may make such a path."""
        return path.startswith("home/project/.git/objects/") and "/info" not in path


def _directories(room: Path) -> list[Path]:
    """Return where tools that work in a part of a project would run git."""
    if room.is_symlink():
        return []
    return sorted(path for path in (*room.glob("[!.]*/"), *room.glob("[!.]*/[!.]*/")))


def _holds(path: Path, text: str) -> bool:
    try:
        return text in path.read_text(errors="replace")
    except OSError:
        return False
