"""Gates of plugins that do what they should not: nothing of it is green, and nothing goes on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitcto.errors import CtoError
from gitcto.plugins import Plugins
from gitcto.runtime.proving import gate_runs
from gitcto.testing import Faulty
from gitcto.testing.site import PluginSite

HOOKS = """
from gitcto.api import Gate, hookimpl

@hookimpl
def gitcto_register_gates(register):
    for name in ("Hangs", "Artifacts", "ManyFailed", "Lies", "Sees", "Raises"):
        register.add(Gate(name=name.lower(), summary="A gate.", needs_checkout=True,
                          deadline_s=1.0, target=f"odd_gates:{name}"))
"""

ODD = """
import threading
from gitcto.api import GateResult

released = threading.Event()
said = []

class Hangs:
    def judge(self, context):
        released.wait(60)
        said.append(context.run(["touch", "late"], 60.0).cause)
        return GateResult(status="pass", reason="late")

class Artifacts:
    def judge(self, context):
        name = context.settings["name"]
        return GateResult(status="pass", reason="ok", artifacts={name: b"x"})

class ManyFailed:
    def judge(self, context):
        failed = tuple(f"t{n}" for n in range(context.settings["count"]))
        return GateResult(status="fail", reason="red", executed=len(failed), failed=failed)

class Lies:
    def judge(self, context):
        return {"status": "pass"}

class Raises:
    def judge(self, context):
        raise SystemExit(0)

class Sees:
    def judge(self, context):
        (context.scratch / "mine").touch()
        seen = [context.change, str(len(context.patch())), *sorted(context.quarantined)]
        return GateResult(status="pass", reason="ok", detail=" ".join(seen))
"""


@pytest.fixture
def odd(gates: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    folder = tmp_path / "site-packages"
    site = PluginSite(folder)
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    site.add("odd", odd=HOOKS).module("odd_gates", ODD)
    made = gates.team.request
    plugins = Plugins.load([str(folder), *sys.path])
    gates.team.request = lambda: replace(made(), plugins=plugins)
    yield gates
    site.forget()


@pytest.mark.slow
def test_a_plugin_that_hangs_is_left_and_starts_nothing_more(
    odd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_runs, "GRACE_S", 0.1)
    odd.gate("a", plugin="hangs")
    (one,) = odd.judge().values()
    assert (one.verdict.status, one.verdict.reason) == ("not_run", "deadline")
    import odd_gates  # type: ignore[import-not-found]

    odd_gates.released.set()
    while not odd_gates.said:
        odd_gates.released.wait(0.01)
    assert odd_gates.said == ["stopped"]


@pytest.mark.parametrize("plugin", ["lies", "raises"])
def test_a_plugin_that_answers_wrongly_is_not_run(odd: Any, plugin: str) -> None:
    odd.gate("a", plugin=plugin)
    assert odd.status(odd.judge()) == {"a": ("not_run", "crashed")}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("report.xml", "ok"),
        ("../x", "bad_artifact"),
        (".hidden", "bad_artifact"),
        ("a/b", "bad_artifact"),
    ],
)
def test_artifacts_have_names_and_no_paths(odd: Any, name: str, reason: str) -> None:
    odd.gate("a", plugin="artifacts", more=f'name = "{name}"')
    (one,) = odd.judge().values()
    assert one.verdict.reason == reason
    assert dict(one.artifacts) == ({name: b"x"} if reason == "ok" else {})


@pytest.mark.parametrize(("count", "named"), [(200, 200), (201, 0)])
def test_all_failed_tests_are_named_or_none(odd: Any, count: int, named: int) -> None:
    """Were some left out, running the others again could make a red tree green."""
    odd.gate("a", plugin="manyfailed", more=f"count = {count}")
    (one,) = odd.judge().values()
    assert (len(one.verdict.failed), one.verdict.executed) == (named, count)
    assert ("201 tests failed" in one.verdict.detail) is (named == 0)


def test_a_verdict_whose_log_is_lost_is_none(gates: Any) -> None:
    gates.gate("a", "echo", "all is well")
    context, full = gates.context(), CtoError("the disk is full", "free some space")
    gates._made = replace(context, objects=Faulty(context.objects, on="write_blob", error=full))
    (one,) = gates.judge(gates.candidate(new="x\n")).values()
    assert (one.verdict.status, one.verdict.reason) == ("not_run", "no_log")


def test_a_place_that_cannot_be_made_is_nobodys_fault(gates: Any) -> None:
    gates.gate("a", "true")
    candidate = gates.candidate(new="x\n")
    gates.gates_dir.parent.mkdir(parents=True)
    gates.gates_dir.write_text("in the way")
    (one,) = gates.judge(candidate).values()
    assert (one.verdict.status, one.verdict.reason) == ("not_run", "no_place")


def test_what_a_gate_is_told(odd: Any) -> None:
    odd.gate("a", plugin="sees")
    odd.policy += '[quarantine."t"]\nowner = "ada"\nexpires = "9999-01-01"\n'
    odd.policy += '[quarantine."u"]\nowner = "ada"\nexpires = "2020-01-01"\n'
    candidate = odd.candidate(new="x\n")
    (one,) = odd.judge(candidate).values()
    change, size, *quarantined = one.verdict.detail.split()
    assert (change, quarantined) == (candidate.change, ["t"])
    assert int(size) > 50
