"""Nothing is done because somebody says so, and nothing is done before it is on the branch."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.acceptance.peers.elsewhere import lost
from tests.acceptance.peers.policies import policy
from tests.acceptance.project import TARGET, Job, Project, append, job, write

pytestmark = pytest.mark.slow

LIE = {"do": "lie", "text": "Done: everything is implemented, reviewed, and all tests pass."}


def run_until(project: Project, kind: str) -> None:
    """Run the team, and kill the orchestrator when an event of a kind is told."""
    with project.start("run", "--json") as running:
        assert running.stdout is not None
        for line in running.stdout:
            if json.loads(line).get("event", {}).get("body", {}).get("kind") == kind:
                break
        running.send_signal(signal.SIGKILL)


@lost(
    "An agent said that it was done, and nothing stood between that and done.",
    "elizaOS/eliza#16255",
    "gastownhall/gastown#360",
)
def test_a_claim_without_evidence_is_not_done__eliza_16255(tmp_path: Path) -> None:
    """What a worker says is recorded as its output and decides nothing."""
    project = Project(tmp_path, policy())
    project.plan(job("T-1", LIE), job("T-2", write("a"), LIE))
    project.expect("run", code=1)
    assert project.state("T-1") == ("failed_terminal", "worker_empty")
    assert project.state("T-2")[0] == "done"
    assert project.landed() == ["T-2"]
    project.expect("evidence", "verify", "T-1", code=1)
    project.expect("evidence", "verify", "T-2")


@lost(
    "Agents wrote the evidence of their own work: reports, test results and approvals as files.",
    "ZaxbyHub/opencode-swarm#956",
    "Jamie-BitFlight/claude_skills#3314",
)
def test_evidence_written_by_the_agent_is_never_read__opencode_swarm_956(tmp_path: Path) -> None:
    """What a worker writes is the thing that is judged; the report is made by who started it."""
    forged = json.dumps({"status": "pass", "blockers": [], "verdicts": [], "forged": True})
    names = ("report.json", "manifest.json", "test.log", ".cto/evidence/report.json", "junit.xml")
    xml = '<testsuite tests="9" failures="0"><testcase name="forged" classname="c"/></testsuite>'
    steps = [write(each, xml if each.endswith("xml") else forged) for each in names]
    project = Project(tmp_path, policy(("test", "!", "-e", "broken"), attempts=1))
    project.plan(job("T-1", *steps, write("broken"), LIE))
    project.expect("run", code=1)
    assert project.landed() == []
    evidence = project.task("T-1")["executions"][-1]["evidence"]
    held = project.git("ls-tree", "-r", "--name-only", evidence).splitlines()
    report = json.loads(project.git("cat-file", "blob", f"{evidence}:report.json"))
    assert report["status"] == "fail"
    assert "forged" not in report
    assert not any(name.startswith(".cto") for name in held)
    assert "forged" not in project.git("cat-file", "blob", f"{evidence}:manifest.json")


@lost("A file that an agent made up stood in for a test's result.", "ZaxbyHub/opencode-swarm#956")
def test_a_report_that_the_agent_made_up_is_no_report__opencode_swarm_956(tmp_path: Path) -> None:
    """Where the tests' report is expected, only what this very run has written is read."""
    xml = '<testsuite tests="1" failures="0"><testcase name="t" classname="c"/></testsuite>'
    reported = policy(("true",)).replace("[tiers.P0]", 'junit = ["junit.xml"]\n[tiers.P0]', 1)
    project = Project(tmp_path, reported)
    project.plan(job("T-1", write("junit.xml", xml)))
    project.expect("run", code=1)
    assert project.state("T-1") == ("blocked", "tests:no_report")
    assert project.landed() == []


@lost(
    "The task was saved as DONE, then the merge was to follow; a crash between left it stranded.",
    "bmad-code-org/bmad-loop#299",
)
@pytest.mark.parametrize("kind", ["gate.judged", "landing.intended", "landing.done"])
def test_killed_around_the_merge_it_is_done_exactly_when_merged__bmad_loop_299(
    tmp_path: Path, kind: str
) -> None:
    """The branch moves first and done is derived from it; a killed run is caught up on."""
    project = Project(tmp_path, policy())
    project.plan(job("T-1", write("a")))
    run_until(project, kind)
    state, _ = project.state("T-1")
    assert state != "done" or project.landed() == ["T-1"]
    project.expect("run")
    assert project.landed() == ["T-1"]
    task = project.task("T-1")
    assert (task["state"], task["attempts"]) == ("done", 1)
    assert project.kinds("T-1").count("landing.done") == 1


@lost(
    "Work that was merged before a crash was done again, for the fourth time.",
    "gastownhall/gastown#4698",
    "painted-porch/marcus#343",
)
def test_what_was_merged_before_a_crash_is_not_done_again__gastown_4698(tmp_path: Path) -> None:
    """After a kill the next run asks the branch; nobody is dispatched for what is there."""
    project = Project(tmp_path, policy())
    project.plan(job("T-1", append("base.txt", "once\n")))
    run_until(project, "landing.intended")
    intents = [body for body in project.events("T-1") if body["kind"] == "landing.intended"]
    landing = intents[-1]["landing"]
    if project.tip() == landing["old"]:  # killed a moment too early: do what it was about to do
        project.git("update-ref", f"refs/heads/{TARGET}", landing["new"], landing["old"])
    project.expect("run")
    assert project.kinds("T-1").count("execution.leased") == 1
    assert project.show("base.txt") == "base\nonce"
    assert project.landed() == ["T-1"]


@lost(
    "Two tasks shared one commit: one was reported done with its sibling's, and its own work was "
    "absent.",
    "sipyourdrink-ltd/bernstein#4562",
)
def test_done_with_a_siblings_commit_is_impossible__bernstein_4562(tmp_path: Path) -> None:
    """Each task has one commit of its own with its own change, also when several land together."""
    names = [f"T-{number}" for number in range(1, 7)]
    project = Project(tmp_path, policy(workers=6))
    project.plan(*(job(name, write(f"{name}.txt", f"{name}\n")) for name in names))
    project.expect("run")
    commits = {name: project.task(name)["commit"] for name in names}
    assert len(set(commits.values())) == len(names)
    for name, commit in commits.items():
        changed = project.git("diff-tree", "--no-commit-id", "--name-only", "-r", commit)
        assert changed == f"{name}.txt"
        trailer = project.git("log", "-1", "--format=%(trailers:key=Cto-Task,valueonly)", commit)
        assert trailer == name
        project.git("merge-base", "--is-ancestor", commit, TARGET)
        project.expect("evidence", "verify", name)


@lost(
    "A worker that could not even be started was reported as completed.",
    "greeves89/AI-Employee#628",
)
def test_a_worker_that_never_started_completed_nothing__ai_employee_628(tmp_path: Path) -> None:
    """Not started is a failure of its own, which costs the task no attempt."""
    missing = 'plugin = "command"\nargv = ["no-such-agent"]'
    project = Project(tmp_path, policy().replace('plugin = "fake"', missing))
    project.plan(job("T-1", write("a")))
    project.expect("run", code=1)
    assert project.state("T-1") == ("blocked", "provider_unavailable")
    assert project.landed() == []
    project.adopt(policy())
    project.expect("retry", "T-1")
    project.expect("run")
    assert project.landed() == ["T-1"]


@lost(
    "A salvaged merge reached main, and nothing recorded how.",
    "sipyourdrink-ltd/bernstein#5271",
)
def test_every_commit_on_the_branch_has_its_entry__bernstein_5271(tmp_path: Path) -> None:
    """Each commit that a team puts on its branch is cited by one landing with its evidence."""
    project = Project(tmp_path, policy(("test", "!", "-e", "bad")))
    project.plan(
        job("T-1", write("a")),
        Job(id="T-2", attempts=([write("bad")], [write("good")])),
        job("T-3", append("base.txt", "3\n")),
        job("T-4", append("base.txt", "4\n")),
    )
    run_until(project, "landing.intended")
    project.expect("run")
    on_branch = project.git("log", "--format=%H", f"main..{TARGET}").splitlines()
    landings = [body for body in project.events() if body["kind"] == "landing.done"]
    assert sorted(on_branch) == sorted(body["commit"] for body in landings)
    assert all(body["evidence"] for body in landings)
