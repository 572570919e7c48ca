"""Settings, programs, and what an agent's CLI finds around it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.api import (
    AgentSettings,
    CtoError,
    ExitCode,
    LaunchRequest,
    TaskSpec,
    agent_environment,
    find_program,
    probe_program,
    prompt_text,
    read_agent_settings,
    write_private,
)

if TYPE_CHECKING:
    from pathlib import Path

DEFAULTS = AgentSettings(who="provider x", program="x", key_env="X_KEY")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"args": ["--yolo"]}, "unknown key 'args'"),
        ({"model": 1}, "model must be one line of text"),
        ({"model": "a\nb"}, "model must be one line of text"),
        ({"model": "--help"}, "cannot name a model"),
        ({"key_env": "sk-1234"}, "key_env does not name a variable"),
        ({"program": "bin/x"}, "cannot be looked up"),
        ({"program": ""}, "cannot be looked up"),
        ({"base_url": "127.0.0.1:80"}, "base_url"),
        ({"base_url": "https://me:secret@host/"}, "base_url"),
        ({"base_url": "file:///etc/passwd"}, "base_url"),
        ({"base_url": "http://host:port/"}, "base_url"),
    ],
)
def test_settings_are_read_strictly(table: dict[str, Any], message: str) -> None:
    with pytest.raises(CtoError) as caught:
        read_agent_settings(table, DEFAULTS)
    assert message in caught.value.message
    assert "sk-1234" not in caught.value.message + caught.value.hint
    assert caught.value.exit_code == ExitCode.POLICY


def test_settings_have_defaults() -> None:
    assert read_agent_settings({}, DEFAULTS) == DEFAULTS
    table = {"model": "org/m:7b", "base_url": "http://127.0.0.1:1/v1", "mine": 1}
    found = read_agent_settings(table, DEFAULTS, also=("mine",))
    assert (found.model, found.base_url) == ("org/m:7b", "http://127.0.0.1:1/v1")


def test_the_key_is_the_named_variable() -> None:
    assert DEFAULTS.key({"X_KEY": "k", "OTHER": "o"}) == "k"
    assert AgentSettings(who="p", program="x").key({}) == ""
    with pytest.raises(CtoError, match="X_KEY"):
        DEFAULTS.key({"X_KEY": ""})


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """An npm tree with a program, and a link to it where npm puts one."""
    package = tmp_path / "x" / "node_modules" / "@vendor" / "x"
    (package / "bin").mkdir(parents=True)
    manifest = {"name": "@vendor/x", "version": "1.12.3-linux-x64", "license": "MIT"}
    (package / "package.json").write_text(json.dumps(manifest))
    (package / "bin" / "x.js").write_text("#!/usr/bin/env node\n")
    (package / "bin" / "x.js").chmod(0o755)
    links = tmp_path / "x" / "node_modules" / ".bin"
    links.mkdir()
    (links / "x").symlink_to("../@vendor/x/bin/x.js")
    return links


def test_a_program_is_found_with_what_it_was_installed_with(installed: Path) -> None:
    found = find_program("x", {"PATH": str(installed)})
    probe = probe_program(DEFAULTS, {"PATH": str(installed)}, install="npm i x", least="1")
    assert (probe.backend.version, probe.backend.licence) == ("1.12.3-linux-x64", "MIT")
    assert found.reads == (installed.parent,)
    assert find_program(str(found.real), {}).real == found.real
    assert find_program("x", {"PATH": "/nowhere"}) is None


@pytest.mark.parametrize(
    ("least", "available"), [("1.12.3", True), ("1.9.9", True), ("1.13", False), ("2.0.0", False)]
)
def test_a_version_that_is_too_old_is_said(installed: Path, least: str, available: bool) -> None:
    probe = probe_program(DEFAULTS, {"PATH": str(installed)}, install="npm i x", least=least)
    assert (probe.available, probe.version) == (available, "1.12.3-linux-x64")
    assert available or "npm i x" in probe.hint


def test_a_program_that_is_not_here_is_said(tmp_path: Path) -> None:
    probe = probe_program(DEFAULTS, {"PATH": str(tmp_path)}, install="npm i x", least="1.0")
    assert (probe.available, probe.hint) == (False, "'x' is not here: npm i x")
    (tmp_path / "x").write_text("#!/bin/sh\n")
    (tmp_path / "x").chmod(0o755)
    probe = probe_program(DEFAULTS, {"PATH": str(tmp_path)}, install="npm i x", least="1.0")
    assert probe.available
    assert "not known" in probe.hint


def request(tmp_path: Path, prompt: str = "do it") -> LaunchRequest:
    (tmp_path / "prompt.md").write_text(prompt)
    return LaunchRequest(
        task=TaskSpec(id="T-1", title="t", prompt=prompt),
        execution="01e",
        attempt=1,
        workspace=tmp_path / "w",
        scratch=tmp_path / "s",
        prompt_file=tmp_path / "prompt.md",
        settings={},
        host_env={"PATH": "/bin", "HOME": "/home/ada", "SECRET": "s3", "AWS_KEY": "s4"},
    )


def test_a_cli_has_a_home_of_its_own_and_no_more_than_it_needs(tmp_path: Path) -> None:
    env = agent_environment(request(tmp_path), {"KEY": "k"})
    places = [value for name, value in env.items() if name in {"HOME", "TMPDIR"} or "XDG" in name]
    assert all(value.startswith(str(tmp_path / "s")) for value in places)
    assert not env["HOME"].startswith(env["TMPDIR"])
    assert env["KEY"] == "k"
    assert not {"SECRET", "AWS_KEY"} & set(env)
    assert (tmp_path / "s" / "home").is_dir()


def test_a_private_file_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "c.toml").symlink_to(tmp_path / "elsewhere")
    write_private(tmp_path / "c.toml", "x = 1")
    assert (tmp_path / "elsewhere").read_text() == "mine"
    assert (tmp_path / "c.toml").stat().st_mode & 0o777 == 0o600


def test_a_prompt_too_long_for_an_argument_is_pointed_to(tmp_path: Path) -> None:
    assert prompt_text(request(tmp_path, "-do\0it")) == "-do?it"
    assert str(tmp_path / "prompt.md") in prompt_text(request(tmp_path, "x" * 200_000))
