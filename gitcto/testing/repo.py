"""A repository you can talk to, alone in its world."""

from __future__ import annotations

import json
import shlex
import subprocess
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitcto.testing.environment import FIRST_DATE, hermetic
from gitcto.testing.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIMEOUT_S = 50.0
_LEDGERS = "refs/cto/teams/*/ledger"


class UncheckedOutcomeError(AssertionError):
    """A command ended with a code that the test did not expect."""


class YouForgotToChooseADirectoryError(AssertionError):
    """A test repository would have been made inside another repository, perhaps this one."""


@dataclass(slots=True)
class CtoRepo:
    """A git repository below ``root``, and the verbs that tests need.

    ``path`` is its working tree and ``home`` an empty home directory. Verbs that change the
    repository return it, so that they chain; dates grow by one second a command.
    """

    root: Path
    path: Path = field(init=False)
    home: Path = field(init=False)
    environment: dict[str, str] = field(init=False)
    _seconds: int = field(default=FIRST_DATE, init=False)
    _pending: list[Outcome] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Make the directories and ``git init``; refuses to do so inside another repository."""
        for folder in (self.root, *self.root.resolve().parents):
            if (folder / ".git").exists():
                raise YouForgotToChooseADirectoryError(f"{self.root} lies in repository {folder}")
        self.path, self.home = self.root / "repo", self.root / "home"
        (self.home / "tmp").mkdir(parents=True)
        self.path.mkdir()
        self.environment = hermetic(self.home)
        self.environment["GIT_CEILING_DIRECTORIES"] = str(self.root)
        self.git("init", "--quiet")

    def git(self, *arguments: str, stdin: str = "") -> str:
        """Run git in the repository and return its output; any failure fails the test."""
        outcome = self._execute(("git", *arguments), stdin, self.path)
        if outcome.code:
            raise UncheckedOutcomeError(f"\n{outcome}")
        return outcome.out.rstrip("\n")

    def write(self, path: str, text: str) -> CtoRepo:
        """Write a file of the working tree, making its folders."""
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return self

    def commit(self, path: str, text: str, message: str = "") -> CtoRepo:
        """Write a file and commit it alone."""
        self.write(path, text)
        self.git("add", "--", path)
        self.git("commit", "--quiet", "--no-verify", "-m", message or f"change {path}")
        return self

    def branch(self, name: str) -> CtoRepo:
        """Make a branch at the current commit, without switching to it."""
        self.git("branch", name)
        return self

    def oid(self, revision: str = "HEAD") -> str:
        """Return the object id of a revision."""
        return self.git("rev-parse", "--verify", revision)

    def run(
        self, *arguments: str, expect_exit: int | None = 0, stdin: str = "", cwd: str = "."
    ) -> Outcome:
        """Run ``git-cto`` with these arguments.

        :param expect_exit: the exit code that is right; another one fails the test here. With None
            the test itself must look at ``code`` through :meth:`checked`.
        """
        before = self._tips()
        argv = (console_script(), *arguments)
        outcome = self._execute(argv, stdin, self.path / cwd, before)
        if expect_exit is None:
            self._pending.append(outcome)
        elif outcome.code != expect_exit:
            raise UncheckedOutcomeError(f"expected exit code {expect_exit}\n{outcome}")
        return outcome

    def checked(self, outcome: Outcome) -> int:
        """Return an outcome's exit code, and count it as looked at."""
        self._pending = [other for other in self._pending if other is not outcome]
        return outcome.code

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """Return every event of every ledger, oldest first, read with plain git."""
        events = self._between({}, self._tips())
        return [event for event in events if kind in ("", event["body"]["kind"])]

    def close(self) -> None:
        """Fail when a command ended badly and nobody looked."""
        unchecked = [outcome for outcome in self._pending if outcome.code]
        if unchecked:
            raise UncheckedOutcomeError(f"nobody checked\n{unchecked[0]}")

    def _tips(self) -> dict[str, str]:
        text = self.git("for-each-ref", "--format=%(refname) %(objectname)", _LEDGERS)
        return dict(line.split(" ", 1) for line in text.splitlines())

    def _between(self, before: dict[str, str], after: dict[str, str]) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        for name, tip in after.items():
            since = [f"^{before[name]}"] if name in before else []
            text = self.git("log", "--reverse", "--format=%B", tip, *since)
            events.extend(json.loads(line) for line in text.splitlines() if line[:1] == "{")
        return events

    def _execute(
        self, argv: Sequence[str], stdin: str, cwd: Path, before: dict[str, str] | None = None
    ) -> Outcome:
        self._seconds += 1
        date = f"@{self._seconds} +0000"
        environment = {**self.environment, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        done = subprocess.run(
            argv,
            input=stdin.encode(),
            cwd=cwd,
            env=environment,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        after = None if before is None else self._tips()
        return Outcome(
            command=shlex.join(argv),
            code=done.returncode,
            out=done.stdout.decode("utf-8", "surrogateescape"),
            err=done.stderr.decode("utf-8", "surrogateescape"),
            _appended=lambda: self._between(before or {}, after or {}),
        )


def console_script() -> str:
    """Return the path of the installed ``git-cto``; raises ``FileNotFoundError`` without one."""
    script = Path(sysconfig.get_path("scripts")) / "git-cto"
    if not script.exists():
        raise FileNotFoundError(f"{script} is missing: install git-cto into this Python first")
    return str(script)
