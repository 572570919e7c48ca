"""Stages are earned: by landed executions that are proved again, and by a recorded comparison."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gitcto.model.provider_commands import RecordComparison, StageProvider
from gitcto.model.provider_records import Compared
from tests.cli.conftest import Room
from tests.cli.provider.conftest import ENGINE, SAID, Shop

pytestmark = pytest.mark.timeout(240)


def stage(shop: Shop, *words: str) -> dict[str, object]:
    told: dict[str, object] = json.loads(
        shop.cto("provider", "stage", "show", "case", *words, "--json").out
    )
    return told


def at(shop: Shop, name: str) -> None:
    """Put the engine at a stage, as if it had come there."""
    shown = json.loads(shop.cto("provider", "show", "case", "--json").out)["provider"]
    staged = StageProvider(
        provider="case",
        plugin="case",
        stage=name,
        former="gated",
        recorded="" if shown["stage"] == "gated" else shown["stage"],
        digest=shown["digest"],
    )
    shop.record(staged)


def landed(shop: Shop, *names: str) -> list[str]:
    """Let the engine land tasks, and return the executions."""
    for name in names:
        shop.task(name)
    shop.cto("run", "--engine", "case")
    return [shop.state(name)["executions"][-1]["id"] for name in names]


def test_the_stages_are_shown_without_a_team(room: Room) -> None:
    shown = room.cto("provider", "stage", "show").out
    assert [line.split()[0] for line in shown.splitlines()[1:]] == [
        "gated",
        "fixture",
        "copy",
        "disposable",
        "owned",
        "candidate-default",
    ]


def test_without_an_admission_nothing_is_promoted(shop: Shop) -> None:
    said = shop.cto("provider", "stage", "promote", "case", expect=1)
    assert "its program is not admitted" in said.error
    assert shop.events("provider.staged") == []


def test_each_step_up_is_proved_by_what_landed(shop: Shop) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    shop.cto("provider", "stage", "promote", "case", "--reason", "it starts")
    assert stage(shop)["stage"] == "fixture"
    denied = shop.cto("provider", "stage", "promote", "case", expect=1)
    assert "0 of 2 executions of this program landed" in denied.error
    executions = landed(shop, "A", "B")
    promoted = shop.cto("provider", "stage", "promote", "case")
    assert "it works in fixture, copy now" in promoted.out or "fixture, copy" in promoted.out
    assert "demote case fixture" in promoted.err
    event = shop.events("provider.staged")[-1]
    assert (event["former"], event["stage"]) == ("fixture", "copy")
    assert sorted(event["evidence"]) == sorted(executions)
    denied = shop.cto("provider", "stage", "promote", "case", expect=1)
    assert "0 of 2 executions of this program landed in repositories of class copy" in denied.error


def test_another_repository_can_prove_it(shop: Shop, tmp_path: Path) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    shop.cto("provider", "stage", "promote", "case")
    landed(shop, "A", "B")
    elsewhere = replace(shop, path=tmp_path / "elsewhere")
    shop.git("clone", "-q", str(shop.path), str(elsewhere.path))
    elsewhere.adopt(kind="copy")
    elsewhere.cto("init")
    elsewhere.cto("provider", "admit", "case", *SAID)
    elsewhere.cto("provider", "stage", "promote", "case")
    assert "0 of 2" in elsewhere.cto("provider", "stage", "promote", "case", expect=1).error
    elsewhere.cto("provider", "stage", "promote", "case", "--from", str(shop.path))
    assert stage(elsewhere)["stage"] == "copy"


def test_what_another_program_landed_proves_nothing(shop: Shop) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    shop.cto("provider", "stage", "promote", "case")
    landed(shop, "A", "B")
    assert len(stage(shop)["landed"]) == 2  # type: ignore[arg-type]
    shop.engine.write_text(shop.engine.read_text() + "# another one\n")
    shop.cto("provider", "admit", "case", *SAID)
    assert stage(shop)["landed"] == []


def test_what_the_fake_landed_under_that_name_proves_nothing(shop: Shop) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    shop.cto("provider", "stage", "promote", "case")
    shop.adopt(role='provider = "fake"')
    shop.task("A")
    shop.task("B")
    shop.cto("run")
    assert stage(shop)["landed"] == []


def test_evidence_that_is_not_whole_proves_nothing(shop: Shop) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    shop.cto("provider", "stage", "promote", "case")
    landed(shop, "A", "B")
    shop.git("update-ref", "-d", "refs/heads/cto/main/integration")
    told = stage(shop)
    assert told["landed"] == []
    assert any("it cannot be proved" in line for line in told["missing"])  # type: ignore[attr-defined]


def test_a_failure_of_the_kind_that_forbids_it_keeps_it_down(shop: Shop) -> None:
    """The engine is cut off in its third run: a stream without an end is `worker_protocol`."""
    cuts = shop.path.parent / "cut"
    shop.engine.write_text(ENGINE.replace("printf", f"test -e {cuts} && exit 0\nprintf", 1))
    shop.cto("provider", "admit", "case", *SAID)
    shop.cto("provider", "stage", "promote", "case")
    landed(shop, "A", "B")
    cuts.touch()
    shop.task("C")
    shop.cto("run", "--engine", "case", expect=1)
    failed = [x["id"] for x in shop.state("C")["executions"]]
    assert failed
    said = shop.cto("provider", "stage", "promote", "case", expect=1).error
    assert f"execution {failed[0]} (worker_protocol) speaks against it" in said


def test_a_step_down_is_always_possible_and_holds_at_once(shop: Shop) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    at(shop, "owned")
    shop.adopt(kind="owned")
    landed(shop, "A")
    said = shop.cto("provider", "stage", "demote", "case", "fixture", "--reason", "it lied")
    assert "it has to earn owned again" in said.err
    shop.task("B")
    done = shop.cto("run", "--engine", "case", expect=1)
    assert "at stage fixture it may not work in a repository of class owned" in done.out
    assert shop.events("provider.staged")[-1]["why"] == "it lied"
    for wrong in ("owned", "candidate-default", "fixture", "nonsense"):
        denied = shop.cto("provider", "stage", "demote", "case", wrong, expect=2)
        assert "is no stage before fixture" in denied.error


def test_what_is_not_staged_has_no_stage(shop: Shop) -> None:
    said = shop.cto("provider", "stage", "show", "fake", expect=2)
    assert "plugin 'fake' is not staged" in said.error


def compared(shop: Shop, **changes: object) -> None:
    shown = json.loads(shop.cto("provider", "show", "case", "--json").out)["provider"]
    made = {
        "case": {"plugin": "case", "landed": 2, "digest": shown["digest"]},
        "fake": {"plugin": "fake", "landed": 2, "digest": ""},
        "codex": {"plugin": "codex", "landed": 1, "digest": "c"},
        "pi": {"plugin": "pi", "landed": 0, "digest": "p"},
    }
    for name, change in changes.items():
        if change is None:
            del made[name]
        else:
            made[name] |= change  # type: ignore[call-overload]
    results = tuple(
        Compared(**{"provider": name, "tasks": 2, "attempts": 2, **one})  # type: ignore[arg-type]
        for name, one in made.items()
    )
    shop.record(RecordComparison(provider="case", comparison="C1", plan="p", results=results))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (None, "no comparison is recorded"),
        ({"pi": None}, "has no run of pi"),
        ({"codex": {"attempts": 0}}, "has no run of codex"),
        ({"fake": {"tasks": 1}}, "has no run of fake"),
        ({"case": {"landed": 1}}, "landed 1 of 2 tasks"),
        ({"case": {"digest": "other"}}, "was of another program"),
        ({}, ""),
    ],
)
def test_the_default_is_earned_by_a_comparison(
    shop: Shop, changes: dict[str, object] | None, says: str
) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    at(shop, "owned")
    if changes is not None:
        compared(shop, **changes)
    missing = [line for line in stage(shop)["missing"] if "executions" not in line]  # type: ignore[attr-defined]
    assert bool(missing) == bool(says)
    assert all(says in line for line in missing)


def test_whoever_has_earned_it_does_what_a_role_leaves_open(shop: Shop) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    at(shop, "candidate-default")
    shop.adopt(kind="critical", role="")
    landed(shop, "A")
    assert shop.git("show", "cto/main/integration:A.txt") == "made by A"


def test_another_program_is_no_default_until_it_is_compared_itself(shop: Shop) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    at(shop, "candidate-default")
    assert stage(shop)["stage"] == "candidate-default"
    shop.engine.write_text(ENGINE + "# an update\n")
    shop.cto("provider", "admit", "case", *SAID)
    shown = stage(shop)
    assert (shown["stage"], shown["next"]) == ("owned", "candidate-default")
    shop.adopt(kind="critical")
    shop.task("A")
    done = shop.cto("run", "--engine", "case", expect=1)
    assert "at stage owned it may not work in a repository of class critical" in done.out


def test_a_comparison_runs_the_same_tasks_through_the_ordinary_runner(
    shop: Shop, tmp_path: Path
) -> None:
    fixture = replace(shop, path=tmp_path / "fixture")
    shop.git("init", "-q", "-b", "main", str(fixture.path))
    fixture.write("a.py", "x = 1\n")
    fixture.git("add", ".")
    fixture.git("commit", "-qm", "first")
    fixture.write(
        "policy.toml",
        'version = 1\n[roles.developer]\n[gates.nonempty]\n[sandbox]\nuse = ["none"]\n'
        '[tiers.P1]\ngates = ["nonempty"]\n',
    )
    step = json.dumps([[{"do": "write", "path": "t.txt", "text": "x\n"}]])
    task = f"id = \"T-1\"\ntitle = \"Do it\"\n[task.inputs]\nscript = '''{step}'''\n"
    fixture.write("plan.toml", f"[[task]]\n{task}")
    shop.cto("provider", "admit", "case", *SAID)
    told = shop.cto(
        "provider", "stage", "compare", "case", "--fixture", str(fixture.path), "--json"
    )
    results = {one["provider"]: one for one in json.loads(told.out)["results"]}
    assert (results["case"]["landed"], results["case"]["tasks"]) == (1, 1)
    assert (results["fake"]["landed"], results["fake"]["attempts"]) == (1, 1)
    assert results["codex"]["detail"] == "policy.toml has no provider of this plugin"
    [event] = shop.events("provider.compared")
    assert [one["provider"] for one in event["results"]] == ["case", "codex", "fake", "pi"]
    assert fixture.git("for-each-ref", "refs/cto") == ""
    assert list(shop.home.glob("git-cto-*")) == []
