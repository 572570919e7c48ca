"""Admitting the program behind a provider, and what becomes of one that is another one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.provider.conftest import ENGINE, SAID, Shop

pytestmark = pytest.mark.timeout(120)


def engine(shop: Shop) -> dict[str, object]:
    shown = json.loads(shop.cto("provider", "show", "case", "--json").out)
    found: dict[str, object] = shown["provider"]
    return found


def test_an_engine_that_nobody_admitted_does_not_run(shop: Shop) -> None:
    shop.task("A")
    done = shop.cto("run", "--engine", "case", expect=1)
    assert shop.state("A")["state"] == "blocked"
    assert shop.state("A")["executions"] == []
    assert "its program is not admitted" in done.out
    [decision] = shop.why("A")
    assert decision["rule"] == "core.admission"
    assert "git cto provider admit case" in decision["inputs"]["escalation"]


def test_one_that_was_admitted_does_its_task(shop: Shop) -> None:
    shop.task("A")
    said = shop.cto("provider", "admit", "case", *SAID)
    assert "undo: `git cto provider revoke case`" in said.err
    shop.cto("run", "--engine", "case")
    assert shop.git("show", "cto/main/integration:A.txt") == "made by A"
    assert engine(shop)["admitted"] == "yes"
    [admitted] = shop.events("provider.admitted")
    record = admitted["admission"]
    assert record["source"] == "https://example.com/engine"
    assert record["version"] == "0.3"
    assert record["licence"] == "MIT"
    assert record["retrieved"] == "2026-11-29"
    assert record["command"] == "curl -O https://example.com/engine"
    assert record["digest"] == engine(shop)["digest"]
    assert str(shop.engine) in record["files"]


def test_a_changed_program_is_refused_until_it_is_admitted_again(shop: Shop) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    [first] = shop.events("provider.admitted")
    shop.engine.write_text(ENGINE + "# one line more\n")
    shop.task("A")
    done = shop.cto("run", "--engine", "case", expect=1)
    assert f"not the one that was admitted as {first['admission']['id']}" in done.out
    assert engine(shop)["admitted"] == "changed since"
    shop.cto("provider", "admit", "case", *SAID)
    second = shop.events("provider.admitted")[-1]["admission"]
    assert second["previous"] == first["admission"]["id"]
    assert second["digest"] != first["admission"]["digest"]
    shop.cto("retry", "A")
    shop.cto("run", "--engine", "case")
    assert shop.state("A")["state"] == "done"


def test_admitting_the_same_again_records_nothing(shop: Shop) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    again = shop.cto("provider", "admit", "case", *SAID)
    assert "nothing was recorded" in again.err
    assert len(shop.events("provider.admitted")) == 1


def test_a_revoked_program_starts_no_more(shop: Shop) -> None:
    shop.cto("provider", "admit", "case", *SAID)
    said = shop.cto("provider", "revoke", "case", "--reason", "it phones home")
    assert "git cto provider admit case" in said.err
    shop.task("A")
    shop.cto("run", "--engine", "case", expect=1)
    assert shop.state("A")["state"] == "blocked"
    assert engine(shop)["admitted"] == "revoked"


def test_what_is_admitted_to_read_does_not_edit(shop: Shop) -> None:
    shop.cto("provider", "admit", "case", *SAID, "--mode", "read")
    shop.task("A")
    done = shop.cto("run", "--engine", "case", expect=1)
    assert "it is admitted to read, and this step edits" in done.out


@pytest.mark.parametrize("boundary", ["fixture", "a.py", "*.py", "place"])
def test_a_repository_behind_the_boundary_is_never_seen(shop: Shop, boundary: str) -> None:
    never = f"{shop.path.parent}/**" if boundary == "place" else boundary
    shop.cto("provider", "admit", "case", *SAID, "--never", "secrets/**", "--never", never)
    shop.task("A")
    done = shop.cto("run", "--engine", "case", expect=1)
    assert f"its admission keeps it from this repository: {never}" in done.out
    assert shop.state("A")["executions"] == []


def test_a_boundary_that_is_elsewhere_is_none(shop: Shop) -> None:
    elsewhere = ("--never", "secrets/**", "--never", "critical", "--never", "/srv/prod/**")
    shop.cto("provider", "admit", "case", *SAID, *elsewhere)
    shop.task("A")
    shop.cto("run", "--engine", "case")
    assert shop.state("A")["state"] == "done"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "does not say its source"),
        (SAID[2:], "does not say its version"),
        ((*SAID, "--retrieved", "yesterday"), "--retrieved"),
    ],
)
def test_what_is_not_known_must_be_said(shop: Shop, words: tuple[str, ...], says: str) -> None:
    assert says in shop.cto("provider", "admit", "case", *words, expect=2).error
    assert shop.events("provider.admitted") == []


def test_a_worker_cannot_admit_anything(shop: Shop) -> None:
    shop.environ["CTO_EXECUTION"] = "e1"
    for words in (
        ("admit", "case", *SAID),
        ("revoke", "case"),
        ("stage", "promote", "case"),
        ("stage", "demote", "case", "gated"),
        ("stage", "compare", "case", "--fixture", "."),
    ):
        assert "of a worker or a gate" in shop.cto("provider", *words, expect=1).error


def test_there_is_no_such_provider(shop: Shop) -> None:
    for words in (("show", "caze"), ("admit", "caze"), ("stage", "promote", "caze")):
        assert "has no provider 'caze', did you mean `case`?" in (
            shop.cto("provider", *words, expect=2).error
        )


def test_the_list_says_how_all_of_them_stand(shop: Shop) -> None:
    lines = shop.cto("provider", "list").out.splitlines()
    rows = {line.split()[0]: line.split() for line in lines[1:]}
    assert rows["case"][1:3] == ["case", "-"]
    assert rows["case"][4:] == ["no", "gated"]
    assert rows["fake"][4:] == ["not", "needed", "-"]


def test_a_program_that_is_gone_cannot_be_admitted(shop: Shop) -> None:
    shop.engine.unlink()
    assert "is not here" in shop.cto("provider", "admit", "case", *SAID, expect=1).error


def test_a_program_that_changes_after_the_decision_is_not_started(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash is made again right before the start: the decision alone is not enough."""
    shop.cto("provider", "admit", "case", *SAID)
    shop.task("A")
    from gitcto.runtime.agents import backends

    looked = backends.look

    def and_then_it_changes(context: object, name: str) -> object:
        found = looked(context, name)  # type: ignore[arg-type]
        Path(shop.engine).write_text(ENGINE + f"# {name}\n")
        return found

    monkeypatch.setattr(backends, "look", and_then_it_changes)
    done = shop.cto("run", "--engine", "case", expect=1)
    assert "backend_changed" in done.out
    assert "A.txt" not in shop.git("ls-tree", "-r", "--name-only", "cto/main/integration")
