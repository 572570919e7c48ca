"""A worker that writes without end into its room, and says outside of it what it wrote.

Usage: ``worker.py JOURNAL FINISH``. ``JOURNAL`` is a fifo that the test holds open: what is written
to it outlives this process, whoever kills it. Each deed is announced before and confirmed after it,
so that at most one is in doubt. ``FINISH`` exists when workers of long tasks may end. A second
process, a daemon in a session of its own, writes beside it until somebody ends it.
"""
# Runs by itself, isolated, also inside a sandbox:
# ruff: noqa: PTH101, PTH103, PTH104, PTH108, PTH110, PTH113, PTH114, PTH115, PTH116, PTH118, PTH120
# ruff: noqa: PTH123, PTH211

from __future__ import annotations

import hashlib
import json
import os
import random
import select
import subprocess
import sys
import time
from typing import Any

Part = tuple[str, str, int, int]
"""Bytes that describe themselves: who wrote them, in which of its streams, which deed, how many."""

State = dict[str, tuple[str, str]]
"""Files by path: git's mode and blob id."""

PATHS = ("t0", "t1", "t2", "t3", "new", "a/one", "a/two", "a/b/deep", "c/bin", "c/d/e/far")
LINKS = ("link", "a/link")
SIZES = (0, 30, 30, 400, 400, 5_000, 5_000, 70_000, 600_000)
MAX_PARTS = 4


def content(parts: list[Part]) -> bytes:
    """Return the bytes that ``parts`` describe."""
    whole = b""
    for who, stream, number, size in parts:
        head = f"{who} {stream} {number}\n".encode()
        whole += head + hashlib.shake_256(head).digest(size)
    return whole


def blob(data: bytes) -> str:
    """Return the id that git gives to ``data``."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # noqa: S324


def look(root: str) -> State:
    """Return every file below ``root`` as git would keep it."""
    found: State = {}
    for directory, folders, names in os.walk(root):
        for name in (*names, *folders):
            path = os.path.join(directory, name)
            if os.path.islink(path):
                found[path] = ("120000", blob(os.fsencode(os.readlink(path))))
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    mode = "100755" if os.stat(path).st_mode & 0o100 else "100644"
                    found[path] = (mode, blob(file.read()))
    return found


class Writer:
    """One process's writing below ``root``; ``stream`` tells it from others of its worker."""

    def __init__(self, journal: int, root: str, stream: str) -> None:
        self.me = os.environ["CTO_EXECUTION"]
        self._journal, self.root, self.stream = journal, root, stream
        self._random = random.Random(f"{self.me} {stream}")
        self._parts: dict[str, list[Part]] = {}
        self.deeds = 0

    def say(self, **words: Any) -> None:
        """Add one line to the journal, whole or not at all."""
        line = json.dumps({"x": self.me, "stream": self.stream, **words}).encode() + b"\n"
        if len(line) > select.PIPE_BUF:
            raise ValueError("a line of the journal is too long")
        os.write(self._journal, line)

    def begin(self) -> None:
        """Say what is there at first."""
        self.say(at="start", root=self.root, state=look(self.root))

    def act(self, *deeds: str) -> None:
        """Do one of the deeds."""
        self.deeds += 1
        getattr(self, "_" + self._random.choice(deeds))()
        time.sleep(self._random.uniform(0, 0.015))  # a fast thinker

    def _write(self) -> None:
        path = self._any(PATHS)
        new: list[Part] = [(self.me, self.stream, self.deeds, self._random.choice(SIZES))]
        self._put(path, new, new, os.O_TRUNC)

    def _append(self) -> None:
        path = self._any(PATHS)
        old = self._parts.get(path, [])
        new: list[Part] = [(self.me, self.stream, self.deeds, self._random.choice(SIZES))]
        if old and len(old) < MAX_PARTS and os.path.exists(path):
            self._put(path, [*old, *new], new, os.O_APPEND)

    def _put(self, path: str, whole: list[Part], adding: list[Part], how: int) -> None:
        mode = "100755" if os.path.exists(path) and os.access(path, os.X_OK) else "100644"
        entry = (mode, blob(content(whole)))
        self.say(at="before", do="put", path=path, entry=entry, parts=whole)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o644)
        view = memoryview(content(adding))
        while view:
            view = view[os.write(descriptor, view) :]
        os.close(descriptor)
        self._parts[path] = whole
        self.say(at="after")

    def _remove(self) -> None:
        self._change("remove", self._any((*PATHS, *LINKS)), os.unlink)

    def _flip(self) -> None:
        path = self._any(PATHS)
        mode = 0o644 if os.path.exists(path) and os.access(path, os.X_OK) else 0o755
        self._change("mode", path, lambda it: os.chmod(it, mode), mode=f"100{mode:o}")

    def _move(self) -> None:
        to = self._any(PATHS)
        path = self._any(PATHS)
        if path != to and os.path.isfile(path):
            os.makedirs(os.path.dirname(to), exist_ok=True)
            self._change("move", path, lambda it: os.rename(it, to), to=to)
            self._parts[to] = self._parts.pop(path, [])

    def _link(self) -> None:
        path, target = self._any(LINKS), f"somewhere/{self.me}/{self.deeds}"
        if not os.path.lexists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            entry = ("120000", blob(target.encode()))
            self.say(at="before", do="link", path=path, entry=entry)
            os.symlink(target, path)
            self.say(at="after")

    def _change(self, do: str, path: str, change: Any, **words: str) -> None:
        if os.path.lexists(path):
            self.say(at="before", do=do, path=path, **words)
            change(path)
            self.say(at="after")

    def _any(self, names: tuple[str, ...]) -> str:
        return os.path.join(self.root, self._random.choice(names))

    def _commit(self) -> None:
        self._git("commit", "HEAD", ("add", "-A", "--", self.root), self._committing())

    def _side(self) -> None:
        branch = ("checkout", "-q", "-b", f"side-{self.deeds}")
        self._git("commit", "HEAD", branch, ("add", "-A", "--", self.root), self._committing())

    def _stash(self) -> None:
        push = ("stash", "push", "-q", "-u", "--", self.root)
        self._git("sweep", "refs/stash", push)

    def _reset(self) -> None:
        add, back = ("add", "-A", "--", self.root), ("reset", "-q", "--hard", "HEAD~1")
        self._git("sweep", "ORIG_HEAD", add, self._committing(), back)

    def _committing(self) -> tuple[str, ...]:
        return ("commit", "-q", "--allow-empty", "-m", f"{self.me} {self.deeds}")

    def _git(self, do: str, made: str, *commands: tuple[str, ...]) -> None:
        """Run git commands; what came of them is looked at, because they may be killed alone."""
        self.say(at="before", do=do)
        good = all(_git_code(*command) == 0 for command in commands)
        asked = ("git", "rev-parse", "-q", "--verify", made)
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
        self._parts.clear()
        if not good and os.path.exists(".git/index.lock"):
            os.unlink(".git/index.lock")
        self.say(at="state", state=look(self.root), commit=told if good else "")


def _git_code(*command: str) -> int:
    return subprocess.run(("git", *command), capture_output=True, check=False).returncode


def daemon(journal: int, root: str) -> None:
    """Leave a process behind that writes until somebody ends it."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    writer = Writer(journal, root, "daemon")
    writer.begin()
    while True:
        writer.act("write", "append", "remove", "move")


def main() -> None:
    """Write until told to end, or until it is enough."""
    journal_path, finish = sys.argv[1:]
    journal = os.open(journal_path, os.O_WRONLY)
    task, attempt = os.environ["CTO_TASK"], int(os.environ["CTO_ATTEMPT"])
    number = int(task.removeprefix("T"))
    daemon(journal, f"daemon/{task}")
    writer = Writer(journal, f"work/{task}", "main")
    writer.begin()
    enough, long = 30 + 15 * (number % 4), number % 3 == 0
    while writer.deeds < enough or (long and not os.path.exists(finish)):
        writer.act(*(["write", "append", "remove", "flip", "move", "link"] * 4), *GIT)
    if number % 5 == 1 and attempt == 1:
        sys.exit(3)


GIT = ("commit", "side", "stash", "reset", "commit")

if __name__ == "__main__":
    main()
