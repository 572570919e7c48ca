"""How codex is started: its command, its configuration, its environment."""

from __future__ import annotations

import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gitcto_codex.provider import CodexProvider

from gitcto.api import CtoError, LaunchRequest, ToolServer
from gitcto.testing.agents import asked_for


@pytest.fixture
def asked(tmp_path: Path) -> LaunchRequest:
    env = {"OPENAI_API_KEY": "sk-1", "OTHER": "o"}
    return asked_for(tmp_path, "codex", settings={"model": "m"}, host_env=env, level="strict")


def config(asked: LaunchRequest) -> dict[str, Any]:
    launch = CodexProvider().launch(asked)
    home = Path(launch.env["CODEX_HOME"])
    assert not home.is_relative_to(launch.env["TMPDIR"])  # codex would break, and say success
    return tomllib.loads((home / "config.toml").read_text())


def test_the_command(asked: LaunchRequest, tmp_path: Path) -> None:
    program, scratch = str(tmp_path / "bin" / "codex"), tmp_path / "workspace"
    head = (program, "exec", "--json", "--strict-config", "-C", str(scratch), "-s")
    launch = CodexProvider().launch(asked)
    assert launch.argv == (*head, "danger-full-access", "--", "- mend it")
    more = replace(asked, session="01a1", answer_schema=tmp_path / "s.json", level="detect")
    assert CodexProvider().launch(more).argv == (
        *(*head, "workspace-write", "--output-schema", str(tmp_path / "s.json")),
        *("resume", "01a1", "--", "- mend it"),
    )
    reading = replace(asked, edits=False, level="none")
    assert "read-only" in CodexProvider().launch(reading).argv


def test_only_its_key_and_its_home_are_its_own(asked: LaunchRequest) -> None:
    launch = CodexProvider().launch(asked)
    assert not {"OPENAI_API_KEY", "OTHER"} & set(launch.env)
    assert "sk-1" not in str(launch)
    written = config(asked)
    assert "sk-1" not in str(written)
    command = written["model_providers"]["cto"]["auth"]
    argv = [command["command"], *command["args"]]
    first = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (first.stdout, first.returncode) == ("sk-1", 0)
    again = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (again.stdout, again.returncode) == ("", 1)


def test_the_configuration(asked: LaunchRequest) -> None:
    tool = ToolServer(name="c.t", argv=("/bin/x", 'a"b\\c\nü\x7f'), env={"A": "1"})
    written = config(replace(asked, tools=(tool,)))
    assert written["model_providers"]["cto"]["base_url"] == "https://api.openai.com/v1"
    assert written["mcp_servers"]["c.t"]["args"] == ['a"b\\c\nü\x7f']
    assert written["mcp_servers"]["c.t"]["default_tools_approval_mode"] == "approve"
    assert written["features"]["plugins"] is False
    assert written["project_doc_max_bytes"] == 0
    settings = {"base_url": "http://127.0.0.1:1/v1", "key_env": "", "project_doc": True}
    written = config(replace(asked, settings=settings))
    assert "auth" not in written["model_providers"]["cto"]
    assert "project_doc_max_bytes" not in written
    assert "model" not in written


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"settings": {"project_doc": "yes"}}, "project_doc must be true or false"),
        ({"settings": {"sandbox": "none"}}, "unknown key 'sandbox'"),
    ],
)
def test_what_cannot_be_used_is_said(asked: LaunchRequest, change, message: str) -> None:
    with pytest.raises(CtoError, match=message) as caught:
        CodexProvider().launch(replace(asked, **change))
    assert caught.value.hint


def test_npms_wrapper_is_passed_over(tmp_path: Path) -> None:
    scope = tmp_path / "node_modules" / "@openai"
    wrapper = scope / "codex" / "bin" / "codex.js"
    native = scope / "codex-linux-x64" / "vendor" / "triple" / "bin" / "codex"
    for program in (wrapper, native):
        program.parent.mkdir(parents=True)
        program.write_text("a program")
        program.chmod(0o755)
    manifest = '{"name": "@openai/codex", "version": "0.169.0-linux-x64", "license": "Apache-2.0"}'
    (scope / "codex-linux-x64" / "package.json").write_text(manifest)
    probe = CodexProvider().probe({"program": str(wrapper)}, {})
    assert probe.available
    assert probe.backend.files == (scope / "codex-linux-x64",)
    (scope / "codex-linux-x64" / "package.json").write_text(manifest.replace("0.169", "0.99"))
    assert not CodexProvider().probe({"program": str(wrapper)}, {}).available
