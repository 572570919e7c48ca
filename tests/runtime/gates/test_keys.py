"""What a result depends on: only the same question gets the same answer without being asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gitcto.effects import SystemEffects
from gitcto.model.records import Verdict
from gitcto.runtime.core.judged import remember

DAY_MS = 24 * 3600 * 1000


class Counted:
    """A gate that notes each of its runs, outside of everything that is compared."""

    def __init__(self, gates: Any) -> None:
        self.gates = gates
        self.runs = gates.team.root / "runs"
        self.runs.touch()
        self.known: dict[str, Verdict] = {}

    def add(self, name: str = "a", code: int = 0, more: str = "") -> None:
        script = f"echo x >> '{self.runs}'; exit {code}"
        self.gates.gate(name, "sh", "-c", script, more=more)

    def judge(self, candidate: Any, **facts: Any) -> Any:
        found = self.gates.judge(candidate, self.known, **facts)
        remember(self.known, [one.verdict for one in found.values()])
        return found

    @property
    def count(self) -> int:
        return len(self.runs.read_text().splitlines())


@pytest.fixture
def counted(gates: Any) -> Counted:
    return Counted(gates)


def test_a_green_result_is_reused_and_says_from_where(gates: Any, counted: Counted) -> None:
    counted.add()
    first = gates.candidate("01hzzzzzzzzzzzzzzzzzzzzfirst", new="x\n")
    again = gates.candidate("01hzzzzzzzzzzzzzzzzzzzzagain", new="x\n")
    one, two = counted.judge(first)["a"], counted.judge(again)["a"]
    assert (one.reused, two.reused, counted.count) == (False, True, 1)
    assert two.verdict == one.verdict
    assert two.verdict.execution == first.execution.id
    assert len(one.verdict.key) == 64


def test_another_tree_is_another_question(gates: Any, counted: Counted) -> None:
    counted.add()
    counted.judge(gates.candidate(new="x\n"))
    assert not counted.judge(gates.candidate(new="y\n"))["a"].reused
    assert counted.count == 2


@pytest.mark.parametrize("code", [1, 127])
def test_only_green_is_reused(gates: Any, counted: Counted, code: int) -> None:
    counted.add(code=code)
    same = gates.candidate(new="x\n")
    counted.judge(same)
    assert not counted.judge(same)["a"].reused
    assert (counted.known, counted.count) == ({}, 2)


def test_of_two_gates_alike_each_is_asked(gates: Any, counted: Counted) -> None:
    counted.add("a")
    counted.add("b")
    same = gates.candidate(new="x\n")
    assert len({one.verdict.key for one in counted.judge(same).values()}) == 2
    assert counted.count == 2


def edited_policy(gates: Any) -> None:
    gates.policy += "[limits]\nwall_s = 1234\n"


def edited_gate(gates: Any) -> None:
    gates.policy = gates.policy.replace("exit 0", "exit  0")


def other_value(gates: Any) -> None:
    gates.team.environ["DECLARED"] = "two"


def no_value(gates: Any) -> None:
    del gates.team.environ["DECLARED"]


def other_toolchain(gates: Any) -> None:
    (gates.team.root / "version").write_text("2\n")


def nothing(gates: Any) -> None:
    gates.team.environ["OTHER"] = "not declared"


@pytest.mark.parametrize(
    ("change", "reused"),
    [
        (nothing, True),
        (edited_policy, False),
        (edited_gate, False),
        (other_value, False),
        (no_value, False),
        (other_toolchain, False),
    ],
)
def test_what_changes_a_result_is_in_its_key(
    gates: Any, counted: Counted, change: Any, reused: bool
) -> None:
    (gates.team.root / "version").write_text("1\n")
    gates.team.environ["DECLARED"] = "one"
    toolchain = f'toolchain = ["cat", "{gates.team.root}/version"]\nenv = ["DECLARED"]'
    counted.add(more=toolchain)
    same = gates.candidate(new="x\n")
    counted.judge(same)
    change(gates)
    gates.again()
    assert counted.judge(same)["a"].reused is reused
    assert counted.count == (1 if reused else 2)


def test_tests_that_are_run_again_really_are(gates: Any, counted: Counted) -> None:
    """A flake is told by another run, and a run of some tests stands for no run of all."""
    counted.add()
    same = gates.candidate(new="x\n")
    whole = counted.judge(same)["a"].verdict
    some = counted.judge(same, only={"a": ("t",)})["a"]
    assert (some.reused, counted.count) == (False, 2)
    assert some.verdict.key != whole.key
    counted.known.clear()
    remember(counted.known, [some.verdict])
    assert not counted.judge(same)["a"].reused


def test_gates_that_are_not_asked_again_are_not(gates: Any, counted: Counted) -> None:
    counted.add("a")
    counted.add("b")
    found = counted.judge(gates.candidate(new="x\n"), only={"b": ()})
    assert (list(found), counted.count) == (["b"], 1)


# Toolchains


def test_a_toolchain_is_asked_once_a_run(gates: Any) -> None:
    asked = gates.team.root / "asked"
    toolchain = f'toolchain = ["sh", "-c", "echo x >> \'{asked}\'; echo tool 1"]'
    gates.gate("a", "true", more=toolchain)
    gates.gate("b", "true", more=toolchain)
    gates.judge(gates.candidate(new="x\n"))
    gates.judge(gates.candidate(new="y\n"))
    assert asked.read_text() == "x\n"
    gates.again()
    gates.judge(gates.candidate(new="z\n"))
    assert asked.read_text() == "x\nx\n"


@pytest.mark.parametrize("command", ["exit 3", "no-such-tool", "kill -9 $$"])
def test_without_its_toolchain_a_gate_is_not_run(
    gates: Any, counted: Counted, command: str
) -> None:
    counted.add(more=f'toolchain = ["sh", "-c", "{command}"]')
    (one,) = counted.judge(gates.candidate(new="x\n")).values()
    assert (one.verdict.status, one.verdict.reason) == ("not_run", "no_toolchain")
    assert (counted.count, one.verdict.key) == (0, "")


# Changes


def test_a_verdict_on_a_change_survives_a_clean_rebase(gates: Any) -> None:
    gates.gate("n", plugin="nonempty")
    first = gates.candidate(new="x\n")
    known: dict[str, Verdict] = {}
    remember(known, [gates.judge_change(first)["n"].verdict])
    (gates.team.path / "elsewhere").write_text("y\n")
    gates.team.git("add", ".")
    gates.team.git("-c", "user.name=u", "-c", "user.email=u@x", "commit", "-qm", "more")
    rebased = gates.candidate(new="x\n")
    assert rebased.tree != first.tree
    one = gates.judge_change(rebased, known)["n"]
    assert one.reused
    assert one.verdict.change == rebased.change
    other = gates.judge_change(gates.candidate(new="other\n"), known)["n"]
    assert not other.reused


def test_the_same_change_for_another_task_is_judged_anew(gates: Any) -> None:
    """A task's own paths say what it may change: they are part of the question."""
    gates.gate("p", plugin="paths")
    first = gates.candidate(new="x\n")
    known: dict[str, Verdict] = {}
    remember(known, [gates.judge_change(first)["p"].verdict])
    spec = replace_spec(first.task.spec, paths=("docs/**",))
    narrow = replace(first, task=type(first.task)(spec=spec, order=0))
    assert gates.status(gates.judge_change(narrow, known)) == {"p": ("fail", "out_of_scope")}


def replace_spec(spec: Any, **fields: Any) -> Any:
    from msgspec.structs import replace as replace_struct

    return replace_struct(spec, **fields)


# Quarantine


class At(SystemEffects):
    """The real world at another time."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms


WRITES_RED = """
with open("r.xml", "w") as file:
    file.write('<testsuite><testcase name="good"/><testcase name="flaky"><failure/></testcase>'
               '</testsuite>')
raise SystemExit(1)
"""

QUARANTINE = '[quarantine."flaky"]\nowner = "ada@example.com"\nexpires = "2027-01-31"\n'
LAST_DAY_MS = 1_801_353_600_000 + 3600 * 1000  # 2027-01-31 01:00 UTC


def test_an_expired_quarantine_counts_again_and_what_it_made_green_is_not_reused(
    gates: Any,
) -> None:
    gates.script("a", WRITES_RED, more='junit = "r.xml"')
    gates.policy += QUARANTINE
    same, known = gates.candidate(new="x\n"), {}
    gates._made = replace(gates.context(), effects=At(LAST_DAY_MS))
    one = gates.judge(same)["a"]
    assert (one.verdict.status, one.verdict.reason) == ("pass", "quarantined")
    assert one.verdict.detail.endswith("ignored, quarantined: flaky")
    remember(known, [one.verdict])
    assert gates.judge(same, known)["a"].reused
    gates._made = replace(gates.context(), effects=At(LAST_DAY_MS + DAY_MS))
    later = gates.judge(same, known)["a"]
    assert (later.verdict.status, later.verdict.failed) == ("fail", ("flaky",))
