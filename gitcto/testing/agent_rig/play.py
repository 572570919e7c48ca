"""Plays a scenario with a CLI and says what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.testing.agent_rig.agent_cli import Different, NotHere
from gitcto.testing.agent_rig.checks import SAID
from gitcto.testing.agent_rig.remains import look, remains
from gitcto.testing.agent_rig.scenarios import problems_of, wrongly_changed
from gitcto.testing.agent_rig.stage import Stage
from gitcto.testing.model_server import ModelServer

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.testing.agent_rig.agent_cli import AgentCli
    from gitcto.testing.agent_rig.scenarios import Scenario
    from gitcto.testing.agent_rig.stage import Played


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a provider's table: what was played with which version, and how it ended.

    ``different`` says where the CLI does otherwise than most. Without ``problems`` what the
    scenario verifies holds.
    """

    scenario: str
    version: str
    verified: str
    ended: str
    different: str = ""
    problems: tuple[str, ...] = ()


def play(cli: AgentCli, scenario: Scenario, root: Path) -> Row:
    """Play a scenario below the empty directory ``root``.

    Raises ``NotHere`` when the CLI or the sandbox is not here, or the scenario is not for it.
    """
    version = cli.version
    differs = cli.differs.get(scenario.name, Different(why="", faults=scenario.faults))
    if not differs.faults:
        raise NotHere(differs.why)
    stage = Stage(cli, root.resolve(), edits=not scenario.reads)
    with ModelServer() as server, ModelServer() as elsewhere:
        played, problems = _play(stage, scenario, server, elsewhere, differs)
    fault = played.report.fault
    return Row(
        scenario=scenario.name,
        version=version,
        verified=scenario.verified,
        ended=fault.kind if fault else "success",
        different=differs.why,
        problems=tuple(problems),
    )


def _play(
    stage: Stage,
    scenario: Scenario,
    server: ModelServer,
    elsewhere: ModelServer,
    differs: Different,
) -> tuple[Played, list[str]]:
    canary = stage.room / "hostile-was-here"

    def prepare(repo: Path) -> None:
        if scenario.hostile:
            stage.cli.hostile(repo, elsewhere.url("evil", "evil"), canary)

    elsewhere.script("evil", [{"text": "I am not your model."}])
    stage.make(prepare)
    kept = (stage.repo, stage.home)
    before = look(kept)
    server.script("play", scenario.steps(stage))
    meanwhile = scenario.meanwhile
    played = stage.play(
        server.url("play", "r1"),
        scenario.limits(stage.cli),
        meanwhile=None if meanwhile is None else lambda run_dir: meanwhile(stage, run_dir),
    )
    run = server.run("r1")
    if scenario.second:
        played = _again(stage, scenario, server, played)
        run = server.run("r2")
    problems = problems_of(scenario, played, run, differs.faults)
    problems += remains(stage.root, before, kept, stage.cli.provider)
    problems += wrongly_changed(scenario, stage.changed())  # after that: it writes objects
    if canary.exists() or elsewhere.run("evil").requests:
        problems.append("the repository's configuration was obeyed")
    return played, problems


def _again(stage: Stage, scenario: Scenario, server: ModelServer, first: Played) -> Played:
    """Go on in the session of a first run, which said what it was to say."""
    session = first.report.session
    assert first.report.ok, f"the first run failed: {first.report}"
    assert session, "the first run named no session"
    assert first.report.message.strip() == SAID
    return stage.play(
        server.url("play", "r2"),
        scenario.limits(stage.cli),
        session=session,
        before=first.report.usage,
    )
