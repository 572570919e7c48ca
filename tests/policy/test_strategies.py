"""Reading strategies: every problem with its line, and nothing contradictory gets through."""

from __future__ import annotations

import pytest

from gitcto.policy.load import parse
from gitcto.policy.problems import PolicyError
from gitcto.policy.strategies import candidates, parse_strategy
from gitcto.strategies.records import Source

GOOD = """\
summary = "Two steps."
rounds = 2

[roles.reviewer]
providers = ["b"]
prompt = "Look."

[failures]
rate = ["retry 2", "other provider"]
no_verdict = ["retry"]

[[step]]
name = "write"
role = "writer"
kind = "write"
seat = "main"
reads = ["task", "findings:review"]

[[step]]
name = "review"
role = "reviewer"
kind = "review"
reads = ["task", "patch:main"]

[step.failures]
default = ["degrade"]
"""

POLICY = """\
version = 1
[roles.developer]
provider = "a"
[providers.a]
plugin = "fake"
[providers.b]
plugin = "fake"
"""


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_strategy(text.encode(), "mine", "mine.toml")
    assert caught.value.hint
    return [str(problem) for problem in caught.value.problems]


def test_a_strategy_is_read() -> None:
    strategy = parse_strategy(GOOD.encode(), "mine", "mine.toml")
    write, review = strategy.steps
    assert write.reads == (Source("task"), Source("findings", "review"))
    assert write.failures == {"rate": ("retry", "retry", "other provider")}
    assert review.failures["no_verdict"] == ("retry",)
    assert review.failures["default"] == ("degrade",)
    assert strategy.filled["reviewer"].prompt == "Look."
    assert strategy.filled["writer"].providers == ()
    assert (strategy.most_steps, strategy.again, strategy.seats) == (2 * (4 + 5), 0, ("main",))


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('"Two steps."', '""', 1, "one printable line"),
        ('summary = "Two steps."', "", 1, '"summary" is missing'),
        ("rounds = 2", "rounds = 0", 2, '"rounds" must be 1 to 9'),
        ("rounds = 2", "round = 2", 2, 'unknown key "round", did you mean "rounds"?'),
        ("rounds = 2", 'combine = "al"', 2, 'did you mean "all"?'),
        ('"Look."', '"\\u001b[2J"', 6, "give text"),
        ("[roles.reviewer]", "[roles.reviever]", 4, 'no step has the role "reviever"'),
        ("rate =", "rates =", 9, 'unknown class of failure "rates", did you mean "rate"?'),
        ('"retry 2"', '"retry 10"', 9, '"retry 10": give "retry"'),
        ('"retry 2"', '"stop"', 12, 'nothing comes after "degrade" and "stop"'),
        ('no_verdict = ["retry"]', 'no_verdict = ["degrade"]', 25, "cannot be left out"),
        ('name = "write"', "", 12, '"name" is missing'),
        ('name = "write"', 'name = "review"', 20, '"review" is the name of another step'),
        ('kind = "write"', 'kind = "wrte"', 15, 'did you mean "write"?'),
        ('seat = "main"', "", 12, "a writer needs a seat"),
        ('seat = "main"', 'seat = "left"', 16, '"left" is none of them'),
        ('seat = "main"', 'seat = "second"', 12, 'a writer with seat = "main"'),
        ('"findings:review"', '"findings:write"', 17, "that step judges nothing"),
        ('"findings:review"', '"findings:nobody"', 17, "there is no such step"),
        ('"findings:review"', '"notes:review"', 17, 'what a judge says are "findings"'),
        ('"findings:review"', '"notes:write"', 17, "that step comes later"),
        ('"findings:review"', '"patch:second"', 17, "no earlier step writes there"),
        ('"findings:review"', '"patch"', 17, 'give "task", "patch:SEAT"'),
        (', "findings:review"', "", 2, "no writer reads findings"),
        (', "patch:main"', "", 23, "a reviewer reads one patch"),
        ('kind = "review"', 'kind = "review"\nseat = "main"', 23, "only a writer has a seat"),
        ('kind = "review"', 'kind = "adjudicate"', 25, "nobody is left to do without"),
        ('kind = "review"', 'kind = "plan"', 2, '"rounds" needs a step that judges'),
        ('[[step]]\nname = "write"', '[[steps]]\nname = "write"', 12, 'unknown key "steps", did'),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    assert any(says in each for each in found), found
    assert any(each.startswith(f"mine.toml:{line}: ") for each in found), found


TWO = """\
summary = "Two writers."
[[step]]
name = "one"
role = "writer"
kind = "write"
seat = "main"
group = "write"
[[step]]
name = "two"
role = "writer"
kind = "write"
seat = "second"
group = "write"
[[step]]
name = "choose"
role = "judge"
kind = "adjudicate"
reads = ["patch:main", "patch:second"]
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('seat = "second"', 'seat = "main"', "two writers cannot share seat"),
        ('"patch:main", "patch:second"', '"patch:main"', "it chooses between all patches"),
        (
            'kind = "adjudicate"\nreads = ["patch:main", "patch:second"]',
            'kind = "plan"',
            "two seats",
        ),
        (
            'group = "write"\n[[step]]\nname = "choose"',
            'group = "write"\n[[step]]\nname = "choose"\ngroup = "write"',
            "steps of one group are of one kind",
        ),
        (
            'role = "judge"',
            (
                'role = "judge"\n[step.failures]\nrate = ["degrade"]\n[[step]]\n'
                'name = "z"\nrole = "w"\n'
            ),
            "kind",
        ),
    ],
)
def test_two_writers_need_two_seats_and_a_judge(old: str, new: str, says: str) -> None:
    parse_strategy(TWO.encode(), "mine", "mine.toml")
    assert any(says in each for each in problems(TWO.replace(old, new, 1)))


def test_what_is_written_last_is_judged() -> None:
    more = '\n[[step]]\nname = "mend"\nrole = "writer"\nkind = "write"\nseat = "main"\n'
    assert "nobody judges what is written last" in " ".join(problems(GOOD + more))


@pytest.mark.parametrize("text", ["", "[[step]]", 'summary = "x"', "summary = ", "step = []\n"])
def test_next_to_nothing_is_no_strategy(text: str) -> None:
    assert problems(text)


def test_policy_defines_and_binds() -> None:
    own = GOOD.replace("[roles", "[strategies.mine.roles").replace(
        "[step.", "[strategies.mine.step."
    )
    own = own.replace("[[step", "[[strategies.mine.step").replace("[fail", "[strategies.mine.fail")
    text = f'{POLICY}[strategies.mine]\n{own}[strategies.mine.providers]\nwriter = ["b", "a"]\n'
    policy = parse(f'{text}[strategies.mine.prompts]\nreviewer = "Hard."\n'.encode(), "policy.toml")
    settings = policy.strategies["mine"]
    assert settings.own is not None
    strategy = settings.over(settings.own)
    assert strategy.filled["reviewer"].prompt == "Hard."
    assert candidates(policy, strategy, "writer", ("a",)) == ("b", "a")
    assert candidates(policy, strategy, "reviewer", ("a",)) == ("b", "a")


def test_a_suggestion_that_policy_does_not_know_falls_to_the_role() -> None:
    policy = parse(POLICY.encode(), "policy.toml")
    strategy = parse_strategy(GOOD.replace('"b"', '"codex"').encode(), "mine", "mine.toml")
    assert candidates(policy, strategy, "reviewer", ("a",)) == ("a",)


@pytest.mark.parametrize(
    ("section", "says"),
    [
        (
            '[strategies.x.providers]\nwriter = "c"',
            'policy.toml:9: [strategies.x.providers] "writer"',
        ),
        ("[strategies.x.providers]\nwriter = 1", "must be a string"),
        ("[strategies.x.providers]\nwriter = []", "at least one provider"),
        ("[strategies.X.providers]\n", "names are lower-case"),
        ('[strategies.x]\nsumary = "y"', 'did you mean "summary"?'),
        ("strategies = 3", "must be a table"),
    ],
)
def test_what_is_wrong_with_the_section(section: str, says: str) -> None:
    text = f"{section}\n{POLICY}" if section.startswith("strategies") else f"{POLICY}{section}\n"
    with pytest.raises(PolicyError) as caught:
        parse(text.encode(), "policy.toml")
    assert says in caught.value.message
