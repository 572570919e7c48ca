"""The policy of these tests: scripted workers, three gates, and what each test says otherwise."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

PYTHON = sys.executable


def policy(
    tests: Sequence[str] = ("test", "-f", "base.txt"),
    *,
    gates: Sequence[str] = ("nonempty", "paths", "tests"),
    workers: int = 3,
    attempts: int = 2,
    conflicts: int = 1,
    more: str = "",
    tier: str = "",
) -> str:
    """Return a policy.toml; ``more`` are sections, ``tier`` keys of tier P1."""
    return f"""\
version = 1
[concurrency]
max_workers = {workers}
[retries]
max_attempts = {attempts}
conflict = {conflicts}
[roles.developer]
provider = "worker"
[providers.worker]
plugin = "fake"
[sandbox]
use = ["none"]
[gates.nonempty]
[gates.paths]
[gates.tests]
argv = {json.dumps(tests)}
{more}
[tiers.P0]
gates = {json.dumps(gates)}
[tiers.P1]
gates = {json.dumps(gates)}
{tier}
[tiers.P2]
gates = {json.dumps(gates)}
"""
