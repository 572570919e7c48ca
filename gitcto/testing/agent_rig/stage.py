"""Where a scenario is played: a repository, a room, the strict sandbox, a supervisor."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitcto.contracts import Probe
from gitcto.git.harvest import harvest
from gitcto.git.repository import discover
from gitcto.mailbox import VARIABLE, make_mailbox, path_in
from gitcto.model.agent_records import Usage
from gitcto.model.records import TaskSpec
from gitcto.provider_contracts import Launch, LaunchRequest, ToolServer, WorkerOutcome
from gitcto.room_contracts import ConfineRequest, RoomNeeds
from gitcto.runtime.host.ask import ask
from gitcto.runtime.host.isolation import (
    Isolation,
    make_home,
    own_ports,
    own_programs,
    start_confined,
)
from gitcto.runtime.worker import workers
from gitcto.testing.agent_rig import tool_server
from gitcto.testing.agent_rig.agent_cli import NotHere
from gitcto.testing.agent_rig.pieces import ASK_S, answered, found, installed, own_network, strict
from gitcto.testing.environment import hermetic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitcto.provider_contracts import Progress, WorkerReport
    from gitcto.runtime.worker.workers import Exit, Limits
    from gitcto.testing.agent_rig.agent_cli import AgentCli

KEY_ENV, KEY = "CTO_TEST_KEY", "canary-2718281828"
"""The variable that holds a CLI's key, and that key: it must be nowhere where a tool can see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One run of a CLI, as it ended.

    ``polled`` is what was seen of it while it ran; ``asked`` tells that its protocol is to be the
    first rung of its ladder.
    """

    exit: Exit
    report: WorkerReport
    polled: tuple[Progress, ...]
    asked: bool


class Stage:
    """One room for one scenario, below ``root``; several runs may follow each other in it."""

    def __init__(self, cli: AgentCli, root: Path, *, edits: bool = True) -> None:
        self.cli = cli
        self.root = root
        self.home = root / "home"
        self.repo = root / "repo"
        self.room = root / "rooms" / "e1" / "room"
        self.scratch = root / "rooms" / "e1" / "scratch"
        self.runs = 0
        self.edits = edits
        search = os.pathsep.join(map(str, (*cli.path, cli.program.parent)))
        self.env = hermetic(self.home)
        self.env |= {"PATH": f"{search}{os.pathsep}{self.env['PATH']}", KEY_ENV: KEY}
        self.sandbox = strict(self.env)
        self.provider = found(installed().providers(), cli.provider, "provider")

    def make(self, prepare: Callable[[Path], None]) -> None:
        """Make the repository, with what ``prepare`` puts into it, and the room."""
        (self.home / "tmp").mkdir(parents=True)
        self.repo.mkdir()
        (self.repo / "calc.py").write_text("def add(a, b):\n    return a - b\n", encoding="utf-8")
        prepare(self.repo)
        self._git("init", "--quiet")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "base")
        self._git("worktree", "add", "--quiet", "--detach", str(self.room))
        self.base = self._git("rev-parse", "HEAD")
        self._repository = discover(self.repo, self.env)
        make_home(self.scratch)
        make_mailbox(self.scratch)

    def _git(self, *arguments: str) -> str:
        argv = ["git", "-C", str(self.repo), *arguments]
        done = subprocess.run(argv, env=self.env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def play(
        self,
        url: str,
        limits: Limits,
        *,
        session: str = "",
        before: Usage | None = None,
        meanwhile: Callable[[Path], None] | None = None,
    ) -> Played:
        """Run the CLI once against the model server at ``url`` and return how that ended.

        ``meanwhile`` is called with its run directory while it works. On a stage without ``edits``
        the room can only be read.
        """
        self.runs += 1
        settings = self._settings(url)
        run_dir = self.root / "records" / str(self.runs)
        program = self._confined(self._launch(settings, session), own_network(url))
        asked = program.interrupt is not None
        workers.spawn(run_dir, program, limits)
        try:
            if meanwhile is not None:
                meanwhile(run_dir)
            polled = self._follow(run_dir, settings)
        finally:
            if workers.observe(run_dir).exit is None:
                workers.interrupt(run_dir)
            ended = workers.wait(run_dir)
        report = self._report(run_dir, settings, ended, session=session, before=before)
        return Played(exit=ended, report=report, polled=polled, asked=asked)

    def by_hand(self, url: str) -> Callable[[], object]:
        """Return how to run the CLI as a person would: the same command, nothing of ours around."""
        launch = self._launch(self._settings(url), "")

        def run() -> object:
            with (self.root / "by-hand.log").open("wb") as log:
                return subprocess.run(
                    launch.argv,
                    env={**launch.env, VARIABLE: str(path_in(self.scratch))},
                    cwd=self.room,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    check=False,
                )

        return run

    def supervised(self, url: str, limits: Limits) -> WorkerReport:
        """Run the CLI as a team does, from the question how to what it said at its end."""
        self.runs += 1
        settings = self._settings(url)
        run_dir = self.root / "records" / str(self.runs)
        workers.spawn(run_dir, self._confined(self._launch(settings, ""), own_network(url)), limits)
        return self._report(run_dir, settings, workers.wait(run_dir))

    def changed(self) -> tuple[str, ...]:
        """Return the paths in the room that are not as they were."""
        taken = harvest(self._repository, self.room, self.base, self.root / "taking")
        return tuple(change.path for change in taken.changes)

    def _settings(self, url: str) -> Mapping[str, object]:
        own = {"key_env": KEY_ENV, "program": str(self.cli.program)}
        return {**self.cli.table(url), **own}

    def _report(
        self,
        run_dir: Path,
        settings: Mapping[str, object],
        ended: Exit,
        *,
        session: str = "",
        before: Usage | None = None,
    ) -> WorkerReport:
        outcome = WorkerOutcome(
            code=ended.code,
            cause=ended.cause,
            stdout=run_dir / "stdout.log",
            stderr=run_dir / "stderr.log",
            scratch=self.scratch,
            settings=settings,
            session=session,
            before=before or Usage(),
            cut_bytes=ended.cut_bytes,
        )
        report: WorkerReport = self._ask("collect", outcome)
        return report

    def _launch(self, settings: Mapping[str, object], session: str) -> Launch:
        prompt = self.scratch / "prompt.md"
        prompt.write_text("# T-1: mend add\n\nMake add in calc.py add.\n", encoding="utf-8")
        argv = (sys.executable, "-I", str(tool_server.__file__))
        request = LaunchRequest(
            task=TaskSpec(id="T-1", title="mend add", prompt="Make add in calc.py add."),
            execution="01hzzzzzzzzzzzzzzzzzzzzzzz",
            attempt=1,
            workspace=self.room,
            scratch=self.scratch,
            prompt_file=prompt,
            settings=settings,
            host_env=self.env,
            session=session,
            edits=self.edits,
            tools=(ToolServer(name=tool_server.NAME, argv=argv),),
            level="strict",
        )
        probe: Probe = self._ask("probe", settings, self.env)
        if not probe.available:
            raise NotHere(f"agent CLI {self.cli.provider}: {probe.hint}")
        answer: Launch = self._ask("launch", request)
        return answer

    def _confined(self, launch: Launch, network: tuple[str, ...]) -> workers.Program:
        private = self.root / "rooms" / "e1" / f"private{self.runs}"
        private.mkdir(parents=True)
        needs = self._needs()
        request = ConfineRequest(
            argv=launch.argv,
            env={**launch.env, VARIABLE: str(path_in(self.scratch))},
            cwd=self.room,
            writes=(self.room, self.scratch) if self.edits else (self.scratch,),
            reads=(*own_programs(), *needs.reads, *launch.reads, self.room),
            fixed=needs.fixed,
            hides=(self.home, self.repo, self.root / "rooms"),
            proxy=private / "proxy.sock",
            ports=own_ports(network),
            run_dir=private,
        )
        isolation = Isolation(sandbox=self.sandbox, probe={})
        program = start_confined(installed(), isolation, request, network)
        note = launch.interrupt
        return replace(program, interrupt=(self.scratch, note) if note else None)

    def _needs(self) -> RoomNeeds:
        maker = found(installed().workspaces(), "worktree", "workspace")
        needs: RoomNeeds = answered(
            ask(installed(), maker, "needs", self._repository, self.room, deadline_s=ASK_S)
        )
        return needs

    def _follow(self, run_dir: Path, settings: Mapping[str, object]) -> tuple[Progress, ...]:
        """Read what the CLI says until it has ended."""
        output = WorkerOutcome(
            code=0,
            cause="",
            stdout=run_dir / "stdout.log",
            stderr=run_dir / "stderr.log",
            scratch=self.scratch,
            settings=settings,
        )
        told: list[Progress] = []
        cursor, ended = "", False
        while True:
            ended = workers.observe(run_dir).exit is not None
            progress: Progress = self._ask("poll", output, cursor)
            if progress.events:
                told.append(progress)
            elif ended:
                return tuple(told)
            cursor = progress.cursor
            time.sleep(0.02)

    def _ask(self, method: str, *arguments: object) -> Any:
        return answered(ask(installed(), self.provider, method, *arguments, deadline_s=ASK_S))
