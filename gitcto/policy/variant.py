"""A policy in which one provider does everything: what a comparison runs its tasks under."""

from __future__ import annotations

from typing import Any

import tomlkit

from gitcto.errors import CtoError, ExitCode

_TAKEN = ("providers", "strategies", "repository", "engines", "remote", "pull_requests")


def for_one_provider(fixture: bytes, own: bytes, name: str, plugin: str) -> bytes:
    """Return the policy of a fixture with every role done by provider ``name`` of policy ``own``.

    The repository is of class ``fixture``, the engine ``plugin`` is allowed, nothing is pushed or
    shared; gates, limits and everything else are the fixture's. Raises ``CtoError`` when one of the
    two is no TOML.
    """
    try:
        made: Any = tomlkit.parse(fixture.decode())
        provider = tomlkit.parse(own.decode())["providers"][name]
    except (ValueError, KeyError) as error:
        raise CtoError(
            f"the policies of a comparison cannot be read: {error}",
            "check both with `git cto policy validate`",
            ExitCode.POLICY,
        ) from error
    for section in _TAKEN:
        made.pop(section, None)
    for role in made.setdefault("roles", {"developer": {}}).values():
        for key in ("provider", "providers", "strategy"):
            role.pop(key, None)
        role["provider"] = name
    made["providers"] = {name: provider}
    made["repository"] = {"class": "fixture"}
    made["engines"] = {"allowed": [plugin]}
    return tomlkit.dumps(made).encode()
