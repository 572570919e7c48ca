"""The contract of a provider, as tests."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

import pytest

from gitcto.contracts import Probe
from gitcto.mail_contracts import INBOX, Letter, SendRequest, SendResult
from gitcto.mailbox import BOXES, files, letter_text, make_mailbox, path_in
from gitcto.model.agent_records import FAULT_KINDS
from gitcto.model.records import TaskSpec
from gitcto.provider_contracts import (
    Launch,
    LaunchRequest,
    Progress,
    WorkerOutcome,
    WorkerReport,
)
from gitcto.testing.kit import must, must_be_a_line, must_refuse
from gitcto.testing.provider_abilities import ProviderAbilities, run_launch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitcto.provider_contracts import ProviderWorker

ERRORS = frozenset(FAULT_KINDS) - {"finish"}
"""The classes of error a provider may report."""

SECRET, CANARY = "SOME_SECRET", "canary-3141592653"
"""A variable of the host's environment, and what it holds."""


class ProviderContract(ProviderAbilities):
    """Subclass it and override ``provider``; where needed ``settings``, ``task`` and ``sample``."""

    @pytest.fixture
    def provider(self) -> ProviderWorker:
        """Return the provider under test."""
        raise NotImplementedError("override the fixture `provider`")

    @pytest.fixture
    def settings(self) -> Mapping[str, object]:
        """Return settings under which the provider starts a worker that succeeds."""
        return {}

    @pytest.fixture
    def task(self) -> TaskSpec:
        """Return the task to launch."""
        return TaskSpec(id="T-1", title="Say hello", prompt="Write hello into hello.txt.")

    @pytest.fixture
    def launch_request(
        self, tmp_path: Path, settings: Mapping[str, object], task: TaskSpec
    ) -> LaunchRequest:
        """Return a request in fresh directories, with a secret in the host's environment."""
        workspace, scratch = tmp_path / "workspace", tmp_path / "scratch"
        workspace.mkdir()
        scratch.mkdir()
        prompt = tmp_path / "prompt.md"
        prompt.write_text(task.prompt, encoding="utf-8")
        return LaunchRequest(
            task=task,
            execution="01hzzzzzzzzzzzzzzzzzzzzzzz",
            attempt=1,
            workspace=workspace,
            scratch=scratch,
            prompt_file=prompt,
            settings=settings,
            host_env={"PATH": os.defpath, "HOME": str(tmp_path), SECRET: CANARY},
        )

    @pytest.fixture
    def outcome(self, launch_request: LaunchRequest, tmp_path: Path) -> WorkerOutcome:
        """Return the end of a worker that said nothing and exited with 0."""
        streams = tmp_path / "stdout.log", tmp_path / "stderr.log"
        for stream in streams:
            stream.write_bytes(b"")
        return WorkerOutcome(
            code=0,
            cause="exited",
            stdout=streams[0],
            stderr=streams[1],
            scratch=launch_request.scratch,
        )

    def test_probe_answers(
        self,
        provider: ProviderWorker,
        settings: Mapping[str, object],
        launch_request: LaunchRequest,
    ) -> None:
        """It says whether it can start here; a no comes with a hint, also on a bare machine."""
        for environment in (launch_request.host_env, {}):
            probe = provider.probe(settings, environment)
            must(type(probe) is Probe, "probe() must return a Probe")
            must(probe.available or probe.hint, "a provider that is not available must say why")
            files = probe.backend.files if probe.backend else ()
            must(all(map(os.path.exists, files)), "the files of a backend must be there")

    def test_launch_is_data(self, provider: ProviderWorker, launch_request: LaunchRequest) -> None:
        """It returns an argv list, the same one when it is asked again."""
        first, second = provider.launch(launch_request), provider.launch(launch_request)
        must(type(first) is Launch, "launch() must return a Launch")
        must(first == second, "launch() must answer the same request in the same way")

    def test_launch_hands_on_only_what_is_named(
        self, provider: ProviderWorker, launch_request: LaunchRequest
    ) -> None:
        """A variable nobody named does not reach the worker."""
        launch = provider.launch(launch_request)
        told = [*launch.argv, *launch.env.values()]
        must(all(CANARY not in text for text in told), "a variable nobody named was handed on")

    def test_launch_writes_only_to_its_scratch(
        self, provider: ProviderWorker, launch_request: LaunchRequest
    ) -> None:
        """The workspace is the worker's: preparing a launch leaves it as it is."""
        provider.launch(launch_request)
        left = sorted(path.name for path in launch_request.workspace.iterdir())
        must(not left, f"launch() wrote into the workspace: {left}")

    def test_unknown_setting_is_refused(
        self, provider: ProviderWorker, launch_request: LaunchRequest
    ) -> None:
        """A typing error in policy is an error, not a default."""
        self.needs("settings")
        settings = self.with_unknown_setting(launch_request.settings)
        request = dataclasses.replace(launch_request, settings=settings)
        must_refuse(lambda: provider.launch(request), "no_such_setting")

    @pytest.mark.parametrize(
        ("code", "cause"),
        [(1, "exited"), (-9, "exited"), (0, "wall"), (0, "idle"), (0, "stopped"), (0, "lost")],
    )
    def test_a_bad_end_is_no_success(
        self, provider: ProviderWorker, outcome: WorkerOutcome, code: int, cause: str
    ) -> None:
        """Neither a failing exit code nor an end by force is reported as success."""
        report = provider.collect(dataclasses.replace(outcome, code=code, cause=cause))
        must(type(report) is WorkerReport, "collect() must return a WorkerReport")
        must(not report.ok, f"code {code} by {cause!r} was reported as success")
        must(report.fault is not None and report.fault.kind in ERRORS, "it needs a class of error")

    def test_collect_survives_any_output(
        self, provider: ProviderWorker, outcome: WorkerOutcome
    ) -> None:
        """What a worker prints, or that it left no files, breaks nothing."""
        for junk in (b"\xff\xfe\x00", b"{" * 5000, b"\x1b[31mred\r\n\n", b"a\n" * 9):
            outcome.stdout.write_bytes(junk)
            outcome.stderr.write_bytes(junk)
            for code in (0, 1):
                report = provider.collect(dataclasses.replace(outcome, code=code))
                must_be_a_line(report.summary, "summary")
                must_be_a_line(report.fault.detail if report.fault else "", "detail")
        outcome.stdout.unlink()
        outcome.stderr.unlink()
        must(type(provider.collect(outcome)) is WorkerReport, "no output is no crash")

    @pytest.fixture
    def letter(self, launch_request: LaunchRequest) -> SendRequest:
        """Return a letter for an agent that has its mailbox."""
        make_mailbox(launch_request.scratch)
        return SendRequest(
            letter=Letter(number=7, sender="person:ada", subject="use v2", body="not v1\n"),
            execution=launch_request.execution,
            scratch=launch_request.scratch,
            settings=launch_request.settings,
        )

    def test_send_answers(self, provider: ProviderWorker, letter: SendRequest) -> None:
        """It says what became of a letter, also of the same one again."""
        for _ in range(2):
            answer = provider.send(letter)
            must(type(answer) is SendResult, "send() must return a SendResult")
            must_be_a_line(answer.reason, "reason")
            fine = answer.status in {"taken", "shown"} or answer.reason
            must(fine, "a letter that is not taken needs a reason")

    def test_send_fills_the_mailbox(self, provider: ProviderWorker, letter: SendRequest) -> None:
        """What it took is in the inbox, whole, once, under the letter's number."""
        self.needs("mailbox")
        answers = [provider.send(letter).status for _ in range(2)]
        must(answers == ["taken", "taken"], "a provider with a mailbox must take letters")
        found = files(letter.scratch, INBOX)
        must([each.name for each in found] == ["7.json"], "the letter must be in the inbox, once")
        must(found[0].data == letter_text(letter.letter), "the letter must be whole")

    def test_send_follows_no_link(
        self, provider: ProviderWorker, letter: SendRequest, tmp_path: Path
    ) -> None:
        """A worker that puts a link into its scratch directory leads nobody out of it."""
        elsewhere = tmp_path / "elsewhere"
        for box in ("", *BOXES):
            (elsewhere / box).mkdir(exist_ok=True)
        path_in(letter.scratch).rename(tmp_path / "moved")
        path_in(letter.scratch).symlink_to(elsewhere)
        answer = provider.send(letter)
        left = [path.name for path in elsewhere.rglob("*") if path.is_file()]
        must(not left, f"send() wrote outside the scratch directory: {left}")
        must(answer.status != "taken", "a letter that nobody can find was not taken")

    def test_poll_reads_on(self, provider: ProviderWorker, outcome: WorkerOutcome) -> None:
        """It answers for any output, goes on from its cursor, and comes to rest at the end."""
        for junk in (b"", b"\xff\xfe\x00", b"{" * 5000, b"a\n" * 9):
            outcome.stdout.write_bytes(junk)
            cursor = ""
            for _ in range(9):
                progress = provider.poll(outcome, cursor)
                must(type(progress) is Progress, "poll() must return a Progress")
                cursor = progress.cursor
            must(not provider.poll(outcome, cursor).events, "poll() must come to rest")

    def test_it_prints_nothing(
        self,
        provider: ProviderWorker,
        launch_request: LaunchRequest,
        outcome: WorkerOutcome,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """Standard output belongs to the command line."""
        provider.probe(launch_request.settings, launch_request.host_env)
        provider.launch(launch_request)
        provider.collect(outcome)
        must(capfd.readouterr() == ("", ""), "a provider must not print")

    def test_it_runs(
        self, provider: ProviderWorker, launch_request: LaunchRequest, outcome: WorkerOutcome
    ) -> None:
        """What it launches runs in the workspace, and its end is read as success."""
        self.needs("runs_offline")
        code = run_launch(provider, launch_request, outcome)
        report = provider.collect(dataclasses.replace(outcome, code=code))
        must(report.ok, f"the worker ended with {code}: {report.fault}")
