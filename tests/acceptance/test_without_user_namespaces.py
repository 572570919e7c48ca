"""Where there are no user namespaces, or no bubblewrap, landlock stands in for strict.

The machine is made so for one run, in a namespace, where git-cto is root without any capability,
as in many containers.
"""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import pytest
from gitcto_landlock.sandbox import Landlock

from gitcto.runtime.host.probing import MUST_STOP

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c")
WITHOUT_MORE = (
    "echo 0 > /proc/sys/user/max_user_namespaces && "
    'exec setpriv --bounding-set=-all --inh-caps=-all "$@"'
)
WITHOUT_BUBBLEWRAP = (
    'for found in $(command -v bwrap); do mount --bind /dev/null "$found" || exit; done; '
    'exec setpriv --bounding-set=-all --inh-caps=-all "$@"'
)
CONTROL = {
    WITHOUT_MORE: "! unshare --user true 2> /dev/null",
    WITHOUT_BUBBLEWRAP: "! bwrap --version 2> /dev/null",
}


def container(shop: Any, script: str) -> Any:
    """Return the shop, run on such a machine; its policy prefers strict. Skips without one."""
    answer = Landlock().available({})
    if not answer.available:
        pytest.skip(answer.hint)
    if not all(map(shutil.which, ("unshare", "setpriv"))):
        pytest.skip("unshare and setpriv (util-linux) are not installed")
    shop.under = (*NAMESPACE, script, "sh")
    control = shop.call(*shop.under, "/bin/sh", "-c", CONTROL[script])
    if control.returncode:
        pytest.skip(f"such a machine cannot be made here: {control.stderr}")
    policy = shop.path / "policy.toml"
    use = 'use = ["strict", "landlock"]'
    changed, lines = re.subn(r"^use = .*$", use, policy.read_text(), flags=re.MULTILINE)
    assert lines == 1
    policy.write_text(changed)
    return shop


def started(shop: Any) -> list[dict[str, Any]]:
    said = json.loads(shop.cto("log", "--json", "-n", "1000").stdout)
    bodies = [each["event"]["body"] for each in said["events"]]
    return [body for body in bodies if body["kind"] == "execution.started"]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (WITHOUT_MORE, "a harmless worker cannot work in it; .*user.max_user_namespaces"),
        (WITHOUT_BUBBLEWRAP, "not available here; install bubblewrap"),
    ],
    ids=["no-user-namespaces", "no-bubblewrap"],
)
def test_the_run_says_so_and_lands_its_work(shop: Any, script: str, why: str) -> None:
    machine = container(shop, script)
    done = machine.cto("run")
    assert done.returncode == 0, done.stderr
    assert re.search(f"^sandbox strict: {why}", done.stderr, re.MULTILINE)
    assert "workers run at isolation level landlock, as policy allows" in done.stderr
    status = json.loads(machine.cto("status", "--json").stdout)
    assert status["team"]["counts"] == {"done": 7}
    executions = started(machine)
    assert len(executions) >= 7
    for execution in executions:
        assert (execution["isolation"], execution["sandbox"]) == ("landlock", "landlock")
        stopped = {name for name, result in execution["probe"].items() if result == "stopped"}
        assert stopped >= MUST_STOP["landlock"]


def test_a_tier_that_demands_strict_is_refused(shop: Any) -> None:
    machine = container(shop, WITHOUT_MORE)
    policy = machine.path / "policy.toml"
    policy.write_text(policy.read_text().replace("[tiers.P1]", '[tiers.P1]\nsandbox = "strict"'))
    done = machine.cto("run")
    assert done.returncode != 0
    refusal = "error: tier P1 demands isolation strict, this machine gives landlock (strict: "
    assert refusal in done.stderr
    assert "hint: make strict work here, or " in done.stderr
    assert started(machine) == []
