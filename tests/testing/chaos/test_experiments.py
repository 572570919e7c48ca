"""The experiments behind ``docs/explanation/reliability.md``, small enough for every run."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitcto.testing.chaos import races, restart, resume

pytestmark = pytest.mark.timeout(200)  # whole runs of teams


def test_of_several_claimants_one_wins_and_the_others_hear_who(tmp_path: Path) -> None:
    found = races.measure(tmp_path / "races", claimants=4, races=5)
    assert found["one_winner"] == 5
    assert (found["losers"], found["losers_told_who"]) == (15, 15)
    assert found["violations"] == []


def test_what_a_worker_had_finished_when_everything_died_lands(tmp_path: Path) -> None:
    for moment, each in resume.measure(tmp_path, rounds=1)["moments"].items():
        assert (each["tasks"], each["reported"], each["on_branch"]) == (4, 4, 4), moment
        assert each["finished_landed"] == 1, moment
        assert each["wrong"] == 0, moment


def test_a_run_goes_on_with_a_longer_ledger(tmp_path: Path) -> None:
    found = restart.measure(tmp_path, events=600, rounds=2)
    assert found["events"] >= 600
    assert (found["kills"], found["goal_s"]) == (2, 2.0)
    assert 0 < found["median_s"] <= found["p95_s"] <= found["max_s"]
