"""Every planted bug can be planted, and a sample is found; the command plants them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitcto.testing.planted import BUGS, DETECTORS, Bug, DoesNotApplyError, plant, try_bug

pytestmark = pytest.mark.timeout(600)

BY_NAME = {bug.name: bug for bug in BUGS}
SAMPLE = (
    "the fence is dropped",
    "a token is used again",
    "a lease is taken without proof that it is over",
    "a landing is given up without asking the target",
    "acknowledged before it is in the ledger",
    "the sidecar before the ref",
)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_bug_can_be_planted(name: str, tmp_path: Path) -> None:
    place = plant(BY_NAME[name], tmp_path)
    for file, _, new in BY_NAME[name].swaps:
        assert new in (place / "gitcto" / file).read_text()


def test_a_bug_that_no_longer_applies_is_told(tmp_path: Path) -> None:
    gone = Bug(name="gone", swaps=(("model/decide.py", "no such text", ""),))
    with pytest.raises(DoesNotApplyError, match=r"gone: model/decide\.py holds its text 0 times"):
        plant(gone, tmp_path)


def test_there_are_enough_of_them_and_each_is_unsafe_or_says_why_not() -> None:
    assert len(BY_NAME) == len(BUGS) >= 35
    assert all(bool(bug.harmless) != (bug.by in DETECTORS) for bug in BUGS)
    assert sum(not bug.harmless for bug in BUGS) >= 20


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_a_planted_bug_is_found(name: str, tmp_path: Path) -> None:
    bug = BY_NAME[name]
    trial = try_bug(bug, tmp_path, (bug.by,))
    assert trial.found_by == bug.by, trial


@pytest.mark.slow
def test_sources_without_a_bug_are_sound(tmp_path: Path) -> None:
    trial = try_bug(Bug(name="none", swaps=()), tmp_path, ("store",))
    assert trial.found_by == "", trial
