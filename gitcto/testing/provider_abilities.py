"""What a provider claims to be able to do, as tests: a claim is kept, and nothing else is done.

They are part of :class:`gitcto.testing.ProviderContract`.
"""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitcto.descriptors import Abilities
from gitcto.errors import CtoError
from gitcto.mailbox import make_mailbox
from gitcto.plugins import Plugins
from gitcto.provider_contracts import LaunchRequest, ToolServer
from gitcto.testing.kit import Contract, must
from gitcto.untrusted_files import write_below

if TYPE_CHECKING:
    from gitcto.provider_contracts import AgentEvent, ProviderWorker, WorkerOutcome

SESSION = "01a1f840-108b-7850-8ee5-d48534e59357"
"""A session to go on in."""

_TOOL = "/canary/tool-1618033988"
_SCHEMA = '{"type": "object", "title": "canary-5772156649"}'
_RUN_S = 30.0
_MOST_POLLS = 1000


class ProviderAbilities(Contract):
    """The claims of a provider's descriptor, each held to what the provider does."""

    @pytest.fixture
    def abilities(self, provider: ProviderWorker) -> Abilities:
        """Return what the descriptor of the installed provider of this class claims."""
        target = f"{type(provider).__module__}:{type(provider).__qualname__}"
        found = Plugins.load().providers().values()
        claims = [each.descriptor.abilities for each in found if each.descriptor.target == target]
        return claims[0] if claims else Abilities()

    @pytest.fixture
    def sample(self) -> bytes | None:
        """Return what a whole, successful run printed; needed for one that cannot run here."""
        return None

    @pytest.fixture
    def finished(
        self,
        provider: ProviderWorker,
        launch_request: LaunchRequest,
        outcome: WorkerOutcome,
        sample: bytes | None,
    ) -> WorkerOutcome:
        """Return a successful run: the sample's, or one that is made here."""
        if sample is not None:
            outcome.stdout.write_bytes(sample)
            return outcome
        self.needs("runs_offline")
        code = run_launch(provider, launch_request, outcome)
        return dataclasses.replace(outcome, code=code)

    def test_it_tells_what_it_does_if_it_streams(
        self, provider: ProviderWorker, finished: WorkerOutcome, abilities: Abilities
    ) -> None:
        """With ``streams`` its output tells what happens, and that it ended."""
        events: list[AgentEvent] = []
        cursor, ended = "", False
        for _ in range(_MOST_POLLS):
            progress = provider.poll(finished, cursor)
            cursor, ended = progress.cursor, ended or progress.ended
            if not progress.events:
                break
            events += progress.events
        must(bool(events) == abilities.streams, f"streams={abilities.streams}: {events[:3]}")

    def test_what_it_does_not_know_changes_nothing(
        self, provider: ProviderWorker, finished: WorkerOutcome, abilities: Abilities
    ) -> None:
        """With ``streams`` it passes over bytes that are no text, and events of later versions."""
        *lines, last = _lines(finished, abilities)
        garbage = b'\xff\xfe\x00 binary\n{"type":"novel"}\n{"type":\n'
        finished.stdout.write_bytes(b"".join((garbage, *lines, garbage, last)))
        report = provider.collect(finished)
        must(report.ok, f"garbage around its words is no failure: {report.fault}")

    def test_a_run_that_did_not_say_its_end_is_no_success(
        self, provider: ProviderWorker, finished: WorkerOutcome, abilities: Abilities
    ) -> None:
        """With ``streams`` a run without its terminal event has failed, though it exits with 0."""
        lines = _lines(finished, abilities)
        if not provider.poll(finished, "").ended:
            pytest.skip("its stream has no terminal event")
        while provider.poll(finished, "").ended:
            finished.stdout.write_bytes(b"".join(lines[:-1]))
            lines.pop()
        must(not provider.collect(finished).ok, "a run without its terminal event was a success")

    def test_it_counts_what_it_says_it_counts(
        self, provider: ProviderWorker, finished: WorkerOutcome, abilities: Abilities
    ) -> None:
        """``usage`` is nothing, tokens, or a cost as well."""
        report = provider.collect(finished)
        usage = report.usage
        counted = "cost" if usage.cost_micros is not None else "tokens" if usage.tokens else "none"
        must(counted == abilities.usage, f"usage={abilities.usage!r}, but it counted {usage}")

    def test_it_goes_on_in_a_session_if_it_resumes(
        self, provider: ProviderWorker, launch_request: LaunchRequest, abilities: Abilities
    ) -> None:
        """With ``resumes`` what it starts is told which session to go on in."""
        told = _told(provider, dataclasses.replace(launch_request, session=SESSION))
        must((SESSION in told) == abilities.resumes, f"resumes={abilities.resumes}")

    def test_a_session_is_no_option(
        self, provider: ProviderWorker, launch_request: LaunchRequest
    ) -> None:
        """A session is what an agent once called it, and never becomes an option of its program."""
        request = dataclasses.replace(launch_request, session="--last")
        try:
            launch = provider.launch(request)
        except CtoError:
            return
        must("--last" not in launch.argv, "its session became an option")

    def test_it_takes_tools_if_it_says_so(
        self, provider: ProviderWorker, launch_request: LaunchRequest, abilities: Abilities
    ) -> None:
        """With ``tools`` what it starts is told of an MCP server."""
        tool = ToolServer(name="cto", argv=(sys.executable, _TOOL))
        told = _told(provider, dataclasses.replace(launch_request, tools=(tool,)))
        must((_TOOL in told) == abilities.tools, f"tools={abilities.tools}")

    def test_it_is_held_to_a_schema_if_it_answers(
        self, provider: ProviderWorker, launch_request: LaunchRequest, abilities: Abilities
    ) -> None:
        """With ``answers`` what it starts is told of the schema, or where it lies."""
        schema = launch_request.prompt_file.with_name("answer.schema.json")
        schema.write_text(_SCHEMA, encoding="utf-8")
        told = _told(provider, dataclasses.replace(launch_request, answer_schema=schema))
        found = str(schema) in told or "canary-5772156649" in told
        must(found == abilities.answers, f"answers={abilities.answers}")

    def test_it_is_kept_from_editing_if_it_says_so(
        self, provider: ProviderWorker, launch_request: LaunchRequest, abilities: Abilities
    ) -> None:
        """With ``reads_only`` it is started in another way when it is not to edit."""
        usual = _told(provider, launch_request)
        if usual != _told(provider, launch_request):
            pytest.skip("it answers the same request in different ways")
        reading = _told(provider, dataclasses.replace(launch_request, edits=False))
        must((usual != reading) == abilities.reads_only, f"reads_only={abilities.reads_only}")

    def test_it_is_asked_to_stop_if_it_has_a_protocol(
        self, provider: ProviderWorker, launch_request: LaunchRequest, abilities: Abilities
    ) -> None:
        """With ``interrupt`` by protocol a launch says what asks it, and that can be left there."""
        make_mailbox(launch_request.scratch)
        note = provider.launch(launch_request).interrupt
        by_protocol = abilities.interrupt == "protocol"
        must((note is not None) == by_protocol, f"interrupt={abilities.interrupt!r}: {note}")
        if note is not None:
            write_below(launch_request.scratch, note.path, note.text.encode())


def run_launch(provider: ProviderWorker, request: LaunchRequest, outcome: WorkerOutcome) -> int:
    """Start what a provider launches, in the workspace, and return its exit code."""
    launch = provider.launch(request)
    with outcome.stdout.open("wb") as out, outcome.stderr.open("wb") as err:
        done = subprocess.run(
            launch.argv,
            env=dict(launch.env),
            cwd=request.workspace,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            timeout=_RUN_S,
            check=False,
        )
    return done.returncode


def _lines(outcome: WorkerOutcome, abilities: Abilities) -> list[bytes]:
    lines = outcome.stdout.read_bytes().splitlines(keepends=True)
    if not abilities.streams or not lines:
        pytest.skip("its output tells nothing")
    return lines


def _told(provider: ProviderWorker, request: LaunchRequest) -> str:
    """Return all that a launch tells its worker: arguments, environment, and files it wrote."""
    launch = provider.launch(request)
    files = (path for path in sorted(request.scratch.rglob("*")) if path.is_file())
    texts = (Path(path).read_text(encoding="utf-8", errors="replace") for path in files)
    return "\n".join((*launch.argv, *launch.env.values(), *texts))
