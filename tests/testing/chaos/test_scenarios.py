"""Scenarios are data: what ships is readable and complete, what cannot be read is said plainly."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitcto.errors import CtoError, ExitCode
from gitcto.testing.chaos.faults import FAULTS, NEEDS_OWN_FILESYSTEM
from gitcto.testing.chaos.scenario import draw, find, load
from gitcto.testing.chaos.scratch import POLICY, policy_text

GOOD = """\
summary = "s"
[fault]
what = "kill-run"
[[task]]
id = "T"
"""


def test_every_fault_has_a_scenario_and_every_scenario_is_readable() -> None:
    scenarios = [load(path) for path in find(())]
    assert {each.trouble.what for each in scenarios} == set(FAULTS)
    for each in scenarios:
        assert each.summary.endswith(".")
        assert each.jobs
        needs = each.trouble.what in NEEDS_OWN_FILESYSTEM
        assert bool(each.filesystem_mib) == needs, each.name


def test_a_scenario_of_one_s_own_is_named_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert find([str(path), "worker-hang"])[0] == path
    assert load(path).name == "mine"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("kill-run", "explode"), "no fault is called 'explode'; there are "),
        (('id = "T"', 'name = "T"'), "[[task]] has 'name'; known are id, "),
        (("[fault]", "[trouble]"), "the file has 'trouble'; known are summary, "),
        (('summary = "s"', ""), "'summary' is missing"),
        (("[[task]]", "count = [3, 2]\n[[task]]"), "count must be a number above 0"),
        (("summary = ", "summary "), "Expected '=' after a key"),
    ],
)
def test_what_is_no_scenario_is_said_in_one_line(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(CtoError, match="is no scenario") as raised:
        load(path)
    assert said in raised.value.message
    assert raised.value.exit_code == ExitCode.USAGE


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(CtoError) as raised:
        find(["nothing"])
    assert "worker-crash" in raised.value.hint


def test_draws_follow_from_the_seed_and_cover_their_range() -> None:
    assert draw(1, "x", 3, 9) == draw(1, "x", 3, 9)
    assert {draw(seed, "x", 3, 9) for seed in range(200)} == set(range(3, 10))


def test_a_policy_snippet_changes_single_keys() -> None:
    text = policy_text(POLICY, {"concurrency": {"lease_s": 10}, "limits": {"idle_s": 3}})
    assert "[concurrency]\nmax_workers = 3\nlease_s = 10\n" in text
    assert "[limits]\nidle_s = 3\n" in text
