"""Gates on changes in real runs: each refuses what it is for, and lets the next attempt land."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from gitcto.model.events import ExecutionFailed
from gitcto.model.records import TaskState

TOKEN = "npm_" + "a1B2" * 9
"""What no scanner is to find in this file."""

REVIEWER = """
import json, pathlib, sys
request, patch, answer = map(pathlib.Path, sys.argv[1:4])
asked = json.loads(request.read_text())
bad = b"+bad" in patch.read_bytes()
assert pathlib.Path("base.txt").is_file(), "the reviewer can read around the change"
finding = {"path": "a", "line": 1, "severity": "blocker", "message": "It is bad."}
answer.write_text(json.dumps({
    "version": 1,
    "change": sys.argv[4] if len(sys.argv) > 4 else asked["change"],
    "verdict": "reject" if bad else "approve",
    "summary": "Looked at " + asked["task"]["id"],
    "findings": [finding] if bad else [],
}))
"""

SCANNER = """
import pathlib, sys
found = [path for path in pathlib.Path(sys.argv[1]).rglob("*") if path.is_file()
         and "hunter2" in path.read_text()]
print("hunter2")
sys.exit(9 if found else 0)
"""


def write(path: str, text: str) -> dict[str, object]:
    return {"do": "write", "path": path, "text": text}


def demand(team: Any, gate: str, settings: str) -> None:
    """Let tier P1 demand one more gate."""
    team.policy_text = team.policy_text.replace(
        '"nonempty", "paths", "tests"', f'"nonempty", "paths", "tests", "{gate}"'
    ).replace("[tiers.P1]", f"[gates.{gate}]\n{settings}\n[tiers.P1]")


def reviewed(team: Any, *more: str) -> None:
    """Have every change reviewed by a program that lies beside the repository."""
    program = team.root / "tools" / "reviewer.py"
    program.parent.mkdir()
    program.write_text(REVIEWER)
    argv = [sys.executable, str(program), "{request}", "{patch}", "{answer}", *more]
    demand(team, "review", f"argv = {json.dumps(argv)}")


def failures(team: Any) -> list[tuple[str, str]]:
    with team.ledger() as ledger:
        bodies = [stored.event.body for stored in ledger.events()]
    return [(body.reason, body.detail) for body in bodies if isinstance(body, ExecutionFailed)]


def test_a_rejected_change_does_not_land_and_a_better_one_does(team: Any) -> None:
    reviewed(team)
    team.plan(team.task("A", [write("a", "bad\n")], [write("a", "good\n")]))
    team.run()
    [(reason, detail)] = failures(team)
    assert reason == "review:rejected"
    assert "'a':1 It is bad." in detail
    assert team.landed() == ["A"]
    assert team.show("a") == "good"
    team.assert_clean()


def test_gascity_packs_235_an_approval_of_another_change_lands_nothing(team: Any) -> None:
    reviewed(team, "0" * 64)
    team.plan(team.task("A", [write("a", "good\n")]))
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason) == (TaskState.BLOCKED, "review:other_change")
    assert task.charged == 0, "it is not the change's fault"
    assert team.landed() == []


def test_a_reviewer_that_is_not_there_lands_nothing(team: Any) -> None:
    demand(team, "review", 'argv = ["no-such-reviewer", "{answer}"]')
    team.plan(team.task("A", [write("a", "good\n")]))
    team.run()
    task = team.tasks()["A"]
    assert (task.state, task.reason) == (TaskState.BLOCKED, "review:cannot_run")
    assert team.landed() == []


@pytest.mark.usefixtures("bwrap")
def test_a_reviewer_works_in_a_strict_sandbox(team: Any) -> None:
    reviewed(team)
    tools = json.dumps(str(team.root / "tools"))
    team.policy_text = team.policy_text.replace(
        'use = ["none"]', f'use = ["strict"]\nreads = [{tools}]'
    )
    team.plan(team.task("A", [write("a", "good\n")]))
    team.run()
    assert failures(team) == []
    assert team.landed() == ["A"]


CASES = {
    "diff-size": ("max_lines = 3", "1\n" * 4, "1\n" * 3, "too_many_lines"),
    "secrets": ("", f"key = {TOKEN}\n", "key = $KEY\n", "secret_found"),
    "license-header": (
        'files = ["a"]\nheader = "SPDX-License-Identifier: MIT"',
        "x\n",
        "# SPDX-License-Identifier: MIT\nx\n",
        "no_header",
    ),
}


@pytest.mark.parametrize("gate", CASES)
def test_a_gate_refuses_the_one_and_lands_the_other(team: Any, gate: str) -> None:
    settings, bad, good, code = CASES[gate]
    demand(team, gate, settings)
    team.plan(team.task("A", [write("a", bad)], [write("a", good)]))
    team.run()
    [(reason, detail)] = failures(team)
    assert reason == f"{gate}:{code}"
    assert TOKEN not in detail
    assert team.landed() == ["A"]
    assert team.show("a") == good.strip()
    team.assert_clean()


def test_another_s_scanner_refuses_and_lands_and_is_never_quoted(team: Any) -> None:
    argv = json.dumps([sys.executable, "-c", SCANNER, "{added}"])
    demand(team, "secrets", f"argv = {argv}\nfound_codes = [9]")
    team.plan(team.task("A", [write("a", "hunter2\n")], [write("a", "good\n")]))
    team.run()
    [(reason, detail)] = failures(team)
    assert reason == "secrets:secret_found"
    assert "hunter2" not in detail
    assert team.landed() == ["A"]
    with team.ledger() as ledger:
        told = {each.event.kind for each in ledger.events() if "hunter2" in str(each.event)}
    assert told == {"task.added"}, "only the script of the worker itself says it"
