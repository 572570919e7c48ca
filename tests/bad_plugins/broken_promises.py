"""One broken implementation per promise; the docstring names the contract test that must fail."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from gitcto.api import (
    Abilities,
    AgentEvent,
    AgentProvider,
    CtoError,
    Dialect,
    DraftPlan,
    GateResult,
    Launch,
    PlanProblem,
    Probe,
    Progress,
    SendResult,
    TaskSpec,
    WorkerReport,
    failed,
    leave_in_mailbox,
    letter_text,
)
from gitcto.testing import (
    Capabilities,
    GateContract,
    PlannerContract,
    ProviderContract,
    gate_context,
)


def known(settings, *keys):
    for key in settings:
        if key not in keys:
            raise CtoError(f"unknown key {key!r}", "remove it")


def said(record):
    yield AgentEvent(kind="ended" if record["ended"] else "message", text=record["said"])


class GoodProvider:
    def probe(self, settings, host_env):
        del settings, host_env
        return Probe(available=True)

    def launch(self, request):
        known(request.settings)
        return Launch(argv=(sys.executable, "-c", ""), env={"PATH": request.host_env["PATH"]})

    def send(self, request):
        return leave_in_mailbox(request)

    def poll(self, output, cursor):
        del output
        return Progress(cursor=cursor)

    def collect(self, outcome):
        ok = outcome.code == 0 and outcome.cause == "exited"
        return WorkerReport() if ok else failed("tool", "it failed")


class Provider(ProviderContract):
    Subject = GoodProvider

    @pytest.fixture
    def provider(self):
        return self.Subject()


class TestSaysNoWithoutReason(Provider):
    "test_probe_answers"

    class Subject(GoodProvider):
        def probe(self, settings, host_env):
            del settings, host_env
            return Probe(available=False)


class TestAnswersDifferently(Provider):
    "test_launch_is_data"

    class Subject(GoodProvider):
        count = 0

        def launch(self, request):
            self.count += 1
            launch = super().launch(request)
            return Launch(argv=(*launch.argv, str(self.count)), env=launch.env)


class TestHandsOnSecrets(Provider):
    "test_launch_hands_on_only_what_is_named"

    class Subject(GoodProvider):
        def launch(self, request):
            return Launch(argv=super().launch(request).argv, env=dict(request.host_env))


class TestWritesIntoTheWorkspace(Provider):
    "test_launch_writes_only_to_its_scratch"

    class Subject(GoodProvider):
        def launch(self, request):
            (request.workspace / "CLAUDE.md").write_text("mine")
            return super().launch(request)


class TestIgnoresTypingErrors(Provider):
    "test_unknown_setting_is_refused"

    class Subject(GoodProvider):
        def launch(self, request):
            return Launch(argv=(sys.executable, "-c", ""), env={"PATH": request.host_env["PATH"]})


class TestBelievesTheDead(Provider):
    "test_a_bad_end_is_no_success"

    class Subject(GoodProvider):
        def collect(self, outcome):
            ok = outcome.code == 0
            return WorkerReport() if ok else failed("tool", "it failed")


class TestTrustsTheOutput(Provider):
    "test_collect_survives_any_output"

    class Subject(GoodProvider):
        def collect(self, outcome):
            if outcome.code == 0:
                outcome.stdout.read_text(encoding="utf-8")
            return super().collect(outcome)


class Streaming(Provider):
    capabilities = Capabilities(runs_offline=False)

    class Subject(AgentProvider):
        dialect = Dialect(name="streaming", events=said)
        probe = GoodProvider.probe
        launch = GoodProvider.launch

    @pytest.fixture
    def sample(self):
        return b'{"said": "done", "ended": false}\n{"said": "bye", "ended": true}\n'

    @pytest.fixture
    def abilities(self):
        return Abilities(streams=True)


class TestStumblesOverGarbage(Streaming):
    "test_what_it_does_not_know_changes_nothing test_collect_survives_any_output"

    class Subject(Streaming.Subject):
        def collect(self, outcome):
            outcome.stdout.read_text(encoding="utf-8")
            return super().collect(outcome)


class TestBelievesTheExitCode(Streaming):
    "test_a_run_that_did_not_say_its_end_is_no_success"

    class Subject(Streaming.Subject):
        collect = GoodProvider.collect


class TestTakesASessionForAnOption(Provider):
    "test_a_session_is_no_option"

    class Subject(GoodProvider):
        def launch(self, request):
            launch = super().launch(request)
            return Launch(argv=(*launch.argv, request.session), env=launch.env)

    @pytest.fixture
    def abilities(self):
        return Abilities(resumes=True)


class TestClaimsThatItStreams(Provider):
    "test_it_tells_what_it_does_if_it_streams"

    @pytest.fixture
    def abilities(self):
        return Abilities(streams=True)


class TestClaimsThatItCounts(Provider):
    "test_it_counts_what_it_says_it_counts"

    @pytest.fixture
    def abilities(self):
        return Abilities(usage="tokens")


class TestClaimsThatItResumes(Provider):
    "test_it_goes_on_in_a_session_if_it_resumes"

    @pytest.fixture
    def abilities(self):
        return Abilities(resumes=True)


class TestClaimsThatItTakesTools(Provider):
    "test_it_takes_tools_if_it_says_so"

    @pytest.fixture
    def abilities(self):
        return Abilities(tools=True)


class TestClaimsThatItAnswers(Provider):
    "test_it_is_held_to_a_schema_if_it_answers"

    @pytest.fixture
    def abilities(self):
        return Abilities(answers=True)


class TestClaimsThatItOnlyReads(Provider):
    "test_it_is_kept_from_editing_if_it_says_so"

    @pytest.fixture
    def abilities(self):
        return Abilities(reads_only=True)


class TestClaimsThatItCanBeAsked(Provider):
    "test_it_is_asked_to_stop_if_it_has_a_protocol"

    @pytest.fixture
    def abilities(self):
        return Abilities(interrupt="protocol")


class TestTalks(Provider):
    "test_it_prints_nothing"

    class Subject(GoodProvider):
        def launch(self, request):
            print("launching")  # noqa: T201  # the promise it breaks
            return super().launch(request)


class TestSaysNothingOfALetter(Provider):
    "test_send_answers test_send_fills_the_mailbox"

    class Subject(GoodProvider):
        def send(self, request):
            result = super().send(request)
            return SendResult(status="failed") if result.status == "taken" else result


class TestLosesLetters(Provider):
    "test_send_fills_the_mailbox test_send_follows_no_link"

    class Subject(GoodProvider):
        def send(self, request):
            del request
            return SendResult(status="taken")


class TestFollowsLinks(Provider):
    "test_send_follows_no_link"

    class Subject(GoodProvider):
        def send(self, request):
            inbox = request.scratch / "mail" / "inbox"
            (inbox / f"{request.letter.number}.json").write_bytes(letter_text(request.letter))
            return SendResult(status="taken")


class TestCannotWork(Provider):
    "test_it_runs"

    class Subject(GoodProvider):
        def launch(self, request):
            launch = super().launch(request)
            return Launch(argv=(sys.executable, "-c", "raise SystemExit(9)"), env=launch.env)


class GoodGate:
    def judge(self, context):
        known(context.settings)
        code = context.run(("true",), 9).code
        if code is None or code in (126, 127):
            return GateResult(status="not_run", reason="no_answer")
        return GateResult(status="pass" if context.changes else "fail", reason="looked")


class Gate(GateContract):
    Subject = GoodGate

    @pytest.fixture
    def gate(self):
        return self.Subject()

    @pytest.fixture
    def passing(self, tmp_path):
        return gate_context(changes=(1,), checkout=tmp_path)

    @pytest.fixture
    def failing(self, tmp_path):
        return gate_context(checkout=tmp_path)


class TestRefusesTheGood(Gate):
    "test_it_passes_a_good_change"

    class Subject(GoodGate):
        def judge(self, context):
            result = super().judge(context)
            return GateResult(status="fail", reason="no") if result.status == "pass" else result


class TestNeverSaysNo(Gate):
    "test_it_refuses_a_bad_change"

    class Subject(GoodGate):
        def judge(self, context):
            result = super().judge(context)
            return GateResult(status="pass", reason="ok") if result.status == "fail" else result


class TestRemembers(Gate):
    "test_it_says_the_same_twice"

    class Subject(GoodGate):
        count = 0

        def judge(self, context):
            self.count += 1
            result = super().judge(context)
            return result if self.count < 3 else GateResult(status="not_run", reason="tired")


class TestJudgesWhoDidIt(Gate):
    "test_it_judges_nothing_else"

    judges = "tree"

    class Subject(GoodGate):
        def judge(self, context):
            result = super().judge(context)
            late = context.task.id != "T-1"
            return GateResult(status="fail", reason="not_him") if late else result


class TestJudgesWhereItLands(Gate):
    "test_it_judges_nothing_else"

    judges = "change"

    class Subject(GoodGate):
        def judge(self, context):
            result = super().judge(context)
            return GateResult(status="fail", reason="not_here") if "d" in context.tree else result


class NamingGate(Gate):
    judges = "tree"

    class Subject(GoodGate):
        def judge(self, context):
            result = super().judge(context)
            if result.status == "fail" and not context.quarantined:
                return GateResult(status="fail", reason="looked", executed=1, failed=("a",))
            if result.status == "fail":
                return GateResult(status="not_run", reason="none", executed=1, ignored=("a",))
            empty = context.message == "no tests" and result.status == "pass"
            return GateResult(status="not_run", reason="no_tests") if empty else result

    @pytest.fixture
    def without_tests(self, tmp_path):
        return gate_context(changes=(1,), checkout=tmp_path, message="no tests")


class TestGreenWithoutTests(NamingGate):
    "test_a_green_without_tests_is_none"

    class Subject(NamingGate.Subject):
        def judge(self, context):
            return super().judge(dataclasses.replace(context, message=""))


class TestNamesOthers(NamingGate):
    "test_what_failed_can_be_asked_for"

    class Subject(NamingGate.Subject):
        def judge(self, context):
            result = super().judge(context)
            return dataclasses.replace(result, failed=("b",)) if context.only else result


class TestCountsTheQuarantined(NamingGate):
    "test_what_is_quarantined_does_not_count"

    class Subject(NamingGate.Subject):
        def judge(self, context):
            return super().judge(dataclasses.replace(context, quarantined=frozenset()))


class TestIgnoresSettings(Gate):
    "test_unknown_setting_is_refused"

    class Subject(GoodGate):
        def judge(self, context):
            return super().judge(gate_context(changes=context.changes, run=context.run))


class TestGreenWithoutAnAnswer(Gate):
    "test_a_command_that_could_not_run_is_not_green"

    class Subject(GoodGate):
        def judge(self, context):
            known(context.settings)
            return GateResult(status="pass" if context.changes else "fail", reason="guess")


class TestLeavesFiles(Gate):
    "test_it_leaves_the_checkout_alone"

    class Subject(GoodGate):
        def judge(self, context):
            (Path(context.checkout) / "cache").write_text("mine")
            return super().judge(context)


class TestTalkingGate(Gate):
    "test_it_prints_nothing"

    class Subject(GoodGate):
        def judge(self, context):
            print("judging")  # noqa: T201  # the promise it breaks
            return super().judge(context)


class TestDeclaredAbsent(Gate):
    ""

    capabilities = Capabilities(settings=False, runs_commands=False)

    class Subject(GoodGate):
        def judge(self, context):
            return GateResult(status="pass" if context.changes else "fail", reason="looked")


class GoodPlanner:
    def recognises(self, text):
        return text.startswith("plan\n")

    def read(self, text):
        lines = text.split("\n")[1:] if self.recognises(text) else []
        tasks = tuple(TaskSpec(id=line, title=line) for line in lines if line.isalnum())
        problems = tuple(
            PlanProblem(line=number, message="not a name")
            for number, line in enumerate(lines, 2)
            if not line.isalnum()
        )
        return DraftPlan(tasks=tasks, problems=problems)


class Planner(PlannerContract):
    Subject = GoodPlanner

    @pytest.fixture
    def planner(self):
        return self.Subject()

    @pytest.fixture
    def good(self):
        return "plan\na\nb"

    @pytest.fixture
    def bad(self):
        return "plan\na\n?"


class TestDoesNotKnowItself(Planner):
    "test_it_reads_a_good_plan"

    class Subject(GoodPlanner):
        def read(self, text):
            plan = super().read(text)
            return DraftPlan(tasks=plan.tasks[:1], problems=plan.problems)


class TestReadsByChance(Planner):
    "test_it_reads_the_same_twice"

    class Subject(GoodPlanner):
        count = 0

        def read(self, text):
            self.count += 1
            plan = super().read(text)
            return plan if self.count == 1 else DraftPlan(tasks=(), problems=plan.problems)


class TestPointsBeyondTheEnd(Planner):
    "test_it_names_problems_by_line"

    class Subject(GoodPlanner):
        def read(self, text):
            plan = super().read(text)
            problems = tuple(PlanProblem(line=999, message=p.message) for p in plan.problems)
            return DraftPlan(tasks=plan.tasks, problems=problems)


class TestRaisesOnJunk(Planner):
    "test_it_survives_any_text"

    class Subject(GoodPlanner):
        def read(self, text):
            text.encode()
            return super().read(text)
