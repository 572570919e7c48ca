"""Twelve ways in which an attempt can fail, as data: what is made to happen, and what must follow.

``table`` writes them into ``docs/reference/failures.md``, ``scene`` makes them happen.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.acceptance.project import Step, write

POLICY = """\
version = 1
[concurrency]
max_workers = 1
[limits]
wall_s = {wall_s}
[retries]
max_attempts = 1
conflict = 0
provider_faults_per_task = 1
[roles.developer]
provider = "worker"
[providers.worker]
{provider}
[sandbox]
use = ["none"]
[workspace.setup]
argv = {setup}
[gates.nonempty]
[gates.paths]
[gates.tests]
argv = {tests}
{more}
[tiers.P1]
gates = {gates}
{tier}
"""

TESTS = (sys.executable, "-m", "unittest", "-q", "checks")
FILES = {
    "value.py": "VALUE = 1\n",
    "checks.py": (
        "import unittest\nimport value\n\n\nclass Checks(unittest.TestCase):\n"
        "    def test_value(self):\n        self.assertGreater(value.VALUE, 0)\n"
    ),
    ".gitignore": "__pycache__/\n",
}
"""The repository of every scenario: one module, and one test of it."""

GOOD: tuple[Step, ...] = (write("value.py", "VALUE = 2\n"),)
"""What a worker does that deserves to land."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What follows: the page has one column for each.

    ``reason`` is the blocker's code; ``events`` are the kinds of the attempt's events, in order;
    ``report`` is the status of its evidence, ``exit_code`` that of `git cto run`, ``state`` the
    task's. ``charged`` tells whether it counts against the task's attempts.
    """

    reason: str
    events: tuple[str, ...]
    report: str
    exit_code: int
    state: str
    charged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One failure. ``cause`` says for a person what is made to happen.

    ``fault`` names what the scene does besides running the team.
    """

    name: str
    cause: str
    expected: Outcome
    steps: Sequence[Step] = GOOD
    provider: str = 'plugin = "fake"'
    tests: Sequence[str] = TESTS
    setup: Sequence[str] = ()
    gates: Sequence[str] = ("nonempty", "paths", "tests")
    more: str = ""
    tier: str = ""
    wall_s: int = 60
    paths: tuple[str, ...] = ("value.py",)
    fault: str = ""
    files: Mapping[str, str] = field(default_factory=lambda: FILES)

    def policy(self) -> str:
        """Return its policy.toml."""
        return POLICY.format(
            wall_s=self.wall_s,
            provider=self.provider,
            setup=json.dumps(self.setup),
            tests=json.dumps(self.tests),
            gates=json.dumps(self.gates),
            more=self.more,
            tier=self.tier,
        )


_BEGUN = ("execution.leased", "step.started", "execution.started", "step.ended", "execution.exited")
_JUDGED = (*_BEGUN, "work.harvested", "gate.judged")
_QUEUED = (*_JUDGED, "queue.enqueued")
_REJECTED = (*_QUEUED, "queue.left", "work.preserved", "execution.failed")
_KEPT = ("work.preserved", "execution.failed")
_REVIEWER = (
    "import json, sys; asked = json.load(open(sys.argv[1]));"
    "answer = dict(version=1, change=asked['change'], verdict='reject', findings=[],"
    " summary='It says nothing new.');"
    "json.dump(answer, open(sys.argv[2], 'w'))"
)
_TALKER = (
    "import base64, os; open(os.environ['GO']).read(); open('value.py', 'w').write('VALUE = 2\\n');"
    "print(base64.b64encode(os.urandom(3 << 20)).decode())"
)


SCENARIOS = (
    Scenario(
        name="no diff",
        cause="The worker says that all is done and changes nothing.",
        steps=({"do": "lie"},),
        expected=Outcome(
            reason="worker_empty",
            events=(*_BEGUN, "execution.failed"),
            report="fail",
            exit_code=1,
            state="failed_terminal",
            charged=True,
        ),
    ),
    Scenario(
        name="disallowed file",
        cause="The worker changes a file that its task does not name.",
        steps=(*GOOD, write("elsewhere.py")),
        expected=Outcome(
            reason="paths:out_of_scope",
            events=(*_JUDGED, *_KEPT),
            report="fail",
            exit_code=1,
            state="failed_terminal",
            charged=True,
        ),
    ),
    Scenario(
        name="failed tests",
        cause="What the worker wrote fails the project's tests.",
        steps=(write("value.py", "VALUE = 0\n"),),
        expected=Outcome(
            reason="tests:tests_failed",
            events=_REJECTED,
            report="fail",
            exit_code=1,
            state="failed_terminal",
            charged=True,
        ),
    ),
    Scenario(
        name="missing test command",
        cause="The program that policy names for the tests is not installed.",
        tests=("no-such-test-runner",),
        expected=Outcome(
            reason="tests:cannot_run",
            events=_REJECTED,
            report="fail",
            exit_code=1,
            state="blocked",
            charged=False,
        ),
    ),
    Scenario(
        name="missing event",
        cause="The worker ends with code 0, but its stream of events was never ended.",
        steps=({"do": "event", "event": "started"}, *GOOD),
        expected=Outcome(
            reason="worker_protocol",
            events=(*_BEGUN, *_KEPT),
            report="fail",
            exit_code=1,
            state="blocked",
            charged=False,
        ),
    ),
    Scenario(
        name="reviewer reject",
        cause="The reviewer that policy names looks at the change and rejects it.",
        gates=("nonempty", "paths", "review", "tests"),
        more="[gates.review]\nargv = "
        + json.dumps([sys.executable, "-c", _REVIEWER, "{request}", "{answer}"]),
        expected=Outcome(
            reason="review:rejected",
            events=(*_JUDGED, *_KEPT),
            report="fail",
            exit_code=1,
            state="failed_terminal",
            charged=True,
        ),
    ),
    Scenario(
        name="approval denied",
        cause="Policy asks a person for approval, and `git cto deny` is the answer.",
        tier="[tiers.P1.approval]\ncount = 1",
        fault="a person says no",
        expected=Outcome(
            reason="approval_denied",
            events=(*_JUDGED, "approval.requested", "approval.denied", *_KEPT),
            report="fail",
            exit_code=1,
            state="blocked",
            charged=False,
        ),
    ),
    Scenario(
        name="timeout",
        cause="The worker writes something and then hangs, longer than `limits.wall_s`.",
        steps=(*GOOD, {"do": "hang", "ignore": ["INT", "TERM"]}),
        wall_s=1,
        expected=Outcome(
            reason="limit_wall",
            events=(*_BEGUN, *_KEPT),
            report="fail",
            exit_code=1,
            state="failed_terminal",
            charged=True,
        ),
    ),
    Scenario(
        name="dirty starting tree",
        cause="The set-up command changes a tracked file of the room before the worker starts.",
        setup=("sh", "-c", "echo 'VALUE = 3' > value.py"),
        expected=Outcome(
            reason="dirty_start",
            events=("execution.leased", "step.started", "step.ended", "execution.failed"),
            report="fail",
            exit_code=1,
            state="blocked",
            charged=False,
        ),
    ),
    Scenario(
        name="dirty ending tree",
        cause="The test command changes a tracked file of the tree that it judges.",
        tests=("sh", "-c", "echo 'VALUE = 3' > value.py"),
        expected=Outcome(
            reason="tests:dirty_tree",
            events=_REJECTED,
            report="fail",
            exit_code=1,
            state="blocked",
            charged=False,
        ),
    ),
    Scenario(
        name="artifact write failure",
        cause="The worker's output is larger than a file that git-cto may write (`ulimit -f`).",
        provider=(
            'plugin = "command"\n'
            f"argv = {json.dumps([sys.executable, '-c', _TALKER])}\n"
            'pass_env = ["GO"]'
        ),
        fault="file size limit",
        expected=Outcome(
            reason="evidence",
            events=_REJECTED,
            report="none",
            exit_code=1,
            state="blocked",
            charged=False,
        ),
    ),
    Scenario(
        name="provider unavailable",
        cause="The program of the provider is not installed: its probe says no.",
        provider='plugin = "command"\nargv = ["no-such-agent", "--prompt-file", "{prompt_file}"]',
        expected=Outcome(
            reason="provider_unavailable",
            events=("task.blocked",),
            report="none",
            exit_code=1,
            state="blocked",
            charged=False,
        ),
    ),
)
