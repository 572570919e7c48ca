from gitcto.effects import day_of
from gitcto.policy.load import parse
from gitcto.policy.quarantine import expired, in_force

POLICY = b"""version = 1
[quarantine."a"]
owner = "ada"
expires = "2027-01-31"
[quarantine."b"]
owner = "ada"
expires = "2027-02-01"
"""


def test_the_day_it_expires_is_the_last():
    policy = parse(POLICY, "p")
    assert [one.test for one in in_force(policy, "2027-01-31")] == ["a", "b"]
    assert [one.test for one in in_force(policy, "2027-02-01")] == ["b"]
    assert [one.test for one in expired(policy, "2027-02-01")] == ["a"]
    assert expired(policy, "2027-01-31") == ()


def test_days_are_those_of_utc():
    assert day_of(1_801_439_999_999) == "2027-01-31"
    assert day_of(1_801_440_000_000) == "2027-02-01"
    assert day_of(0) == "1970-01-01"
