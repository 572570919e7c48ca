"""Every benchmark runs, on sizes too small to mean anything."""

import pytest

from bench.__main__ import benchmarks, main
from bench.histories import FAILED, LIVE, READY, TEAM, lines, write_history
from bench.measure import Effort, Row
from bench.repositories import scratch
from gitcto.effects import SystemEffects
from gitcto.store.ledger import Ledger

TINY = Effort(rounds=1, share=0.001)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", sorted(benchmarks()))
def test_it_measures_something(name: str) -> None:
    rows: list[Row] = benchmarks()[name].measure(TINY)
    if name == "agents" and not rows:
        pytest.skip("no agent CLI is installed")
    assert rows
    assert all(row.value >= 0 for row in rows)
    assert len({row.what for row in rows}) == len(rows)


def test_a_quick_run_prints_its_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "startup"]) == 0
    assert "| git cto status" in capsys.readouterr().out


@pytest.mark.parametrize(("events", "per_commit"), [(300, 1), (1000, 7)])
def test_a_made_up_history_is_a_sound_ledger(events: int, per_commit: int) -> None:
    with scratch() as place:
        write_history(place, events, per_commit)
        place.git("fsck", "--strict")
        with Ledger(place.repository(), TEAM, SystemEffects(), "ada@example.com") as ledger:
            assert ledger.verify_chain() == []
            look = ledger.summary(rows_each=50)
            stored = [event.line for event in ledger.events()]
    assert look.cursor.seq == events
    assert look.cursor.commits == -(-events // per_commit)
    assert [len(look.live), len(look.ended), len(look.ready)] == [LIVE, FAILED, READY]
    assert stored == list(lines(events))
    assert look.team is not None
    assert look.team.counts["done"] > 0
