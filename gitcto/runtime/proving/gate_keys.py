"""What a gate's result depends on, as one digest: the same key, and only then, the same question.

docs/explanation/gate-results.md has the reasons.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from gitcto.descriptors import Gate
from gitcto.model.codec import canonical
from gitcto.policy.gates import gate_definition
from gitcto.registry import Registered
from gitcto.runtime.core.candidate import Candidate
from gitcto.runtime.host.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a result depends on besides what is judged and policy.

    ``toolchain`` is the digest of what the gate's toolchain command said, ``env`` the declared
    variables (None for one that is not set), ``quarantined`` whose failures are ignored today, and
    ``only`` the tests that are run again.
    """

    toolchain: str
    env: Mapping[str, str | None]
    quarantined: frozenset[str]
    only: tuple[str, ...]


def result_key(
    context: Context,
    candidate: Candidate,
    name: str,
    registered: Registered[Gate],
    circumstances: Circumstances,
) -> str:
    """Return the key of a gate's result on a candidate."""
    said = {
        "about": _about(candidate, registered),
        "gate": name,
        "definition": gate_definition(context.policy, name),
        "plugin": [registered.plugin, registered.distribution, registered.version],
        "policy": context.policy.digest,
        "sandbox": context.isolation.level if context.isolation else "",
        "toolchain": circumstances.toolchain,
        "env": {name: _digest(value) for name, value in circumstances.env.items()},
        "quarantined": sorted(circumstances.quarantined),
        "only": list(circumstances.only),
    }
    return hashlib.sha256(canonical(said)).hexdigest()


def _digest(value: str | None) -> str:
    if value is None:
        return ""
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()


def _about(candidate: Candidate, registered: Registered[Gate]) -> dict[str, object]:
    """Return what is judged; a change is judged as the answer to a task, whoever gave it."""
    if registered.descriptor.judges == "tree":
        return {"tree": candidate.tree}
    return {"change": candidate.change, "task": candidate.task.spec}
