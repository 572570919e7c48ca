"""Starting a CLI that runs on Node: real Node, real bash."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitcto.agents.node import NodeCli, NodeStart
from gitcto.agents.settings import AgentSettings
from gitcto.errors import CtoError
from gitcto.model.records import TaskSpec
from gitcto.provider_contracts import LaunchRequest

SETTINGS = AgentSettings(who="provider x", program="x")
CLI = NodeCli(version="1.2", node="22.0", install="npm install x", folder=".x", main="main.js")
ASKS = """
import { exec, execFileSync, execSync, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import { promisify } from "node:util";

const secret = "s3" + "cret";
const environ = "/proc/self/environ";
const own = fs.existsSync(environ) ? fs.readFileSync(environ, "utf8") : "";
const input = spawnSync("/bin/cat", { stdio: [0, "pipe", "inherit"] }).stdout.toString();
const pieces = [];
const child = spawn("/usr/bin/env", [], { env: { ...process.env, OTHER: "other" } });
child.stdout.on("data", (piece) => pieces.push(piece));
await new Promise((done) => child.on("close", done));
const started = {
  spawn: Buffer.concat(pieces).toString(),
  exec: (await promisify(exec)("env")).stdout,
  execSync: execSync("env").toString(),
  execFileSync: execFileSync("/usr/bin/env", ["env"], { env: process.env }).toString(),
  spawnSync: spawnSync("/usr/bin/env", ["env"]).stdout.toString(),
};
console.log(JSON.stringify({
  cwd: process.cwd(), input, key: process.env.KEY, note: process.env.CTO_ENTER ?? "",
  shown: Object.entries({ own, ...started }).filter(([, env]) => env.includes(secret)),
  other: started.spawn.includes("OTHER=other"),
  started: Object.values(started).every((env) => env.includes("PATH=")),
}));
"""


@pytest.fixture
def asked(tmp_path: Path) -> LaunchRequest:
    for name in ("w o'r k", "s"):
        (tmp_path / name).mkdir()
    (tmp_path / "prompt.md").write_text("-- mend it\n" + "x" * 300_000)
    return LaunchRequest(
        task=TaskSpec(id="T-1", title="t", prompt="x"),
        execution="01e",
        attempt=1,
        workspace=tmp_path / "w o'r k",
        scratch=tmp_path / "s",
        prompt_file=tmp_path / "prompt.md",
        settings={},
    )


@pytest.fixture
def node(tmp_path: Path) -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not here")
    return found


def entered(asked: LaunchRequest, tmp_path: Path) -> NodeStart:
    program = tmp_path / "x"
    program.write_text("")
    program.chmod(0o755)
    here = {"PATH": os.environ["PATH"]}
    settings = replace(SETTINGS, program=str(program))
    return CLI.enter(replace(asked, host_env=here), settings, {"KEY": "s3cret"})


def told(start: NodeStart, tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "asks.mjs").write_text(ASKS)
    done = subprocess.run(
        [start.values["node"], "--require", start.values["enter"], str(tmp_path / "asks.mjs")],
        env={**start.env, "PATH": os.environ["PATH"]},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.usefixtures("node")
def test_it_starts_elsewhere_with_its_prompt_and_its_key(
    asked: LaunchRequest, tmp_path: Path
) -> None:
    answer = told(entered(asked, tmp_path), tmp_path)
    assert answer.pop("input") == asked.prompt_file.read_text()
    assert answer == {
        "cwd": str((asked.scratch / "project").resolve()),
        "key": "s3cret",
        "note": "",
        "shown": [],
        "other": True,
        "started": True,
    }


@pytest.mark.usefixtures("node")
def test_its_key_is_in_no_file_once_it_runs(asked: LaunchRequest, tmp_path: Path) -> None:
    told(entered(asked, tmp_path), tmp_path)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(b"s3cret" not in path.read_bytes() for path in kept)


@pytest.mark.usefixtures("node")
def test_until_then_nobody_else_reads_it(asked: LaunchRequest, tmp_path: Path) -> None:
    note = Path(entered(asked, tmp_path).env["CTO_ENTER"])
    assert note.is_relative_to(asked.scratch)
    assert note.stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("node")
def test_what_an_earlier_run_planted_is_gone(asked: LaunchRequest, tmp_path: Path) -> None:
    entered(asked, tmp_path)
    project = asked.scratch / "project"
    (project / ".x" / "settings.json").write_text("{}")
    (project / ".env").write_text("URL=evil")
    (project / "notes.txt").write_text("kept")
    entered(asked, tmp_path)
    left = sorted(str(path.relative_to(project)) for path in project.rglob("*"))
    assert left == [".env", ".x", ".x/.env", "notes.txt"]
    assert not (project / ".env").read_text()


@pytest.mark.usefixtures("node")
def test_links_that_an_earlier_run_planted_are_not_followed(
    asked: LaunchRequest, tmp_path: Path
) -> None:
    victim, project = tmp_path / "victim", asked.scratch / "project"
    (victim / ".x").mkdir(parents=True)
    (victim / ".x" / "mine").write_text("mine")
    project.symlink_to(victim)
    entered(asked, tmp_path)
    shutil.rmtree(project / ".x")
    (project / ".x").symlink_to(victim / ".x")
    entered(asked, tmp_path)
    assert [path.name for path in (victim / ".x").iterdir()] == ["mine"]
    assert not project.is_symlink()


@pytest.mark.usefixtures("node")
def test_commands_begin_in_the_workspace(asked: LaunchRequest, tmp_path: Path) -> None:
    start = entered(asked, tmp_path)
    for where, there in (
        (asked.scratch / "project", asked.workspace),
        (asked.scratch, asked.scratch),
    ):
        done = subprocess.run(
            ["bash", "-c", "pwd"],
            env={**start.env, "PATH": os.environ["PATH"], "PWD": str(where)},
            cwd=where,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{there}\n"


def installed(root: Path, name: str, version: str, *files: str) -> None:
    package = root / "node_modules" / name
    package.mkdir(parents=True)
    manifest = {"name": name, "version": version, "license": "MIT"}
    (package / "package.json").write_text(json.dumps(manifest))
    for file in files:
        (package / file).write_text("#!/bin/sh\n")
        (package / file).chmod(0o755)
    (root / "bin").mkdir(exist_ok=True)
    (root / "bin" / name).symlink_to(package / files[0])


def test_both_are_looked_for(asked: LaunchRequest, tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path / "bin")}
    asked = replace(asked, host_env=env)
    assert "Node.js 22.0" in CLI.probe(SETTINGS, {}, env).hint
    installed(tmp_path, "node", "20.9.0", "node")
    assert "Node.js 22.0" in CLI.probe(SETTINGS, {}, env).hint
    (tmp_path / "node_modules/node/package.json").write_text('{"name":"node","version":"22.1.0"}')
    assert "npm install x" in CLI.probe(SETTINGS, {}, env).hint
    with pytest.raises(CtoError, match="is not here"):
        CLI.enter(asked, SETTINGS, {})
    installed(tmp_path, "x", "1.2.0", "entry.js", "main.js")
    probe = CLI.probe(SETTINGS, {}, env)
    assert (probe.available, probe.version, probe.backend.licence) == (True, "1.2.0", "MIT")
    modules = tmp_path / "node_modules"
    assert set(probe.backend.files) >= {modules / "node", modules / "x"}
    start = CLI.enter(asked, SETTINGS, {})
    assert start.values["script"] == str(modules / "x" / "main.js")
    assert modules in start.reads
    alone = replace(CLI, main="none.js").enter(asked, SETTINGS, {})
    assert alone.values["script"] == str(modules / "x" / "entry.js")


@pytest.mark.parametrize("value", ["", " ", 1, "./node", "a\nb"])
def test_a_node_that_cannot_be_meant_is_refused(value: object) -> None:
    with pytest.raises(CtoError, match="node") as caught:
        CLI.probe(SETTINGS, {"node": value}, {})
    assert caught.value.hint
