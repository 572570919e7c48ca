"""The made-up bench: real merges of made-up trees, and gates that are right unless a fault strikes.

A file whose text says ``bad`` is red wherever it is; two files that say the same ``with:…`` are red
together and green alone. What a tree is does not change; what a gate says of it may.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from threading import Event as Flag

from gitcto.contracts import MergeResult
from gitcto.git.change import Change
from gitcto.model.records import Execution, Landing, Task, Verdict
from gitcto.policy.gates import gate_definition, required_gates
from gitcto.policy.records import Policy
from gitcto.runtime.core.candidate import Candidate
from gitcto.runtime.core.failures import Failure
from gitcto.runtime.core.judged import Judged, Known, Only
from gitcto.runtime.core.messages import Work
from gitcto.runtime.core.world import Bench
from gitcto.testing.simulation.faults import Faults
from gitcto.testing.simulation.history import Files, History, digest

CHANGE_GATE, TREE_GATE = "scope", "tests"


def red_tests(files: Files) -> tuple[str, ...]:
    """Return the tests that are truly red on these files."""
    bad = [path for path, text in sorted(files.items()) if text.startswith("bad")]
    partners = Counter(text.split()[0] for text in files.values() if text.startswith("with:"))
    clashing = [f"pair {name}" for name, times in sorted(partners.items()) if times > 1]
    return (*bad, *clashing)


class MadeUpBench(Bench):
    """Judges as the seed says."""

    def __init__(self, history: History, policy: Policy, faults: Faults) -> None:
        self.policy = policy
        self._history = history
        self._faults = faults
        self._definitions = {name: gate_definition(policy, name) for name in policy.gates}

    def merge(self, execution: Execution, onto: str) -> MergeResult:
        """Merge an execution's work with a commit: a tree, or the conflicts."""
        if onto == execution.base:
            return MergeResult(tree=execution.tree)
        tree, conflicts = self._history.merge(execution.base, onto, execution.work)
        return MergeResult(
            tree=tree, conflicts=conflicts, detail="both changed it" * bool(conflicts)
        )

    def tree_of(self, commit: str) -> str:
        """Return the tree of a commit."""
        return self._history.commits[commit].tree

    def changes(self, old: str, new: str) -> tuple[Change, ...]:
        """Return what differs between two trees or commits, by path."""
        return self._history.changes(old, new)

    def change_id(self, old: str, new: str, changed: tuple[Change, ...]) -> str:
        """Return the id of a change, whatever it is on."""
        return change_of(self._history, new, changed)

    def changed_lines(self, old: str, new: str) -> int:
        """Return how many lines a change adds and removes."""
        return 10 * len(self._history.changes(old, new))

    def subjects_of(self, tip: str, since: str, paths: Sequence[str]) -> tuple[str, ...]:
        """Return the first lines of the newest commits of ``since..tip``."""
        del paths
        return tuple(commit.subject for _, commit in self._history.since(tip, since)[:5])

    def layer(self, candidate: Candidate) -> str:
        """Write a commit on which the next change can be merged."""
        return self._history.commit(candidate.tree, candidate.onto, "layer")

    def landing_commit(self, candidate: Candidate, evidence: str) -> str:
        """Write the commit that would land, and return it."""
        return self._history.commit(
            candidate.tree,
            candidate.onto,
            f"{candidate.task.spec.id} {evidence[:8]}",
            (candidate.execution.id, candidate.task.spec.id),
        )

    def judge_change(self, candidate: Candidate, known: Known) -> list[Judged]:
        """Ask the gates of the change's tier that judge changes."""
        if CHANGE_GATE not in required_gates(self.policy, candidate.task.spec.tier):
            return []
        key = digest(CHANGE_GATE, candidate.change, candidate.task.spec.id)
        if key in known:
            return [Judged(verdict=known[key], log=b"", reused=True)]
        empty = not candidate.changes
        verdict = self._verdict(CHANGE_GATE, candidate, candidate.tree, key)
        if empty:
            verdict |= {"status": "fail", "reason": "empty"}
        elif self._faults.strikes("gate_not_run"):
            verdict |= {"status": "not_run", "reason": "crashed", "key": ""}
        said = Verdict(**verdict, change=candidate.change)  # type: ignore[arg-type]
        return [Judged(verdict=said, log=b"", reused=False)]

    def judge_tree(
        self, candidates: Sequence[Candidate], known: Known, only: Only, stop: Flag
    ) -> list[Judged]:
        """Ask the gate that judges trees."""
        last = candidates[-1]
        tiers = (candidate.task.spec.tier for candidate in candidates)
        if not any(TREE_GATE in required_gates(self.policy, tier) for tier in tiers):
            return []
        if only and TREE_GATE not in only:
            return []
        named = only.get(TREE_GATE, ()) if only else ()
        key = digest(TREE_GATE, last.tree, *named)
        if key in known and not only:
            return [Judged(verdict=known[key], log=b"", reused=True)]
        verdict = self._verdict(TREE_GATE, last, last.tree, key)
        verdict |= self._run(self._history.files(last.tree), named, stop)
        return [Judged(verdict=Verdict(**verdict), log=b"", reused=False)]  # type: ignore[arg-type]

    def _run(self, files: Files, named: tuple[str, ...], stop: Flag) -> dict[str, object]:
        if stop.is_set():
            return {"status": "not_run", "reason": "cancelled", "key": ""}
        if self._faults.strikes("gate_not_run"):
            return {"status": "not_run", "reason": "deadline", "key": ""}
        red = tuple(test for test in red_tests(files) if not named or test in named)
        if not red and self._faults.strikes("flaky"):
            red = named[:1] or ("a flaky test",)
        if red:
            return {"status": "fail", "reason": "tests", "failed": red, "executed": 10, "key": ""}
        return {"executed": 10}

    def _verdict(self, gate: str, candidate: Candidate, tree: str, key: str) -> dict[str, object]:
        return {
            "gate": gate,
            "status": "pass",
            "reason": "ok",
            "tree": tree,
            "definition": self._definitions[gate],
            "key": key,
            "execution": candidate.execution.id,
        }

    def bundle(
        self, candidate: Candidate, judged: Sequence[Judged], tree: str = ""
    ) -> tuple[str, str]:
        """Write the evidence of a judgement; return its tree, or nothing and why there is none."""
        if self._faults.strikes("evidence_unwritten"):
            return "", "the disk is full"
        said = (f"{one.verdict.gate}={one.verdict.status}" for one in judged)
        return digest("evidence", candidate.execution.id, candidate.onto, tree, *said), ""

    def failure_bundle(
        self, task: Task, execution: Execution, failure: Failure, work: Work | None
    ) -> tuple[str, str]:
        """Write the evidence of an attempt that failed."""
        del task, work
        if self._faults.strikes("evidence_unwritten"):
            return "", "the disk is full"
        return digest("evidence", execution.id, failure.reason), ""

    def stale(self, execution: Execution, evidence: str, landing: Landing) -> str:
        """Return why a landing may not be intended on this evidence, or nothing."""
        commit = self._history.commits.get(landing.commit or landing.new)
        if commit is None or commit.execution != execution.id or landing.evidence != evidence:
            return "mismatch: the evidence is of another attempt"
        return ""


def change_of(history: History, new: str, changed: Iterable[Change]) -> str:
    """Return the id of a change, whatever it is on."""
    files = history.files(new)
    return digest("change", *(f"{one.path}={files.get(one.path)}" for one in changed))
