"""Where there are no user namespaces, as in many containers, landlock stands in for strict.

The machine is made so for one run: in a user namespace that may have no further ones, as root
without any capability.
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any

import pytest
from gitcto_landlock.sandbox import Landlock

from gitcto.plugins import Plugins
from gitcto.runtime.probing import MUST_STOP

NO_MORE = (
    "echo 0 > /proc/sys/user/max_user_namespaces && "
    'exec setpriv --bounding-set=-all --inh-caps=-all "$@"'
)
WITHOUT = ("unshare", "--user", "--map-root-user", "/bin/sh", "-c", NO_MORE, "sh")
CONTROL = "unshare --user true 2> /dev/null && echo has; id -u; grep CapEff /proc/self/status"


@pytest.fixture
def container(shop: Any) -> Any:
    """The shop, run where no user namespace can be made; its policy prefers strict."""
    answer = Landlock().available({})
    if not answer.available:
        pytest.skip(answer.hint)
    if "strict" not in Plugins.load(sys.path).sandboxes():
        pytest.skip("the plugin strict is not installed")
    if not all(map(shutil.which, ("unshare", "setpriv"))):
        pytest.skip("unshare and setpriv (util-linux) are not installed")
    control = shop.call(*WITHOUT, "/bin/sh", "-c", CONTROL)
    if control.stdout.split() != ["0", "CapEff:", "0" * 16]:
        pytest.skip(f"no machine without user namespaces can be made here: {control.stderr}")
    policy = shop.path / "policy.toml"
    text = policy.read_text()
    assert 'use = ["detect"]' in text
    policy.write_text(text.replace('use = ["detect"]', 'use = ["strict", "landlock"]'))
    shop.under = WITHOUT
    return shop


def started(shop: Any) -> list[dict[str, Any]]:
    said = json.loads(shop.cto("log", "--json", "-n", "1000").stdout)
    bodies = [each["event"]["body"] for each in said["events"]]
    return [body for body in bodies if body["kind"] == "execution.started"]


def test_the_run_says_so_and_lands_its_work(container: Any) -> None:
    done = container.cto("run")
    assert done.returncode == 0, done.stderr
    assert "sandbox strict: " in done.stderr
    assert "workers run at isolation level landlock, as policy allows" in done.stderr
    status = json.loads(container.cto("status", "--json").stdout)
    assert status["team"]["counts"] == {"done": 7}
    executions = started(container)
    assert len(executions) >= 7
    for execution in executions:
        assert (execution["isolation"], execution["sandbox"]) == ("landlock", "landlock")
        stopped = {name for name, result in execution["probe"].items() if result == "stopped"}
        assert stopped >= MUST_STOP["landlock"]


def test_a_tier_that_demands_strict_is_refused(container: Any) -> None:
    policy = container.path / "policy.toml"
    policy.write_text(policy.read_text().replace("[tiers.P1]", '[tiers.P1]\nsandbox = "strict"'))
    done = container.cto("run")
    assert done.returncode != 0
    refusal = "error: tier P1 demands isolation strict, this machine gives landlock (strict: "
    assert refusal in done.stderr
    assert "hint: make strict work here, or " in done.stderr
    assert started(container) == []
