"""Everything that can be wrong with a drafted plan is said, in one line each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitcto.policy.load import parse
from gitcto.runtime.team.draft_check import problems_of
from gitcto.strategies.drafting import (
    DraftRules,
    draft_prompt,
    draft_schema,
    draft_text,
    read_draft,
    read_text,
)

POLICY = parse(
    b"""version = 1
[roles.developer]
provider = "a"
[providers.a]
plugin = "fake"
[gates.paths]
plugin = "paths"
[tiers.P1]
gates = ["paths"]
""",
    "policy.toml",
)
RULES = DraftRules(roles=("developer",), protected=POLICY.protected_paths, most=50)

ONE = {
    "id": "one",
    "title": "Do one",
    "prompt": "Write src/one.py.",
    "depends_on": [],
    "role": "developer",
    "tier": "P1",
    "priority": "normal",
    "paths": ["src/one.py"],
}
TWO = {**ONE, "id": "two", "title": "Do two", "depends_on": ["one"], "paths": ["src/two.py"]}


def answer(*tasks: dict[str, Any], **changed: Any) -> str:
    return json.dumps({"version": 1, "summary": "Two steps.", "tasks": list(tasks), **changed})


BAD = {
    "no JSON": ("I would do one, then two.", "there is no JSON in the answer"),
    "cut off": (answer(ONE)[:-4], "the answer is not JSON"),
    "a task of another form": (answer({**ONE, "owner": "me"}), "task 1 has an unknown 'owner'"),
    "another version": (answer(ONE, version=2), "the version of the plan is not 1"),
    "no task": (answer(), "the plan has no tasks"),
    "a cycle": (answer({**ONE, "depends_on": ["two"]}, TWO), "wait for each other"),
    "an unknown role": (answer({**ONE, "role": "boss"}), "policy has no role 'boss'"),
    "no paths": (answer({**ONE, "paths": []}), "does not say which paths"),
    "the whole repository": (answer({**ONE, "paths": ["**"]}), "is the whole repository"),
    "the same in other words": (answer({**ONE, "paths": ["./**/*/**"]}), "the whole repository"),
    "half a character": (answer({**ONE, "title": "a \ud800"}), 'task 1: "title" is not a text'),
    "half a path": (answer({**ONE, "paths": ["\ud800"]}), 'task 1: "paths" is not a list of texts'),
    "a protected path": (answer({**ONE, "paths": ["Policy.toml"]}), "is protected by policy"),
    "a path outside": (answer({**ONE, "paths": ["../x"]}), "does not leave the repository"),
    "a tier without gates": (answer({**ONE, "tier": "P0"}), "no gates for tier P0"),
    "an unknown dependency": (answer({**ONE, "depends_on": ["zero"]}), "there is no task zero"),
    "twice the same id": (answer(ONE, ONE), "this id is"),
    "a bad id": (answer({**ONE, "id": "../up"}), "an id has 1 to 64"),
    "no prompt": (answer({**ONE, "prompt": " "}), "it has no prompt"),
    "too many": (answer(*({**ONE, "id": f"t{n}"} for n in range(51))), "policy allows 50"),
}


@pytest.mark.parametrize(("text", "says_why"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said(text: str, says_why: str) -> None:
    drafted = read_draft(text)
    assert draft_text(drafted).encode()
    found = problems_of(POLICY, drafted, set())
    assert any(says_why in problem for problem in found), found
    assert all(problem.isprintable() for problem in found)


def test_a_good_plan_has_no_problem_and_comes_back_as_it_was() -> None:
    drafted = read_draft(f"So:\n```json\n{answer(ONE, TWO)}\n```\n")
    assert problems_of(POLICY, drafted, set()) == ()
    assert read_text(draft_text(drafted)) == drafted
    chosen = read_draft(answer(ONE), "plan_then_write")
    assert read_text(draft_text(chosen)) == chosen
    assert read_draft(draft_text(chosen)).tasks == ()
    assert problems_of(POLICY, drafted, {"one"}) != ()
    assert set(ONE) == set(draft_schema()["properties"]["tasks"]["items"]["properties"])


def test_who_repeats_what_it_was_told_has_planned_nothing() -> None:
    told = draft_prompt("Do it.", RULES, ["zero"], draft_text(read_draft(answer(ONE))))
    assert problems_of(POLICY, read_draft(told), set())


@settings(deadline=None)
@given(st.text() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_any_answer_at_all_gives_a_plan_or_problems(text: str) -> None:
    drafted = read_draft(text)
    assert drafted.tasks or problems_of(POLICY, drafted, set())
