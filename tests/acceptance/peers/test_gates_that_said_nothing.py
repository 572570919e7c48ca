"""A gate that did not run, or ran over nothing, is never green, and never the change's fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.peers.elsewhere import lost
from tests.acceptance.peers.policies import PYTHON, policy
from tests.acceptance.project import Project, job, write

pytestmark = pytest.mark.slow

CRASHING = """\
from gitcto.api import Gate, hookimpl


class Crashing:
    def judge(self, context):
        raise RuntimeError("the gate broke")


@hookimpl
def gitcto_register_gates(register):
    register.add(Gate(name="crashing", summary="Break.", target="crashing:Crashing"))
"""
CHECK = "import unittest\n\n\nclass T(unittest.TestCase):\n    def test(self):\n        {body}\n"


def install(project: Project, name: str, source: str) -> None:
    """Install a plugin of one module, as pip would."""
    site = project.root / "site"
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (site / f"{name}.py").write_text(source)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[gitcto]\n{name} = {name}\n")
    project.environ["PYTHONPATH"] = str(site)


@lost(
    "A gate whose program could not run counted as a failure that was there before, and let work "
    "pass.",
    "gastownhall/gastown#4469",
    "gastownhall/gascity-packs#250",
)
def test_a_gate_that_never_ran_is_no_pass__gastown_4469(tmp_path: Path) -> None:
    """It could not run on the target either, and still nothing lands before it has run."""
    project = Project(tmp_path, policy(("./run-tests",)))
    project.plan(job("T-1", write("a")))
    project.expect("run", code=1)
    state, reason = project.state("T-1")
    assert (state, reason.partition(":")[0]) == ("blocked", "tests")
    assert [b["verdict"]["status"] for b in project.events("T-1") if b["kind"] == "gate.judged"][
        -1
    ] == "not_run"
    assert project.landed() == []
    ends = [body for body in project.events("T-1") if body["kind"] == "execution.failed"]
    assert not ends[-1]["charged"]
    project.adopt(policy())
    project.expect("retry", "T-1")
    project.expect("run")
    assert project.landed() == ["T-1"]


@lost("Zero checks were read as all checks green.", "gastownhall/gascity-packs#235")
def test_a_tier_without_checks_starts_nothing__gascity_packs_235(tmp_path: Path) -> None:
    """A tier without gates refuses everything, before any worker costs anything."""
    project = Project(tmp_path, policy(gates=()))
    project.plan(job("T-1", write("a")))
    project.expect("run", code=1)
    assert project.state("T-1")[0] == "blocked"
    assert "execution.leased" not in project.kinds("T-1")


@lost("No test was collected, and that was read as success.", "gastownhall/gascity-packs#235")
@pytest.mark.parametrize("runner", ["unittest", "pytest"])
def test_zero_tests_are_no_green__gascity_packs_235(tmp_path: Path, runner: str) -> None:
    """A test run that executed no test has judged nothing: `not_run`, for a person to look at."""
    argv, counted = {
        "unittest": (("-m", "unittest", "discover", "-s", "empty"), "count = 'Ran (\\d+) tests?'"),
        "pytest": (
            ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml={scratch}/r.xml"),
            'junit = ["{scratch}/r.xml"]',
        ),
    }[runner]
    text = policy((PYTHON, *argv)).replace("[tiers.P0]", f"{counted}\n[tiers.P0]", 1)
    project = Project(tmp_path, text, {"base.txt": "base\n", "empty/.keep": ""})
    project.plan(job("T-1", write("a")))
    project.expect("run", code=1)
    assert project.landed() == []
    verdict = project.task("T-1")["executions"][-1]["verdicts"][-1]
    assert (verdict["gate"], verdict["status"]) == ("tests", "not_run")
    assert project.state("T-1")[0] == "blocked"


@lost("A gate that broke let everything through.", "sipyourdrink-ltd/bernstein#2968")
def test_a_gate_that_breaks_says_no__bernstein_2968(tmp_path: Path) -> None:
    """An exception in a gate's plugin is `not_run` by name: nothing lands, nobody is blamed."""
    text = policy(gates=("nonempty", "crashing"), more="[gates.crashing]")
    project = Project(tmp_path, policy())
    install(project, "crashing", CRASHING)
    project.adopt(text)
    project.plan(job("T-1", write("a")))
    project.expect("run", code=1)
    assert project.state("T-1") == ("blocked", "crashing:crashed")
    assert project.landed() == []


@lost(
    "A red target made every change look broken, or excused every change.",
    "gastownhall/gascity-packs#250",
)
def test_a_target_that_was_red_before_excuses_nobody__gascity_packs_250(tmp_path: Path) -> None:
    """The merged tree must be green, whoever broke it; once the target is mended, work lands."""
    project = Project(tmp_path, policy(("test", "!", "-e", "broken"), attempts=1))
    project.plan(job("T-1", write("a")))
    project.git("branch", "cto/main/integration")
    project.move_target({"broken": "x\n"})
    project.cto("run")
    assert "T-1" not in project.landed()
    assert not any(body.get("charged") for body in project.events("T-1"))
    project.move_target({"broken": None})
    project.expect("run")
    assert "T-1" in project.landed()
    assert project.task("T-1")["attempts"] == 1
