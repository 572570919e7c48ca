from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import POLICY

if TYPE_CHECKING:
    from tests.cli.conftest import Crew, Room


@pytest.fixture
def settled(crew: Crew) -> Room:
    """A repository with a valid policy."""
    return crew


def test_a_valid_policy_is_said_to_be(settled: Room) -> None:
    done = settled.cto("policy", "validate")
    assert done.out.startswith("policy.toml is valid (gates P0: 1, P1: 1, P2: 1; digest ")
    assert done.err == ""


def test_every_problem_is_shown_with_its_line(settled: Room) -> None:
    policy = (settled.path / "policy.toml").read_text()
    settled.write("policy.toml", policy.replace('plugin = "nonempty"', "plugn = 1") + "x = 1\n")
    done = settled.cto("policy", "validate", expect=4)
    lines = done.err.splitlines()
    assert lines[0].startswith("error: policy.toml:")
    assert [line for line in lines if "plugn" in line and "did you mean" in line]
    assert lines[-1].startswith("hint: ")
    assert len(lines) == 3
    assert done.out == ""


def test_no_policy_says_how_to_make_one(repo: Room) -> None:
    done = repo.cto("policy", "show", expect=4)
    assert "there is no policy file" in done.error
    assert "git cto init" in done.err


def test_a_required_plugin_that_is_missing_is_five(settled: Room) -> None:
    policy = (settled.path / "policy.toml").read_text()
    settled.write("policy.toml", policy + '[plugins]\nrequired = { absent = ">=1" }\n')
    assert "'absent' is not installed" in settled.cto("policy", "validate", expect=5).error


def test_show_for_people_and_programs(settled: Room) -> None:
    shown = settled.cto("policy", "show").out
    assert "tier     P1: nonempty\n" in shown
    assert "gate     nonempty: plugin nonempty" in shown
    told = json.loads(settled.cto("policy", "show", "--json").out)
    assert told["policy"]["tiers"]["P0"] == ["nonempty"]


def test_a_quarantine_that_is_over_is_told(settled: Room) -> None:
    policy = (settled.path / "policy.toml").read_text()
    over = '[quarantine."old::test"]\nowner = "ada@example.com"\nexpires = "2020-02-29"\n'
    holds = '[quarantine."new::test"]\nowner = "ada@example.com"\nexpires = "9999-12-31"\n'
    settled.write("policy.toml", policy + over + holds)
    done = settled.cto("policy", "validate")
    assert "the quarantine of old::test ended with 2020-02-29" in done.err
    assert "ada@example.com was to mend it" in done.err
    assert "new::test" not in done.err
    told = json.loads(settled.cto("policy", "validate", "--json").out)
    assert told["expired_quarantine"] == ["old::test"]
    told = json.loads(settled.cto("policy", "show", "--json").out)
    assert [one["test"] for one in told["policy"]["quarantine"]] == ["old::test", "new::test"]
    shown = settled.cto("policy", "show").out
    assert 'ignored  "new::test" until 9999-12-31: ada@example.com mends it\n' in shown


def test_the_policy_is_found_from_below(settled: Room) -> None:
    settled.write("deep/er/file", "")
    assert "valid" in settled.cto("-C", "deep/er", "policy", "validate").out


STRATEGY = 'strategy = "codex_writes_gemini_reviews"\n'


def test_a_strategy_that_does_not_exist_is_an_error_with_the_nearest_name(repo: Room) -> None:
    text = POLICY.replace('provider = "fake"\n', 'provider = "fake"\nstrategy = "single_woker"\n')
    repo.write("policy.toml", text)
    told = repo.cto("policy", "validate", expect=4).error
    assert told.startswith("policy.toml: [roles.developer] there is no strategy 'single_woker'")
    assert "did you mean 'single_worker'?" in told


JUDGE = """
[providers.judge]
plugin = "fake"
[strategies.codex_writes_gemini_reviews.providers]
reviewer = "judge"
"""


def test_a_provider_that_would_judge_itself_is_an_error(repo: Room) -> None:
    text = POLICY.replace('provider = "fake"\n', f'provider = "fake"\n{STRATEGY}')
    repo.write("policy.toml", text)
    told = repo.cto("policy", "validate", expect=4).error
    assert "'fake' alone is 'reviewer' of codex_writes_gemini_reviews, and wrote it" in told


BOTH = """
[providers.other]
plugin = "fake"
[strategies.parallel_dual_write_review.providers]
writer = {writer}
second_writer = "other"
"""


def test_nobody_is_left_to_choose_between_what_both_wrote(repo: Room) -> None:
    role = 'providers = ["fake", "other"]\nstrategy = "parallel_dual_write_review"\n'
    text = POLICY.replace('provider = "fake"\n', role)
    repo.write("policy.toml", text + BOTH.format(writer='"fake"'))
    told = repo.cto("policy", "validate", expect=4).error
    assert "'fake' and 'other' alone are 'adjudicator' of parallel_dual_write_review" in told
    repo.write("policy.toml", text + BOTH.format(writer='["fake", "other"]'))
    assert (
        "'adjudicator' of parallel_dual_write_review, and would"
        in repo.cto("policy", "validate").err
    )


def test_a_judge_that_cannot_be_held_to_its_part_is_a_warning(repo: Room) -> None:
    text = POLICY.replace('provider = "fake"\n', f'provider = "fake"\n{STRATEGY}')
    repo.write("policy.toml", text + JUDGE)
    told = repo.cto("policy", "validate")
    assert "provider 'judge' as 'reviewer' of codex_writes_gemini_reviews" in told.err
    assert json.loads(repo.cto("policy", "validate", "--json").out)["warnings"]


def test_a_role_that_nobody_fills_is_an_error(repo: Room) -> None:
    text = POLICY.replace('provider = "fake"\n', STRATEGY)
    repo.write("policy.toml", text)
    told = repo.cto("policy", "validate", expect=4).err
    assert "nobody fills 'writer' of codex_writes_gemini_reviews" in told


def test_a_binding_of_a_role_that_the_strategy_lacks_is_an_error(repo: Room) -> None:
    binding = '[strategies.single_worker.providers]\nreviewer = "fake"\n'
    repo.write("policy.toml", POLICY + binding)
    told = repo.cto("policy", "validate", expect=4).error
    assert "strategy 'single_worker' has no role 'reviewer'" in told


def test_strategies_are_listed_and_shown_with_who_fills_them(repo: Room) -> None:
    binding = '[strategies.codex_writes_gemini_reviews.providers]\nreviewer = "fake"\n'
    text = POLICY.replace('provider = "fake"\n', f'provider = "fake"\n{STRATEGY}') + binding
    repo.write("policy.toml", text)
    listed = repo.cto("strategy", "list")
    assert "codex_writes_gemini_reviews  developer  One agent writes" in listed.out
    shown = repo.cto("strategy", "show", "codex_writes_gemini_reviews").out
    assert "  1   write   writer    writes in main, reads task, findings:review\n" in shown
    assert "rejected: again from 1, 3 rounds at most" in shown
    assert "reviewer  fake       usual" in shown
    plain = json.loads(repo.cto("strategy", "show", "plan_then_write", "--json").out)["strategy"]
    assert (plain["used_by"], plain["most_steps"]) == ([], 9)
    assert "there is no strategy 'x'" in repo.cto("strategy", "show", "x", expect=2).error
