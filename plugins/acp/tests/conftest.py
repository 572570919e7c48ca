"""Runs the driver with the scripted agent, as the core would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from gitcto_acp.provider import AcpProvider

from gitcto.api import LaunchRequest, TaskSpec, WorkerOutcome, WorkerReport
from gitcto.mailbox import make_mailbox, path_in

AGENT = Path(__file__).with_name("acp_agent.py")
DEADLINE_S = 60.0


@dataclass(kw_only=True)
class Rig:
    """A room with the scripted agent in it."""

    root: Path
    settings: dict[str, Any] = field(default_factory=dict)
    worker: subprocess.Popen[bytes] | None = None

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    @property
    def scratch(self) -> Path:
        return self.root / "scratch"

    def request(self, script: dict[str, Any], **how: Any) -> LaunchRequest:
        argv = [
            sys.executable,
            str(AGENT),
            json.dumps(script).replace("{", "{{").replace("}", "}}"),
        ]
        return LaunchRequest(
            task=TaskSpec(id="T-1", title="Title"),
            execution="01e",
            attempt=1,
            workspace=self.workspace,
            scratch=self.scratch,
            prompt_file=self.root / "prompt.md",
            settings={"argv": argv, **self.settings},
            host_env={"PATH": os.environ["PATH"]},
            **how,
        )

    def start(self, turns: list[list[dict[str, Any]]], *, how: Any = None, **behaves: Any) -> None:
        launch = AcpProvider().launch(self.request({"turns": turns, **behaves}, **(how or {})))
        with (self.root / "out").open("wb") as out, (self.root / "err").open("wb") as err:
            self.worker = subprocess.Popen(
                launch.argv,
                cwd=self.workspace,
                env={**launch.env, "CTO_MAIL": str(path_in(self.scratch))},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def outcome(self, code: int = 0, **told: Any) -> WorkerOutcome:
        streams = {"stdout": self.root / "out", "stderr": self.root / "err"}
        facts = {"code": code, "cause": "exited", **streams, "scratch": self.scratch, **told}
        return WorkerOutcome(**facts)

    def end(self, **told: Any) -> WorkerReport:
        assert self.worker is not None
        code = self.worker.wait(DEADLINE_S)
        return AcpProvider().collect(self.outcome(code, **told))

    def run(self, *turns: list[dict[str, Any]], how: Any = None, **behaves: Any) -> WorkerReport:
        self.start(list(turns), how=how, **behaves)
        return self.end()

    def heard(self) -> list[str]:
        lines = (self.workspace / "heard").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def asked(self, method: str) -> list[dict[str, Any]]:
        lines = (self.workspace / "heard.methods").read_text().splitlines()
        return [params for name, params in map(json.loads, lines) if name == method]

    def await_file(self, name: str) -> Path:
        deadline = time.monotonic() + DEADLINE_S
        while not (self.workspace / name).exists():
            assert time.monotonic() < deadline, f"{name} did not come"
            assert self.worker is not None
            assert self.worker.poll() is None, (self.root / "err").read_text()
            time.sleep(0.02)
        return self.workspace / name


@pytest.fixture
def rig(tmp_path: Path) -> Any:
    rig = Rig(root=tmp_path)
    rig.workspace.mkdir()
    rig.scratch.mkdir()
    make_mailbox(rig.scratch)
    (tmp_path / "prompt.md").write_text("Fix it.")
    yield rig
    if rig.worker is not None and rig.worker.poll() is None:
        rig.worker.kill()
        rig.worker.wait(DEADLINE_S)
