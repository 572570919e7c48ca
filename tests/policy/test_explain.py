from __future__ import annotations

from gitcto.policy.explain import explain
from gitcto.policy.load import parse


def test_a_bare_policy_says_that_it_refuses():
    lines = explain(parse(b"version = 1", "p"))

    assert "role     none: no task can be given to a worker" in lines
    assert "tier     P1: no gates, so everything is refused" in lines
    assert "target   cto/{team}/integration" in lines


def test_every_name_of_a_policy_is_shown_with_its_settings():
    text = """\
version = 1
[roles.developer]
provider = "agent"
[providers.agent]
plugin = "command"
argv = ["x", "\\u001b[31m"]
env = { A = "b" }
[gates.tests]
deadline_s = 7
argv = ["make"]
toolchain = ["make", "-v"]
env = ["A", "B"]
[gates.nonempty]
[tiers.P0]
gates = ["nonempty", "tests"]
[plugins]
required = { tests = ">=0.1", paths = "" }
"""
    lines = explain(parse(text.encode(), "p"))

    assert "role     developer: provider agent; workspace clone, strategy single_worker" in lines
    assert 'provider agent: plugin command, argv = ["x", "\\u001b[31m"], env = {"A": "b"}' in lines
    gate = 'tests: plugin tests, 7 s, given A, B, tools ["make", "-v"], argv = ["make"]'
    assert f"gate     {gate}" in lines
    assert "gate     nonempty: plugin nonempty, the plugin's deadline" in lines
    assert "tier     P0: nonempty, tests" in lines
    assert "needs    plugin tests >=0.1" in lines
    assert "needs    plugin paths" in lines
    assert all(line.isprintable() for line in lines)
