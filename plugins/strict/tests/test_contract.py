"""The conformance kit on ``strict``."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from gitcto_strict.sandbox import Strict

from gitcto.testing import PluginContract, SandboxContract

WORKS = (
    shutil.which("bwrap") is not None
    and subprocess.run(
        ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], check=False, capture_output=True
    ).returncode
    == 0
)


class TestPlugin(PluginContract):
    plugin = "strict"


@pytest.mark.skipif(not WORKS, reason="bubblewrap is not installed, or may not make namespaces")
class TestStrict(SandboxContract):
    level = "strict"

    @pytest.fixture
    def sandbox(self) -> Strict:
        return Strict()
