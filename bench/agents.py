"""Agents: a scripted edit turn of each real CLI, under git-cto and by hand in the same worktree."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.measure import Cost, Effort, Row, cost_of, interleaved, wall_s
from gitcto.runtime.worker.workers import Limits
from gitcto.testing.agent_rig import AgentCli, NotHere
from gitcto.testing.agent_rig.stage import Stage
from gitcto.testing.model_server import ModelServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 10
GOAL_FOR = "codex"
RATIO_LIMIT = 1.15
SCRIPTS = Path(__file__).resolve().parent.parent / "tests" / "real" / "scripts"
LIMITS = Limits(wall_s=300, idle_s=300, output_bytes=1 << 26)
BEFORE, AFTER = (f"def add(a, b):\n    return a {sign} b\n" for sign in "-+")


def measure(effort: Effort) -> list[Row]:
    """Return a row for each CLI that is here; an agent that is not is left out."""
    known = sorted(_clis(), key=lambda cli: (cli.provider != GOAL_FOR, cli.provider))
    here = [each for each in known if _version(each)]
    return [_measured(each, effort) for each in here[: effort.size(len(here))]]


def _clis() -> Iterator[AgentCli]:
    for script in sorted(SCRIPTS.glob("*.py")):
        found = getattr(import_module(f"tests.real.scripts.{script.stem}"), "CLI", None)
        if isinstance(found, AgentCli):
            yield found


def _version(cli: AgentCli) -> str:
    try:
        return cli.version
    except NotHere:
        return ""


def _measured(cli: AgentCli, effort: Effort) -> Row:
    with tempfile.TemporaryDirectory(prefix="cto-bench-") as root, ModelServer() as server:
        stage = Stage(cli, Path(root).resolve())
        stage.make(_nothing)
        turns = _Turns(stage, server)
        cases = {"ours": turns.supervised, "by hand": turns.by_hand}
        costs = interleaved(cases, effort.turns(ROUNDS))
    return Row(
        what=f"{cli.provider} {cli.version}, an edit turn",
        value=wall_s(costs["ours"]) * 1e3,
        unit="ms",
        baseline=wall_s(costs["by hand"]) * 1e3,
        versus="by hand",
        ratio_limit=RATIO_LIMIT if cli.provider == GOAL_FOR else None,
    )


def _nothing(_: Path) -> None:
    """Put nothing into the repository."""


class _Turns:
    """Edit turns in one room: each mends the same line, and must have done so."""

    def __init__(self, stage: Stage, server: ModelServer) -> None:
        self._stage, self._server = stage, server
        self._file = stage.room / "calc.py"
        steps: list[Any] = [*stage.cli.edit(self._file, AFTER), {"text": "It adds now."}]
        server.script("edit", steps)
        self._count = 0

    def supervised(self) -> Cost:
        url = self._url()
        cost = cost_of(lambda: self._stage.supervised(url, LIMITS))
        self._check()
        return cost

    def by_hand(self) -> Cost:
        url = self._url()
        cost = cost_of(self._stage.by_hand(url))
        self._check()
        return cost

    def _url(self) -> str:
        self._file.write_text(BEFORE, encoding="utf-8")
        self._count += 1
        return self._server.url("edit", run=f"r{self._count}")

    def _check(self) -> None:
        if self._file.read_text(encoding="utf-8") != AFTER:
            raise RuntimeError(f"{self._stage.cli.provider} did not do its turn")
