"""What persons record about providers: admitted, admitted anew, revoked, staged, compared."""

from __future__ import annotations

from msgspec.structs import replace

from gitcto.model.provider_commands import (
    AdmitProvider,
    RecordComparison,
    RevokeAdmission,
    StageProvider,
)
from gitcto.model.provider_records import Admission, Compared
from gitcto.model.records import Team
from tests.model.test_decide import Bench

FIRST = Admission(
    id="A1",
    provider="codex",
    plugin="codex",
    digest="a" * 64,
    version="1.0",
    licence="Apache-2.0",
    source="npm:codex@1.0",
    command="npm install codex@1.0",
    retrieved="2026-11-29",
    files=("/opt/codex",),
)


def team(bench: Bench) -> Team:
    assert bench.state.team is not None
    return bench.state.team


def test_an_update_keeps_the_previous_and_the_new_id() -> None:
    bench = Bench()
    bench.ok(AdmitProvider(admission=FIRST))
    bench.ok(AdmitProvider(admission=replace(FIRST, id="A2", digest="b" * 64, version="1.1")))
    now = team(bench).admissions["codex"]
    assert (now.id, now.previous, now.digest) == ("A2", "A1", "b" * 64)
    events = bench.ok(AdmitProvider(admission=replace(FIRST, id="A3")))
    assert events[0].body.admission.previous == "A2"


def test_admitting_the_same_again_changes_nothing() -> None:
    bench = Bench()
    bench.ok(AdmitProvider(admission=FIRST))
    assert bench.ok(AdmitProvider(admission=replace(FIRST, id="A9"))) == []
    assert team(bench).admissions["codex"].id == "A1"


def test_a_revoked_admission_stays_on_record_until_another_is_made() -> None:
    bench = Bench()
    assert bench.refused(RevokeAdmission(provider="codex", reason="x")) == "not_admitted"
    bench.ok(AdmitProvider(admission=FIRST))
    bench.ok(RevokeAdmission(provider="codex", reason="leaked"))
    assert team(bench).admissions["codex"].revoked == "leaked"
    assert bench.ok(RevokeAdmission(provider="codex", reason="again")) == []
    bench.ok(AdmitProvider(admission=replace(FIRST, id="A2")))
    now = team(bench).admissions["codex"]
    assert (now.id, now.previous, now.revoked) == ("A2", "A1", "")


def stage(to: str, former: str, recorded: str, plugin: str = "case") -> StageProvider:
    return StageProvider(
        provider="case",
        plugin=plugin,
        stage=to,
        former=former,
        recorded=recorded,
        evidence=("x1",),
        why="seen",
    )


def test_a_stage_is_recorded_only_from_the_one_that_the_caller_saw() -> None:
    bench = Bench()
    bench.ok(stage("fixture", "gated", ""))
    assert bench.refused(stage("copy", "fixture", "")) == "stage_moved"
    bench.ok(stage("copy", "fixture", "fixture"))
    assert bench.ok(stage("copy", "copy", "copy")) == []
    now = team(bench).stages["case"]
    assert (now.stage, now.plugin, now.evidence, now.why) == ("copy", "case", ("x1",), "seen")


def test_another_plugin_under_the_same_name_has_no_stage() -> None:
    bench = Bench()
    bench.ok(stage("fixture", "gated", ""))
    assert bench.refused(stage("copy", "fixture", "fixture", plugin="evil")) == "stage_moved"


def test_the_last_comparison_of_a_provider_is_kept() -> None:
    bench = Bench()
    for number in (1, 2):
        one = Compared(provider="case", plugin="case", tasks=2, landed=number, attempts=3)
        record = RecordComparison(
            provider="case", comparison=f"C{number}", plan="p", results=(one,)
        )
        bench.ok(record)
    kept = team(bench).comparisons["case"]
    assert (kept.id, kept.results[0].landed) == ("C2", 2)
