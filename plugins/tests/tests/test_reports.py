"""What a report says about a change, and what it cannot be made to say."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gitcto_tests.gate import TestsGate

from gitcto.api import CommandResult, CtoError, GateResult
from gitcto.testing import gate_context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GREEN = '<testcase classname="C" name="a"/><testcase classname="C" name="b"/>'
RED = '<testcase classname="C" name="a"/><testcase classname="C" name="b"><failure/></testcase>'
SKIPPED = '<testcase classname="C" name="a"><skipped/></testcase>'


def junit(cases: str) -> str:
    return f"<testsuites><testsuite>{cases}</testsuite></testsuites>"


@dataclass
class Project:
    """A tree, a scratch directory, and a command that writes a report when it is run."""

    root: Path
    asked: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def tree(self) -> Path:
        return self.root / "tree"

    @property
    def scratch(self) -> Path:
        return self.root / "scratch"

    def judge(
        self,
        command: Callable[[tuple[str, ...]], int | None],
        settings: dict[str, Any] | None = None,
        **facts: Any,
    ) -> GateResult:
        def run(argv: Sequence[str], _deadline_s: float) -> CommandResult:
            self.asked.append(tuple(argv))
            return CommandResult(code=command(tuple(argv)), output=b"some\nlast line\n")

        usual = {"argv": ["t", "--junit={scratch}/r.xml"], "junit": "{scratch}/r.xml"}
        context = gate_context(
            checkout=self.tree,
            scratch=self.scratch,
            settings={**usual, **(settings or {})},
            run=run,
            **facts,
        )
        return TestsGate().judge(context)

    def writes(self, text: str, code: int | None = 0, name: str = "r.xml") -> Any:
        def command(_argv: tuple[str, ...]) -> int | None:
            (self.scratch / name).write_text(text)
            return code

        return command


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.tree.mkdir()
    made.scratch.mkdir()
    return made


@pytest.mark.parametrize(
    ("code", "cases", "status", "reason"),
    [
        (0, GREEN, "pass", "exit_0"),
        (1, RED, "fail", "tests_failed"),
        (0, RED, "fail", "tests_failed"),
        (3, RED, "fail", "tests_failed"),
        (0, "", "not_run", "no_tests"),
        (0, SKIPPED, "not_run", "no_tests"),
        (1, GREEN, "not_run", "no_failure"),
        (139, GREEN, "not_run", "no_failure"),
        (5, GREEN, "not_run", "not_run_code"),
        (5, RED, "not_run", "not_run_code"),
        (127, RED, "not_run", "cannot_run"),
        (137, RED, "not_run", "killed"),
        (None, RED, "not_run", "deadline"),
        (4, GREEN, "fail", "fail_code"),
    ],
)
def test_what_code_and_report_say_together(
    project: Project, code: int | None, cases: str, status: str, reason: str
) -> None:
    settings = {"not_run_codes": [5], "fail_codes": [4]}
    result = project.judge(project.writes(junit(cases), code), settings)
    assert (result.status, result.reason) == (status, reason)
    assert result.failed == (("C::b",) if reason == "tests_failed" else ())
    assert project.asked == [("t", f"--junit={project.scratch}/r.xml")]


def test_the_report_is_kept_as_evidence(project: Project) -> None:
    result = project.judge(project.writes(junit(RED), 1))
    assert dict(result.artifacts) == {"junit.xml": junit(RED).encode()}
    assert (result.executed, result.detail) == (2, "exit code 1: 1 of 2 tests failed: C::b")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"<!DOCTYPE x>{junit(GREEN)}", "bad_report"),
        (junit(GREEN)[:-5], "bad_report"),
        ('<testsuite failures="1"><testcase name="a"/></testsuite>', "bad_report"),
    ],
)
@pytest.mark.parametrize("code", [0, 1])
def test_a_report_that_cannot_be_believed_is_no_verdict(
    project: Project, text: str, reason: str, code: int
) -> None:
    result = project.judge(project.writes(text, code))
    assert (result.status, result.reason) == ("not_run", reason)


def test_no_report_is_no_verdict(project: Project) -> None:
    assert project.judge(lambda _argv: 0).reason == "no_report"
    assert project.judge(lambda _argv: 1).status == "not_run"
    assert project.judge(lambda _argv: 4, {"fail_codes": [4]}).status == "fail"


@pytest.mark.parametrize("what", ["link", "fifo", "folder"])
def test_only_a_regular_file_is_a_report(project: Project, what: str) -> None:
    (project.root / "elsewhere.xml").write_text(junit(GREEN))

    def command(_argv: tuple[str, ...]) -> int:
        path = project.scratch / "r.xml"
        if what == "link":
            path.symlink_to(project.root / "elsewhere.xml")
        elif what == "fifo":
            os.mkfifo(path)
        else:
            path.mkdir()
        return 0

    assert project.judge(command).reason == "bad_report"


def test_a_folder_that_is_a_link_is_not_looked_into(project: Project) -> None:
    (project.root / "elsewhere").mkdir()
    (project.root / "elsewhere/r.xml").write_text(junit(GREEN))

    def command(_argv: tuple[str, ...]) -> int:
        (project.tree / "out").symlink_to(project.root / "elsewhere")
        return 0

    assert project.judge(command, {"junit": "out/r.xml"}).reason == "no_report"


def test_a_forged_report_in_the_tree_is_never_read(project: Project) -> None:
    """A worker commits an all-green report, and breaks the command that would write it."""
    forged = project.tree / "report.xml"
    forged.write_text(junit(GREEN))
    before = forged.stat()
    result = project.judge(lambda _argv: 0, {"junit": "report.xml"})
    assert (result.status, result.reason) == ("not_run", "no_report")
    after = forged.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert forged.read_text() == junit(GREEN)


def test_the_commands_own_report_is_read_where_a_forged_one_was(project: Project) -> None:
    forged = project.tree / "out/report.xml"
    forged.parent.mkdir()
    forged.write_text(junit(GREEN))
    seen = []

    def command(_argv: tuple[str, ...]) -> int:
        seen.append(forged.exists())
        forged.write_text(junit(RED))
        return 1

    result = project.judge(command, {"junit": ["out/*.xml"]})
    assert (result.status, seen) == ("fail", [False])
    assert forged.read_text() == junit(GREEN), "the tree is as it was"


def test_a_report_may_be_spread_over_files(project: Project) -> None:
    def command(_argv: tuple[str, ...]) -> int:
        for module in ("one", "two"):
            place = project.tree / module / "build"
            place.mkdir(parents=True)
            (place / f"TEST-{module}.xml").write_text(
                junit(f'<testcase classname="{module}" name="t"/>')
            )
        return 0

    result = project.judge(command, {"junit": "*/build/TEST-*.xml"})
    assert (result.status, result.executed) == ("pass", 2)
    assert sorted(result.artifacts) == ["junit-1.xml", "junit.xml"]


def test_ctrf_is_read_as_well(project: Project) -> None:
    tests = [{"name": "a", "status": "passed"}, {"name": "b", "status": "failed"}]
    text = json.dumps({"results": {"summary": {}, "tests": tests}})
    settings = {"junit": [], "ctrf": "{scratch}/r.json"}
    result = project.judge(project.writes(text, 1, "r.json"), settings)
    assert (result.status, result.failed, list(result.artifacts)) == ("fail", ("b",), ["ctrf.json"])


# Running some tests again


RERUN = {"rerun": ["t", "--only", "{tests}", "--junit={scratch}/r.xml"]}


def test_failed_tests_are_run_again_alone(project: Project) -> None:
    result = project.judge(project.writes(junit(RED), 1), RERUN, only=("C::b",))
    assert result.failed == ("C::b",)
    assert project.asked == [("t", "--only", "C::b", f"--junit={project.scratch}/r.xml")]
    flaky = project.judge(project.writes(junit(GREEN)), RERUN, only=("C::b",))
    assert flaky.status == "pass"


def test_a_rerun_that_left_a_test_out_proves_nothing(project: Project) -> None:
    """The whole command is run instead: a green of other tests is not a green of this one."""

    def command(argv: tuple[str, ...]) -> int:
        again = "--only" in argv
        (project.scratch / "r.xml").write_text(junit(GREEN.replace("b", "c") if again else RED))
        return 0 if again else 1

    result = project.judge(command, RERUN, only=("C::b",))
    assert (result.status, result.failed, len(project.asked)) == ("fail", ("C::b",), 2)


@pytest.mark.parametrize("code", [0, 1, 4])
def test_a_rerun_without_a_report_is_not_taken_for_one(project: Project, code: int) -> None:
    def command(argv: tuple[str, ...]) -> int:
        if "--only" in argv:
            return code
        (project.scratch / "r.xml").write_text(junit(RED))
        return 1

    result = project.judge(command, RERUN, only=("C::b",))
    assert (result.status, len(project.asked)) == ("fail", 2)


@pytest.mark.parametrize(
    "name", ["--collect-only", "-k nothing", "@options", "a\x00b", " a", "a\nb"]
)
def test_a_test_is_never_taken_for_an_option(project: Project, name: str) -> None:
    project.judge(project.writes(junit(GREEN)), RERUN, only=("C::b", name))
    assert project.asked == [("t", f"--junit={project.scratch}/r.xml")]


def test_too_many_tests_are_run_as_a_whole(project: Project) -> None:
    many = tuple(f"C::t{number}" for number in range(501))
    project.judge(project.writes(junit(GREEN)), RERUN, only=many)
    assert project.asked == [("t", f"--junit={project.scratch}/r.xml")]


def test_names_for_tools_that_take_a_pattern(project: Project) -> None:
    settings = {"rerun": ["go", "-run={pattern}", "./..."], "names": "go"}
    names = ("example.com/m::TestA/with.dots", "example.com/m::TestA/two", "example.com/n::TestB")
    cases = "".join(
        f'<testcase classname="{name.partition("::")[0]}" name="{name.partition("::")[2]}"/>'
        for name in names
    )
    result = project.judge(project.writes(junit(cases)), settings, only=names)
    assert project.asked == [("go", "-run=^(TestA|TestB)$", "./...")]
    assert result.status == "pass"


@pytest.mark.parametrize(
    ("suite", "name", "names", "expected"),
    [
        (
            "tests.test_a.TestX",
            "test_one[a::b]",
            "pytest",
            "tests/test_a.py::TestX::test_one[a::b]",
        ),
        ("tests.test_a", "test_one", "pytest", "tests/test_a.py::test_one"),
        ("", "tests.test_a", "pytest", "tests/test_a.py"),
        ("nowhere.test_a", "test_one", "pytest", "nowhere.test_a::test_one"),
        ("tests.test_a.TestX", "test_one", "unittest", "tests.test_a.TestX.test_one"),
        ("tests.test_a.TestX", "test_one", "junit", "tests.test_a.TestX::test_one"),
        ("m/pkg", "TestA/sub", "go", "m/pkg::TestA/sub"),
    ],
)
def test_how_tests_are_named(
    project: Project, suite: str, name: str, names: str, expected: str
) -> None:
    (project.tree / "tests").mkdir()
    (project.tree / "tests/test_a.py").touch()
    case = f'<testcase classname="{suite}" name="{name}"><failure/></testcase>'
    result = project.judge(project.writes(junit(case), 1), {"names": names})
    assert result.failed == (expected,)


def test_pytest_understands_its_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real runs: parametrised, in classes and in folders, each failed test is run again alone."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    tree, scratch = tmp_path / "tree", tmp_path / "scratch"
    (tree / "tests").mkdir(parents=True)
    scratch.mkdir()
    (tree / "tests/test_a.py").write_text(
        "import pytest\n"
        "class TestX:\n"
        "    @pytest.mark.parametrize('x', ['a/b', 'c::d e'])\n"
        "    def test_p(self, x): assert x == 'no'\n"
        "def test_fine(): pass\n"
    )
    pytest_argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    settings = {
        "argv": [*pytest_argv, "--junitxml={scratch}/r.xml"],
        "rerun": [*pytest_argv, "--junitxml={scratch}/r.xml", "{tests}"],
        "junit": "{scratch}/r.xml",
        "names": "pytest",
    }
    context = gate_context(checkout=tree, scratch=scratch, settings=settings)
    first = TestsGate().judge(context)
    assert first.failed == (
        "tests/test_a.py::TestX::test_p[a/b]",
        "tests/test_a.py::TestX::test_p[c::d e]",
    )
    again = TestsGate().judge(
        gate_context(checkout=tree, scratch=scratch, settings=settings, only=first.failed)
    )
    assert (again.failed, again.executed) == (first.failed, 2)


# Quarantine


def test_a_quarantined_failure_does_not_count_and_is_told(project: Project) -> None:
    result = project.judge(project.writes(junit(RED), 1), quarantined=frozenset({"C::b"}))
    assert (result.status, result.reason, result.ignored) == ("pass", "quarantined", ("C::b",))
    assert result.failed == ()


def test_it_excuses_no_other_failure(project: Project) -> None:
    both = RED.replace('name="a"/', 'name="a"><failure/></testcase')
    result = project.judge(project.writes(junit(both), 1), quarantined=frozenset({"C::b"}))
    assert (result.status, result.failed, result.ignored) == ("fail", ("C::a",), ("C::b",))


@pytest.mark.parametrize(
    ("code", "reason"), [(2, "no_failure"), (3, "no_failure"), (1, "quarantined")]
)
def test_it_excuses_no_other_exit_code(project: Project, code: int, reason: str) -> None:
    """A runner that broke down after a quarantined failure has not run the rest."""
    result = project.judge(project.writes(junit(RED), code), quarantined=frozenset({"C::b"}))
    assert result.reason == reason


def test_quarantined_tests_alone_show_nothing(project: Project) -> None:
    only = '<testcase classname="C" name="b"><failure/></testcase>'
    result = project.judge(project.writes(junit(only), 1), quarantined=frozenset({"C::b"}))
    assert (result.status, result.reason) == ("not_run", "no_tests")


# Tools without a report


@pytest.mark.parametrize(
    ("output", "status", "executed"),
    [
        (b"Ran 12 tests in 0.1s\n\nOK\n", "pass", 12),
        (b"Ran 12 tests in 0.1s\nRan 0 tests in 0.0s\n", "not_run", 0),
        (b"nothing\n", "not_run", 0),
        (b"Ran \xff tests in\n", "not_run", 0),
    ],
)
def test_tests_are_counted_in_the_output(
    tmp_path: Path, output: bytes, status: str, executed: int
) -> None:
    given = CommandResult(code=0, output=output)
    settings = {"argv": ["t"], "count": r"^Ran (\d+) tests? in"}
    result = TestsGate().judge(
        gate_context(checkout=tmp_path, settings=settings, run=lambda *_asked: given)
    )
    assert (result.status, result.executed) == (status, executed)


def test_counts_of_one_line_are_summed(tmp_path: Path) -> None:
    given = CommandResult(code=0, output=b"ok\n3 passed, 2 xfailed, 1 skipped\n")
    settings = {"argv": ["t"], "count": r"(\d+) x?(?:passed|failed)"}
    context = gate_context(checkout=tmp_path, settings=settings, run=lambda *_asked: given)
    assert TestsGate().judge(context).executed == 5


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"junit": "/x.xml"}, "junit names"),
        ({"junit": "../x.xml"}, "junit names"),
        ({"junit": "{tests}/x.xml"}, "junit names"),
        ({"junit": ""}, "junit names"),
        ({"junit": 1}, "junit must be"),
        ({"junit": "a.xml", "ctrf": "b.json"}, "both set"),
        ({"names": "rust"}, "names must be"),
        ({"rerun": ["t", "{tests}"]}, "without a report"),
        ({"junit": "a.xml", "rerun": ["t"]}, "does not say where"),
        ({"junit": "a.xml", "rerun": ["{tests}"]}, "does not say where"),
        ({"junit": "a.xml", "rerun": ["t", "{tests}", "{pattern}"]}, "does not say where"),
        ({"junit": "a.xml", "rerun": ["t", "--x={tests}"]}, "does not say where"),
        ({"count": "("}, "no regular expression"),
        ({"count": "a"}, "one group"),
        ({"count": "(a)", "junit": "a.xml"}, "count is set beside"),
        ({"red_codes": [0]}, "red_codes holds 0"),
        ({"fail_codes": 2}, "fail_codes must be"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(CtoError, match=why) as caught:
        TestsGate().judge(gate_context(settings=settings))
    assert caught.value.hint
