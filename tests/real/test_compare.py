"""A provider is compared with fake, codex and pi: real agents, scripted models, the same tasks."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.testing.agent_rig import AgentCli, NotHere
from gitcto.testing.model_server import ModelServer
from tests.acceptance.project import Project
from tests.real.installed import AGENTS
from tests.real.scripts import codex, gemini, pi

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CLIS = {"codex": codex.CLI, "pi": pi.CLI, "gemini": gemini.CLI}
NAMES = {"T-1": "one", "T-2": "two"}
GATES = """
[gates.nonempty]
[gates.paths]
[scope]
allowed = ["**"]
[tiers.P1]
gates = ["nonempty", "paths"]
"""
HEAD = """
version = 1
[repository]
class = "{kind}"
[sandbox]
use = ["strict"]
network = ["127.0.0.1:{port}"]
[roles.developer]
providers = ["fake"]
[providers.fake]
"""
PROVIDER = """
[providers.{name}]
program = "{program}"
key_env = "MODEL_KEY"
{settings}
"""


def works(cli: AgentCli, name: str) -> list[dict[str, Any]]:
    step = dict(cli.shell(f"printf 'NAME = \"{name}\"\\n' > {name}.py"))
    return [step, {"text": f"{name}.py is written."}]


def script(name: str) -> str:
    written = {"do": "write", "path": f"{name}.py", "text": f'NAME = "{name}"\n'}
    return json.dumps(json.dumps([[written]]))


PLAN = "\n".join(
    f'[[task]]\nid = "{task}"\ntitle = "TOPIC-{task}: write {name}.py"\n'
    f'paths = ["{name}.py"]\ninputs = {{ script = {script(name)} }}\n'
    for task, name in NAMES.items()
)


def providers(server: ModelServer) -> str:
    made = []
    for name, cli in CLIS.items():
        try:
            _ = cli.version
        except NotHere as absent:
            pytest.skip(str(absent))
        server.topics(name, {f"TOPIC-{task}:": works(cli, word) for task, word in NAMES.items()})
        table = cli.table(server.url(name, run=name))
        settings = "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
        made.append(PROVIDER.format(name=name, program=cli.program, settings=settings))
    return "".join(made)


def test_gemini_is_compared_with_fake_codex_and_pi(tmp_path: Path) -> None:
    with ModelServer() as server:
        table = providers(server)
        head = HEAD.format(kind="owned", port=server.port)
        team = Project(tmp_path / "team", head + table + GATES)
        fixture = HEAD.format(kind="fixture", port=server.port) + GATES
        made = Project(tmp_path / "fixture", fixture, files={"plan.toml": PLAN})
        node = AGENTS / "node/node_modules/node/bin"
        team.environ |= {
            "MODEL_KEY": "canary-model",
            "PATH": f"{node}{os.pathsep}{os.environ['PATH']}",
        }
        for name in CLIS:
            team.expect("provider", "admit", name)
        words = ("provider", "stage", "compare", "gemini", "--fixture", str(made.path), "--json")
        told = json.loads(team.expect(*words))
    results = {each["provider"]: each for each in told["results"]}
    assert sorted(results) == ["codex", "fake", "gemini", "pi"]
    assert told["results"][0]["provider"] == "gemini"
    assert {
        name: each.get("detail", "") for name, each in results.items() if each["landed"] < 2
    } == {}
    assert {each["tasks"] for each in results.values()} == {2}
    recorded = [body for body in team.events() if body["kind"] == "provider.compared"]
    assert [body["comparison"] for body in recorded] == [told["comparison"]]
    asked = [server.run(f"{name}.TOPIC-{task}:").main for name in CLIS for task in NAMES]
    assert asked == [2] * 6
