"""Evidence of real runs: every attempt has some, and nothing lands by any other."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as changed

from gitcto.effects import SystemEffects
from gitcto.evidence.manifest import Refusal
from gitcto.git.objects import Objects
from gitcto.git.repository import discover
from gitcto.git.trees import changes
from gitcto.model.codec import Event
from gitcto.model.records import Execution
from gitcto.runtime.core.candidate import Candidate
from gitcto.runtime.core.judged import Judged
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.proving.evidence import check, write_bundle
from gitcto.runtime.proving.proof import prove
from gitcto.runtime.proving.proof_evidence import NOBODY, Signers, check_attempt, evidence_of
from gitcto.runtime.team.run import make_context, run_team
from gitcto.store import bundle
from tests.runtime.team.conftest import TeamRepo, write


def attempts(team: TeamRepo, task: str = "A") -> list[Execution]:
    with team.ledger() as ledger:
        return ledger.executions(task)


def report_of(team: TeamRepo, execution: Execution) -> dict[str, Any]:
    objects = Objects(discover(team.path, team.environ))
    return json.loads(bundle.read_file(objects, evidence_of(execution), "report.json"))


def refusals(team: TeamRepo, execution: Execution, signers: Signers = NOBODY) -> list[Refusal]:
    objects = Objects(discover(team.path, team.environ))
    with team.ledger() as ledger:
        task = ledger.view().task(execution.task)
        assert task is not None
        return check_attempt(
            ledger, task, execution, bundle.found(objects, evidence_of(execution)), signers
        )


def events_of(team: TeamRepo, execution: Execution) -> list[dict[str, Any]]:
    objects = Objects(discover(team.path, team.environ))
    raw = bundle.read_file(objects, evidence_of(execution), "events.normalized.jsonl")
    return [json.loads(line) for line in raw.splitlines()]


FAILURES = {
    "worker_tool": ([write("a.py", "x\n"), {"do": "exit", "code": 3}], ""),
    "limit_wall": ([write("a.py", "x\n"), {"do": "hang"}], "[limits]\nwall_s = 1\n"),
    "unsafe_name": ([{"do": "symlink", "path": ".gitmodules", "to": "/etc/passwd"}], ""),
    "not_started": ([], '[workspace.setup]\nargv = ["false"]\n'),
    "worker_empty": ([], ""),
}
"""Why an attempt fails, with what its worker does and what policy says more."""


@pytest.mark.parametrize("reason", FAILURES)
def test_every_attempt_that_fails_leaves_evidence_that_verifies(
    team: TeamRepo, reason: str
) -> None:
    steps, more = FAILURES[reason]
    team.policy_text += more
    team.plan(team.task("A", steps))
    team.run()
    first = attempts(team)[0]
    assert first.reason == reason
    report = report_of(team, first)
    assert report["status"] == "fail"
    assert reason in report["blockers"]
    assert refusals(team, first) == []
    kinds = [event["type"] for event in events_of(team, first)]
    assert kinds[0] == "execution.leased"
    if first.pid:
        assert kinds[-1] in {"execution.exited", "work.harvested"}
        assert report["exit"] == {"code": first.code, "cause": first.exit}
    if reason in {"worker_tool", "limit_wall"}:
        assert report["changes"] == [{"status": "A", "path": "a.py"}]
    assert team.landed() == []


def test_a_conflict_leaves_evidence(team: TeamRepo) -> None:
    team.plan(
        team.task("A", [write("base.txt", "from A\n")]),
        team.task("B", [write("base.txt", "from B\n")]),
    )
    team.run()
    loser = next(x for task in "AB" for x in attempts(team, task) if x.reason == "conflict")
    assert report_of(team, loser)["blockers"] == ["conflict"]
    assert refusals(team, loser) == []


def test_what_landed_is_proved_and_its_worker_is_heard(team: TeamRepo) -> None:
    team.plan(team.task("A", [write("a.py", "x\n"), {"do": "print", "text": "worked"}]))
    team.run()
    (attempt,) = attempts(team)
    with team.ledger() as ledger:
        task = ledger.view().task("A")
        assert task is not None
        assert [claim for claim in prove(ledger, task) if not claim.true] == []
    objects = Objects(discover(team.path, team.environ))
    assert bundle.read_file(objects, task.evidence, "raw/stdout.log") == b"worked\n"
    assert report_of(team, attempt)["nonce"] == attempt.nonce != ""
    assert team.git("fsck", "--strict", "--no-dangling") == ""


def test_opencode_swarm_956_evidence_that_a_worker_wrote_is_read_by_nobody(team: TeamRepo) -> None:
    forged = json.dumps({"v": 1, "status": "pass", "blockers": [], "gates": []})
    names = ("report.json", "manifest.json", "evidence/report.json", "test.log", "gates/tests.log")
    steps = [write(name, forged) for name in names]
    team.policy_text = team.policy_text.replace(
        '"test", "-f", "base.txt"', '"test", "!", "-f", "report.json"'
    )
    team.plan(team.task("A", [*steps, {"do": "commit"}, {"do": "lie"}]))
    team.run()
    assert team.landed() == []
    first = attempts(team)[0]
    report = report_of(team, first)
    assert report["status"] == "fail"
    assert any(blocker.startswith("tests:") for blocker in report["blockers"])
    assert (
        forged.encode()
        not in bundle.read(Objects(discover(team.path, team.environ)), evidence_of(first)).values()
    )


def context_of(team: TeamRepo) -> Any:
    request = team.request()
    return make_context(request, Layout(request.repository, request.team, request.rooms_root))


def test_a_landing_is_not_intended_on_stale_or_foreign_evidence(team: TeamRepo) -> None:
    team.plan(team.task("A", [write("a", "1\n")]), team.task("B", [write("b", "1\n")]))
    team.run()
    (x,), (other,) = attempts(team, "A"), attempts(team, "B")
    context, landing = context_of(team), x.landing
    assert landing is not None
    assert check(context, x, landing.evidence, landing) == ""

    def code(execution: Execution = x, **of_landing: str) -> str:
        asked = changed(landing, **of_landing)
        return check(context, execution, asked.evidence, asked).partition(":")[0]

    assert code(evidence=evidence_of(other)) == "task"
    assert code(tree="e" * 40) == "tree"
    assert code(change="e" * 64) == "change"
    assert code(commit=other.landing.commit, new=other.landing.commit) in {"commit_tree", "onto"}
    assert code(evidence="e" * 40) == "unreadable"
    assert code(evidence=team.git("rev-parse", "main^{tree}")) == "artifact_missing"
    assert code(changed(x, id="x9")) == "execution"
    assert code(changed(x, nonce="another")) == "nonce"
    assert code(changed(x, epoch=9)) == "epoch"
    assert code(changed(x, work="e" * 40)) == "work"
    assert code(changed(x, ended_ms=1 << 50)) == "stale_produced"
    assert code(changed(x, place=1 << 30)) == "stale_events"
    assert check(context, x, evidence_of(other), landing).startswith("evidence:")
    context.ledger.close()
    team.policy_text += "# another policy\n"
    assert check(context_of(team), x, landing.evidence, landing).startswith("policy:")
    team.policy_text = team.policy_text.replace("deadline_s = 20", "deadline_s = 21")
    said = check(replace(context, policy=replace(team.policy, digest=context.policy.digest)),
                 x, landing.evidence, landing)  # fmt: skip
    assert said.startswith("gate_definition:")


@pytest.fixture
def key(team: TeamRepo) -> Path:
    """A key that policy names, and a file of allowed signers beside it."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("there is no ssh-keygen")
    path = team.root / "key"
    make_key(path)
    team.policy_text += f'[evidence]\nsigning_key = "{path}"\n'
    allow(team.root / "allowed", path)
    return path


def make_key(path: Path) -> None:
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(argv, check=True)


def allow(file: Path, key: Path, options: str = "") -> None:
    public = key.with_suffix(".pub").read_text()
    file.write_text(f"ada@example.com {options} {public}")


def test_signed_evidence_verifies_for_those_who_trust_the_key(team: TeamRepo, key: Path) -> None:
    team.plan(team.task("A", [write("a", "1\n")]))
    team.run()
    assert team.landed() == ["A"]
    (x,) = attempts(team)
    allowed = team.root / "allowed"
    trusting = Signers(environ=team.environ, allowed=str(allowed))
    assert refusals(team, x, trusting) == []
    another = team.root / "other"
    make_key(another)
    for prepared in (
        lambda: allow(allowed, another),
        lambda: allow(allowed, key, 'namespaces="git"'),
        lambda: allow(allowed, key, 'valid-before="20000101"'),
        allowed.unlink,
    ):
        prepared()
        assert {one.code for one in refusals(team, x, trusting)} == {"signature"}
    assert {one.code for one in refusals(team, x)} == {"signature"}


def test_a_signature_that_is_taken_off_is_missed(team: TeamRepo, key: Path) -> None:
    team.plan(team.task("A", [write("a", "1\n")]))
    team.run()
    (x,) = attempts(team)
    objects = Objects(discover(team.path, team.environ))
    files = bundle.read(objects, evidence_of(x))
    bare = json.loads(files["statement.dsse.json"]) | {"signatures": []}
    files["statement.dsse.json"] = (
        json.dumps(bare, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    )
    del files["manifest.json"]
    tree = bundle.write(objects, files)
    with team.ledger() as ledger:
        task = ledger.view().task("A")
        assert task is not None
        refused = check_attempt(ledger, task, x, bundle.found(objects, tree), NOBODY)
    assert "unsigned" in {one.code for one in refused}


def test_without_its_key_nothing_lands_and_no_work_is_lost(team: TeamRepo) -> None:
    team.policy_text += f'[evidence]\nsigning_key = "{team.root}/gone"\n'
    team.plan(team.task("A", [write("a", "1\n")]))
    team.run()
    task = team.tasks()["A"]
    assert (task.state.value, task.reason) == ("blocked", "evidence")
    assert "there is no key" in task.detail
    assert team.landed() == []
    (x,) = attempts(team)
    assert team.show("a", x.preserved) == "1"
    assert report_of(team, x)["blockers"] == ["evidence", "unsigned"]
    assert "unsigned" in {one.code for one in refusals(team, x)}


def test_evidence_that_cannot_be_written_blocks_and_keeps_the_work(team: TeamRepo) -> None:
    def break_a_log(event: Event) -> None:
        team.told.on.clear()
        log = context_of(team).layout.records(event.body.execution) / "stdout.log"
        log.unlink()
        log.mkdir()

    team.plan(team.task("A", [write("a", "1\n")]))
    team.told.on["work.harvested"] = break_a_log
    team.run()
    task = team.tasks()["A"]
    assert (task.state.value, task.reason) == ("blocked", "evidence")
    assert "the evidence cannot be written: cannot read" in task.detail
    assert team.landed() == []
    (x,) = attempts(team)
    assert team.show("a", x.preserved) == "1"
    assert x.evidence == ""
    assert any("no evidence of its failure" in note for note in team.told.notes)
    team.run()
    assert team.landed() == []


class Thief(SystemEffects):
    """Takes an object away as soon as evidence is written, as a bad disk would."""

    def __init__(self, team: TeamRepo) -> None:
        self.team = team

    def crash_point(self, name: str) -> None:
        if name == "evidence.written":
            self.steal()

    def steal(self) -> None:
        listed = self.team.git("cat-file", "--batch-all-objects", "--batch-check")
        blobs = [line.split()[0] for line in listed.splitlines() if " blob " in line]
        for oid in blobs:
            if '"artifacts":[' in self.team.git("cat-file", "blob", oid):
                (self.team.path / ".git" / "objects" / oid[:2] / oid[2:]).unlink()


def test_nothing_lands_when_its_evidence_is_not_there_any_more(team: TeamRepo) -> None:
    team.plan(team.task("A", [write("a", "1\n")]))
    run_team(replace(team.request(), effects=Thief(team)), team.told, lambda: False)
    task = team.tasks()["A"]
    assert (task.state.value, task.reason) == ("blocked", "evidence")
    assert task.detail.startswith("unreadable: object ")
    assert team.landed() == []
    assert "landing.intended" not in team.told.kinds()
    (x,) = attempts(team)
    assert team.show("a", x.preserved) == "1"


def test_changes_that_were_judged_together_each_have_their_own_evidence(team: TeamRepo) -> None:
    team.plan(
        team.task("A", [write("a", "1\n")]), team.task("B", [write("b", "1\n")], depends_on=("A",))
    )
    team.run()
    (x,), (last,) = attempts(team, "A"), attempts(team, "B")
    context, task = context_of(team), team.tasks()["A"]
    assert x.landing is not None
    assert last.landing is not None
    candidate = Candidate(
        task=task,
        execution=x,
        onto=x.landing.old,
        tree=x.landing.tree,
        changes=changes(context.git, x.landing.old, x.landing.tree),
        change=x.landing.change,
    )
    together = [
        Judged(verdict=v if v.change else changed(v, tree=last.landing.tree), log=b"", reused=False)
        for v in x.verdicts
    ]
    evidence = write_bundle(context, candidate, together, tree=last.landing.tree)
    landing = changed(
        x.landing,
        evidence=evidence,
        tree=last.landing.tree,
        new=last.landing.new,
        commit=x.landing.commit,
    )
    assert check(context, x, evidence, landing) == ""
    assert check(context, x, evidence, changed(landing, tree=x.landing.tree)).startswith("tree:")
    own = changed(x.landing, tree=last.landing.tree)
    assert check(context, x, own.evidence, own).startswith("tree:")
    context.ledger.close()


def test_a_reused_verdict_brings_the_log_of_its_run_when_there_still_is_one(team: TeamRepo) -> None:
    team.plan(team.task("A", [write("a", "1\n")]))
    team.run()
    (x,) = attempts(team)
    context, landing = context_of(team), x.landing
    assert landing is not None
    candidate = Candidate(
        task=team.tasks()["A"],
        execution=x,
        onto=landing.old,
        tree=landing.tree,
        changes=changes(context.git, landing.old, landing.tree),
        change=landing.change,
    )
    log = context.objects.write_blob(b"said then\n")
    for oid, said in ((log, True), ("e" * 40, False)):
        reused = [Judged(verdict=changed(v, log=oid), log=b"", reused=True) for v in x.verdicts]
        tree = write_bundle(context, candidate, reused)
        paths = bundle.read(context.objects, tree)
        assert ("gates/tests.log" in paths) is said
        assert (b"said then\n" in paths["test.log"]) is said
    context.ledger.close()
