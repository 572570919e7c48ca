"""A team of real agents: codex writes, gemini reviews, four tasks land, and one writer lies."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.testing.agent_rig import NotHere
from gitcto.testing.agent_rig.remains import look, remains
from gitcto.testing.model_server import ModelServer
from tests.acceptance.project import Project
from tests.real.installed import AGENTS
from tests.real.scripts import codex, gemini

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

POLICY = """
version = 1
target = "cto/{{team}}/integration"

[concurrency]
max_workers = 2


[sandbox]
use = ["strict"]
network = ["127.0.0.1:{port}"]

[roles.developer]
strategy = "codex_writes_gemini_reviews"

[providers.codex]
program = "{codex}"
base_url = "{server}/s/writers/w/v1"
model = "mock-model"
key_env = "WRITER_KEY"

[providers.gemini]
program = "{gemini}"
base_url = "{server}/s/reviewers/r"
model = "gemini-2.5-flash"
key_env = "REVIEWER_KEY"

[gates.nonempty]
[gates.paths]
[gates.adds]
plugin = "command"
argv = ["{python}", "-m", "compileall", "-q", "."]

[scope]
allowed = ["**"]

[tiers.P1]
gates = ["nonempty", "paths", "adds"]
"""
PLAN = """
[[task]]
id = "T-1"
title = "TOPIC-ONE: write one.py"
paths = ["one.py"]

[[task]]
id = "T-2"
title = "TOPIC-TWO: write two.py"
paths = ["two.py"]
depends_on = ["T-1"]

[[task]]
id = "T-3"
title = "TOPIC-THREE: write three.py"
paths = ["three.py"]

[[task]]
id = "T-4"
title = "TOPIC-FOUR: write four.py"
paths = ["four.py"]
"""
NAMES = {"T-1": "one", "T-2": "two", "T-3": "three", "T-4": "four"}
TOPICS = {task: f"TOPIC-{name.upper()}:" for task, name in NAMES.items()}
CHANGE = {"change": "change ([0-9a-f]{64})"}


def writes(name: str) -> list[dict[str, Any]]:
    return [
        codex.shell(f"printf 'NAME = \"{name}\"\\n' > {name}.py"),
        {"text": f"I wrote {name}.py.", "usage": {"in": 1000, "cached": 100, "out": 50}},
    ]


def says(verdict: str, *findings: dict[str, Any]) -> dict[str, Any]:
    answer = {
        "version": 1,
        "change": "<<change>>",
        "verdict": verdict,
        "summary": f"I {verdict} of it.",
        "findings": list(findings),
    }
    return {"text": json.dumps(answer), "find": CHANGE}


def reviews(task: str) -> list[dict[str, Any]]:
    """Approve what is asked, but reject the first version of T-4."""
    if task != "T-4":
        return [says("approve")]
    wrong = {"path": "four.py", "line": 1, "severity": "major", "message": "it says too little"}
    return [says("reject", wrong), says("approve")]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as made:
        scripts = {TOPICS[task]: writes(name) for task, name in NAMES.items()}
        lie = {"text": "I wrote three.py, all tests pass."}
        scripts[TOPICS["T-3"]] = [lie, *writes("three")]
        scripts[TOPICS["T-4"]] = [
            *writes("four"),
            codex.shell("printf '# more\\n' >> four.py"),
            {"text": "It says more now."},
        ]
        made.topics("writers", scripts)
        made.topics("reviewers", {TOPICS[task]: reviews(task) for task in NAMES})
        yield made


@pytest.fixture
def project(tmp_path: Path, server: ModelServer) -> Project:
    try:
        _ = codex.CLI.version, gemini.CLI.version
    except NotHere as absent:
        pytest.skip(str(absent))
    text = POLICY.format(
        port=server.port,
        server=f"http://127.0.0.1:{server.port}",
        codex=codex.CLI.program,
        gemini=gemini.CLI.program,
        python=sys.executable,
    )
    made = Project(tmp_path, text)
    made.environ |= {
        "WRITER_KEY": "canary-writer",
        "REVIEWER_KEY": "canary-reviewer",
        "PATH": f"{AGENTS / 'node/node_modules/node/bin'}{os.pathsep}{os.environ['PATH']}",
    }
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    made.expect("plan", "import", str(plan))
    return made


def steps(task: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the steps of a task's last attempt: name, provider, and verdict or what changed."""
    taken = task["executions"][-1]["steps"]
    return [(step["name"], step["provider"], step.get("verdict", "")) for step in taken]


def test_four_tasks_land_and_a_lie_does_not(
    project: Project, server: ModelServer, tmp_path: Path
) -> None:
    before = look(())
    assert "not admitted" in project.expect("run", code=1)
    assert (project.landed(), server.run("w").requests) == ([], 0)
    for name in ("codex", "gemini"):
        project.expect("provider", "admit", name)
    for name in ("T-1", "T-3", "T-4"):
        project.expect("retry", name)
    project.expect("run")

    assert sorted(project.landed()) == ["T-1", "T-2", "T-3", "T-4"]
    for task, name in NAMES.items():
        assert project.show(f"{name}.py").startswith(f'NAME = "{name}"')
        assert project.state(task) == ("done", "")
    reviewed = [("write", "codex", ""), ("review", "gemini", "approve")]
    assert steps(project.task("T-1")) == steps(project.task("T-2")) == reviewed
    again = project.task("T-4")
    assert steps(again) == [*reviewed[:1], ("review", "gemini", "reject"), *reviewed]
    lie, honest = project.task("T-3")["executions"][-2:]
    assert (lie["reason"], lie.get("work", "")) == ("worker_empty", "")
    assert [step["provider"] for step in lie["steps"]] == ["codex"]
    assert honest["state"] == "done"

    asked = {task: server.run(f"w.{TOPICS[task]}").main for task in NAMES}
    assert asked == {"T-1": 2, "T-2": 2, "T-3": 3, "T-4": 4}  # nothing was paid for twice
    assert server.run(f"r.{TOPICS['T-4']}").main == 2
    for execution in again["executions"][-1]["steps"]:
        assert execution["usage"]["input_tokens"] > 0
    project.expect("policy", "verify")
    for task in NAMES:
        project.expect("evidence", "verify", task)
    assert remains(tmp_path, before, (), "codex") == []
    assert remains(tmp_path, before, (), "gemini") == []
    assert not [path for path in keys_in(tmp_path) if path.name != "objects"]


def keys_in(root: Path) -> Iterator[Path]:
    """Yield the files below a directory that hold a key: no run may leave one."""
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and b"canary-" in path.read_bytes():
            yield path
