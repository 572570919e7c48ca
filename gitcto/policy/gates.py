"""Which gates a tier demands, what each is given, and what exactly a verdict counts for. Pure."""

from __future__ import annotations

import hashlib
import json

from gitcto.policy.records import SCOPE_PLUGIN, Policy, Setting


def required_gates(policy: Policy, tier: str) -> tuple[str, ...]:
    """Return the gates that a tier demands. None means that nothing of this tier may happen."""
    return policy.tiers.get(tier, ())


def gate_settings(policy: Policy, gate: str) -> dict[str, Setting]:
    """Return what a gate's plugin is given: its own table, and the scope if it judges paths.

    A gate of plugin ``paths`` gets the globs of ``[scope]`` as ``allowed`` and ``protected``; its
    own table may replace them. Raises KeyError for an unknown gate.
    """
    configured = policy.gates[gate]
    if configured.plugin != SCOPE_PLUGIN:
        return dict(configured.settings)
    scope = {"allowed": policy.default_paths, "protected": policy.protected_paths}
    return {**scope, **configured.settings}


def gate_definition(policy: Policy, gate: str) -> str:
    """Return the SHA-256 of all that policy says of a gate: a verdict counts for this one alone.

    Raises KeyError for an unknown gate.
    """
    configured = policy.gates[gate]
    said = {
        "plugin": configured.plugin,
        "deadline_s": configured.deadline_s,
        **({"toolchain": configured.toolchain} if configured.toolchain else {}),
        **({"env": configured.env} if configured.env else {}),
        "settings": gate_settings(policy, gate),
    }
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
