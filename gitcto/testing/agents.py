"""What tests of providers for agents' CLIs share: a CLI, a request, a finished run, a contract."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from gitcto.model.records import TaskSpec
from gitcto.provider_contracts import LaunchRequest, WorkerOutcome
from gitcto.testing.kit import must, must_refuse
from gitcto.testing.provider_contract import CANARY, SECRET, ProviderContract

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitcto.provider_contracts import ProviderWorker


def install(folder: Path, *names: str, text: str = "#!/bin/sh\n") -> dict[str, str]:
    """Put programs into a folder; return their paths by name."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    return {name: str(folder / name) for name in names}


def asked_for(root: Path, *programs: str, prompt: str = "- mend it", **how: Any) -> LaunchRequest:
    """Return a request with everything in fresh directories, and these programs on ``PATH``.

    ``how`` are fields of the request; ``host_env`` is in addition to ``PATH``.
    """
    install(root / "bin", *programs)
    for name in ("workspace", "scratch"):
        (root / name).mkdir()
    (root / "prompt.md").write_text(prompt, encoding="utf-8")
    usual: dict[str, Any] = {
        "task": TaskSpec(id="T-1", title="t", prompt=prompt),
        "execution": "01e",
        "attempt": 1,
        "workspace": root / "workspace",
        "scratch": root / "scratch",
        "prompt_file": root / "prompt.md",
        "settings": {},
    }
    host_env = {"PATH": str(root / "bin")} | how.pop("host_env", {})
    return LaunchRequest(**usual | how, host_env=host_env)


def ended(root: Path, stdout: Path, *, stderr: bytes = b"", **how: Any) -> WorkerOutcome:
    """Return the end of a run that printed a file; ``how`` are fields of the outcome."""
    words = root / ("stderr" if stderr else "none")
    if stderr:
        words.write_bytes(stderr)
    usual: dict[str, Any] = {"code": 0, "cause": "exited"}
    return WorkerOutcome(stdout=stdout, stderr=words, scratch=root, **usual | how)


class AgentContract(ProviderContract):
    """The contract of a provider whose table is read by ``read_agent_settings``.

    A subclass gives ``Provider``, ``programs`` (the first is the CLI, others are named by a setting
    of their name; ``text`` is what is in them), a ``model`` where it needs one, and in
    ``sample_file`` what a whole, successful run printed.
    """

    Provider: ClassVar[type[ProviderWorker]]
    programs: ClassVar[tuple[str, ...]]
    sample_file: ClassVar[Path]
    model: ClassVar[str] = ""
    text: ClassVar[str] = "#!/bin/sh\n"

    @pytest.fixture
    def provider(self) -> ProviderWorker:
        """Return the provider under test."""
        return self.Provider()

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Mapping[str, object]:
        """Return settings that name programs which are there, and want no key."""
        found = install(tmp_path / "bin", *self.programs, text=self.text)
        own = {"model": self.model} if self.model else {}
        return {"program": found.pop(self.programs[0]), "key_env": "", **found, **own}

    @pytest.fixture
    def sample(self) -> bytes:
        """Return what a whole, successful run printed."""
        return self.sample_file.read_bytes()

    def test_a_program_that_is_not_here_is_said(
        self, provider: ProviderWorker, launch_request: LaunchRequest
    ) -> None:
        """Neither a probe nor a launch takes it for granted."""
        settings = {**launch_request.settings, "program": "nothing-here"}
        must(not provider.probe(settings, launch_request.host_env).available, "it is not here")
        request = dataclasses.replace(launch_request, settings=settings)
        must_refuse(lambda: provider.launch(request), "nothing-here")

    def test_a_key_that_is_not_set_is_said(
        self, provider: ProviderWorker, launch_request: LaunchRequest
    ) -> None:
        """A run without its key would only fail later, and cost time."""
        settings = {**launch_request.settings, "key_env": "NOT_SET"}
        request = dataclasses.replace(launch_request, settings=settings)
        must_refuse(lambda: provider.launch(request), "NOT_SET")

    def test_its_key_is_in_no_argument_and_no_environment(
        self, provider: ProviderWorker, launch_request: LaunchRequest
    ) -> None:
        """Both can be read by every process beside it."""
        settings = {**launch_request.settings, "key_env": SECRET}
        launch = provider.launch(dataclasses.replace(launch_request, settings=settings))
        told = [*launch.argv, *launch.env.values()]
        must(all(CANARY not in text for text in told), "its key can be read by others")
