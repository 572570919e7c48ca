"""The policy of these tests: scripted workers, three gates, and what each test says otherwise."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

PYTHON = sys.executable

_LIMITS = {"workers": 3, "attempts": 2, "conflicts": 1, "capacity": 2}
_LIMITED = """\
[concurrency]
max_workers = {workers}
[retries]
max_attempts = {attempts}
conflict = {conflicts}
[queue]
capacity = {capacity}
"""


def policy(
    tests: Sequence[str] = ("test", "-f", "base.txt"),
    *,
    gates: Sequence[str] = ("nonempty", "paths", "tests"),
    more: str = "",
    tier: str = "",
    **limits: int,
) -> str:
    """Return a policy.toml; ``more`` are sections, ``tier`` keys of tier P1.

    ``limits`` are ``workers``, ``attempts``, ``conflicts`` and ``capacity``.
    """
    return f"""\
version = 1
{_LIMITED.format(**{**_LIMITS, **limits})}\
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
