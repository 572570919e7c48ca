from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from gitcto_case.hooks import gitcto_register_providers
from gitcto_case.provider import CaseProvider

from gitcto.api import CtoError
from gitcto.testing import PluginContract, ProviderContract

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitcto.api import LaunchRequest

SAYS = """
print('{"event": "message", "text": "done"}')
print('{"event": "used", "usage": {"input_tokens": 3, "cost_micros": 5}}')
print('{"event": "ended"}')
"""


class TestPlugin(PluginContract):
    plugin = "case"


class TestCaseProvider(ProviderContract):
    @pytest.fixture
    def provider(self) -> CaseProvider:
        return CaseProvider()

    @pytest.fixture
    def settings(self) -> Mapping[str, object]:
        # A literal brace is doubled in a template.
        said = SAYS.replace("{", "{{").replace("}", "}}")
        return {"argv": [sys.executable, "-c", said, "{task.id}", "{session}"]}


def test_it_is_a_gated_engine() -> None:
    found = Mock()
    gitcto_register_providers(found)
    [registered] = [call.args[0] for call in found.add.call_args_list]
    assert (registered.name, registered.gated) == ("case", True)


class TestLaunch(TestCaseProvider):
    def test_it_says_what_it_would_execute(self, provider, settings, launch_request) -> None:
        probe = provider.probe(settings, launch_request.host_env)
        assert probe.backend is not None
        assert probe.backend.files[0].name.startswith("python")

    def test_a_step_that_reads_is_told_so(
        self, provider: CaseProvider, launch_request: LaunchRequest
    ) -> None:
        argv = ["engine", "--mode", "{mode}", "--session", "{session}"]
        request = dataclasses.replace(
            launch_request, settings={"argv": argv}, edits=False, session="s-1"
        )
        assert provider.launch(request).argv[2:] == ("read", "--session", "s-1")

    def test_what_was_hashed_is_what_is_started(
        self, provider: CaseProvider, launch_request: LaunchRequest, tmp_path: Path
    ) -> None:
        """By its whole path: a sandbox may show another program of that name first."""
        engine = tmp_path / "engine"
        engine.write_text("#!/bin/sh\n")
        engine.chmod(0o755)
        host_env = {"PATH": f".:relative:{tmp_path}:/bin"}
        request = dataclasses.replace(
            launch_request, settings={"argv": ["engine"]}, host_env=host_env
        )
        launch = provider.launch(request)
        assert launch.argv == (str(engine),)
        assert launch.env["PATH"] == f"{tmp_path}:/bin"
        assert engine in launch.reads

    def test_its_key_goes_by_name_and_must_be_there(
        self, provider: CaseProvider, launch_request: LaunchRequest
    ) -> None:
        table = {"argv": ["engine"], "key_env": "ENGINE_KEY"}
        request = dataclasses.replace(launch_request, settings=table)
        with pytest.raises(CtoError, match="ENGINE_KEY"):
            provider.launch(request)
        given = dataclasses.replace(request, host_env={"ENGINE_KEY": "k", "OTHER": "o"})
        env = provider.launch(given).env
        assert env["ENGINE_KEY"] == "k"
        assert "OTHER" not in env


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({}, "argv names no program"),
        ({"argv": ["{workspace}/x"]}, "argv names no program"),
        ({"argv": "engine"}, "list of strings"),
        ({"argv": ["e"], "key_env": "a b"}, "name a variable"),
        ({"argv": ["e"], "shell": True}, "unknown key 'shell'"),
    ],
)
def test_its_table_is_read_strictly(table: dict[str, object], says: str) -> None:
    with pytest.raises(CtoError, match=says):
        CaseProvider().probe(table, {})
