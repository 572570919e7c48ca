"""What every command receives: the host, the output, and the repository's rooms made on demand."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from gitcto.cli.output import ColorChoice, Output
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gitcto.cli.host import Host
    from gitcto.effects import Effects
    from gitcto.git.repository import Repository
    from gitcto.model.records import Task
    from gitcto.plugins import Plugins
    from gitcto.policy.records import Policy
    from gitcto.store.ledger import Ledger
    from gitcto.store.reader import LedgerReader
    from gitcto.store.shared import Shared

DEFAULT_TEAM = "main"
"""The team that ``init`` makes when nobody names one."""


class App:
    """One invocation of ``git cto``. Everything costly is made when it is first asked for."""

    def __init__(self, host: Host) -> None:
        self.begin(host, "auto")

    def begin(self, host: Host, color: ColorChoice) -> None:
        """Go on with what the options before the command say, before anything is looked up."""
        self.host = host
        self.output = Output(host, color)

    @cached_property
    def effects(self) -> Effects:
        """The real clock and randomness."""
        from gitcto.effects import SystemEffects

        return SystemEffects()

    @cached_property
    def repository(self) -> Repository:
        """The repository of the current directory, as git itself would find it."""
        from gitcto.git.repository import discover

        return discover(self.host.cwd, self.host.environ)

    @cached_property
    def plugins(self) -> Plugins:
        """Every plugin that could be loaded; one that could not is warned about and left out."""
        return self._load_plugins(self.output.warn)

    def silent_plugins(self) -> Plugins:
        """Return the plugins for a command that lists them, so broken ones need no warning."""
        return self._load_plugins(lambda _line: None)

    def _load_plugins(self, warn: Callable[[str], None]) -> Plugins:
        from gitcto.plugins import Plugins

        return Plugins.load(self.host.search_path, warn=warn)

    @property
    def policy_path(self) -> Path:
        """Where the repository's policy lies: at the top of the work tree."""
        top = self.repository.work_tree or self.repository.common_dir
        return top / "policy.toml"

    def policy(self) -> Policy:
        """Read the repository's policy. Raises ``CtoError`` (exit 4) with every problem."""
        from gitcto.policy.load import load

        return load(self.policy_path)

    def reader(self, team: str | None) -> LedgerReader:
        """Open the ledger of ``team``, or of the only team there is, to look at it."""
        from gitcto.store.reader import LedgerReader

        return LedgerReader(self.repository, self.team(team))

    def ledger(self, team: str | None) -> Ledger:
        """Open the ledger of ``team``, or of the only team there is, to record something."""
        return self.new_ledger(self.team(team))

    def new_ledger(self, team: str, shared: Shared | None = None) -> Ledger:
        """Open the ledger of a team that need not exist yet.

        What is recorded in it goes through ``shared``, or through the remote that the team was
        joined through.
        """
        from gitcto.store.ledger import Ledger
        from gitcto.store.shared import of_joined

        shared = shared or of_joined(self.repository, team, self.effects, self.host.environ)
        return Ledger(self.repository, team, self.effects, self.host.actor, shared)

    def team(self, wanted: str | None) -> str:
        """Return the team that is meant; raises ``CtoError`` (exit 2) when that is not clear."""
        return choose_team(wanted, self.teams())

    def teams(self) -> list[str]:
        """Return the names of the teams of this repository."""
        from gitcto.store.chain import teams

        return teams(self.repository)

    def task(self, reader: LedgerReader, task_id: str) -> Task:
        """Return a task, or raise ``CtoError`` (exit 2) with the nearest ids."""
        found = reader.view().task(task_id)
        if found is not None:
            return found
        from gitcto.cli.group import closest

        guess = closest(task_id, [task.spec.id for task in reader.tasks()])
        raise CtoError(
            f"team {reader.team} has no task {task_id!r}{guess}",
            "`git cto status --all` lists its tasks",
            ExitCode.USAGE,
        )


def choose_team(wanted: str | None, existing: list[str]) -> str:
    """Return the team that is meant, or raise ``CtoError`` saying which there are."""
    if not existing:
        raise CtoError(
            "there is no team in this repository yet",
            "make one with `git cto init`",
            ExitCode.USAGE,
        )
    listed = ", ".join(existing)
    if wanted is None:
        if len(existing) == 1:
            return existing[0]
        raise CtoError(
            f"this repository has {len(existing)} teams: {listed}",
            "say which one with `--team NAME`",
            ExitCode.USAGE,
        )
    if wanted not in existing:
        raise CtoError(
            f"there is no team {wanted!r} in this repository",
            f"name one of: {listed}; or make it with `git cto init --team NAME`",
            ExitCode.USAGE,
        )
    return wanted
