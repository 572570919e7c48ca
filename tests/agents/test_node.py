"""Starting a CLI that runs on Node: real Node, real bash."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gitcto.agents.node import (
    NodeNeeds,
    bare_directory,
    enter_node,
    find_node_program,
    probe_node_program,
    read_node,
    shell_start,
)
from gitcto.agents.settings import AgentSettings
from gitcto.errors import CtoError
from gitcto.model.records import TaskSpec
from gitcto.provider_contracts import LaunchRequest

SETTINGS = AgentSettings(who="provider x", program="x")
NEEDS = NodeNeeds(version="1.2", node="22.0", install="npm install x")
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


def told(asked: LaunchRequest, tmp_path: Path) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not here")
    (tmp_path / "asks.mjs").write_text(ASKS)
    entry = enter_node(asked, directory=asked.scratch / "d", secrets={"KEY": "s3cret", "NO": ""})
    done = subprocess.run(
        [node, "--require", str(entry.script), str(tmp_path / "asks.mjs")],
        env={**entry.env, "PATH": os.environ["PATH"]},
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_it_starts_elsewhere_with_its_prompt_and_its_key(
    asked: LaunchRequest, tmp_path: Path
) -> None:
    (asked.scratch / "d").mkdir()
    answer = told(asked, tmp_path)
    assert answer.pop("input") == asked.prompt_file.read_text()
    here = str((asked.scratch / "d").resolve())
    assert answer == {
        "cwd": here,
        "key": "s3cret",
        "note": "",
        "shown": [],
        "other": True,
        "started": True,
    }


def test_its_key_is_in_no_file_once_it_runs(asked: LaunchRequest, tmp_path: Path) -> None:
    (asked.scratch / "d").mkdir()
    told(asked, tmp_path)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(b"s3cret" not in path.read_bytes() for path in kept)


def test_until_then_nobody_else_reads_it(asked: LaunchRequest) -> None:
    entry = enter_node(asked, directory=asked.scratch, secrets={"KEY": "s3cret"})
    note = Path(entry.env["CTO_ENTER"])
    assert note.is_relative_to(asked.scratch)
    assert note.stat().st_mode & 0o077 == 0


def test_what_an_earlier_run_planted_is_gone(asked: LaunchRequest, tmp_path: Path) -> None:
    place = bare_directory(asked, ".x")
    (place / ".x" / "settings.json").write_text("{}")
    (place / ".env").write_text("URL=evil")
    (place / "notes.txt").write_text("kept")
    assert bare_directory(asked, ".x") == place
    left = sorted(str(path.relative_to(place)) for path in place.rglob("*"))
    assert left == [".env", ".x", ".x/.env", "notes.txt"]
    assert not (place / ".env").read_text()


def test_links_that_an_earlier_run_planted_are_not_followed(
    asked: LaunchRequest, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    (victim / ".x").mkdir(parents=True)
    (victim / ".x" / "mine").write_text("mine")
    (asked.scratch / "project").symlink_to(victim)
    place = bare_directory(asked, ".x")
    shutil.rmtree(place / ".x")
    (place / ".x").symlink_to(victim / ".x")
    bare_directory(asked, ".x")
    assert [path.name for path in (victim / ".x").iterdir()] == ["mine"]
    assert not place.is_symlink()


def test_commands_begin_in_the_workspace(asked: LaunchRequest) -> None:
    start = bare_directory(asked, ".x")
    env = {**shell_start(asked, start), "PATH": os.environ["PATH"]}
    for where, there in ((start, asked.workspace), (asked.scratch, asked.scratch)):
        done = subprocess.run(
            ["bash", "-c", "pwd"],
            env={**env, "PWD": str(where)},
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


def test_both_are_looked_for(tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path / "bin")}
    assert "Node.js 22.0" in probe_node_program(SETTINGS, "node", env, NEEDS).hint
    installed(tmp_path, "node", "20.9.0", "node")
    assert "Node.js 22.0" in probe_node_program(SETTINGS, "node", env, NEEDS).hint
    (tmp_path / "node_modules/node/package.json").write_text('{"name":"node","version":"22.1.0"}')
    assert "npm install x" in probe_node_program(SETTINGS, "node", env, NEEDS).hint
    assert find_node_program(SETTINGS, "node", env) is None
    installed(tmp_path, "x", "1.2.0", "entry.js", "main.js")
    probe = probe_node_program(SETTINGS, "node", env, NEEDS)
    assert (probe.available, probe.version, probe.backend.licence) == (True, "1.2.0", "MIT")
    modules = tmp_path / "node_modules"
    assert set(probe.backend.files) >= {modules / "node", modules / "x"}
    found = find_node_program(SETTINGS, "node", env, main="main.js")
    assert found.script == modules / "x" / "main.js"
    assert find_node_program(SETTINGS, "node", env, main="none.js").script.name == "entry.js"
    assert modules in found.reads


@pytest.mark.parametrize("value", ["", " ", 1, "./node", "a\nb"])
def test_a_node_that_cannot_be_meant_is_refused(value: object) -> None:
    with pytest.raises(CtoError, match="node") as caught:
        read_node({"node": value}, SETTINGS)
    assert caught.value.hint
