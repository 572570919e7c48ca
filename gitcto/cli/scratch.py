"""Scratch repositories: an environment in which nobody's configuration counts, and git in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitcto.cli.host import Host

_WHO = ("Demo", "demo@example.invalid")


def scratch_environment(environ: Mapping[str, str], place: Path) -> dict[str, str]:
    """Return an environment in which nobody's configuration counts and nothing leaves the place."""
    plain = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
    identity = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in zip(("NAME", "EMAIL"), _WHO, strict=True)
    }
    alone = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    return {**plain, **identity, **alone, "XDG_STATE_HOME": str(place / "state")}


def git_in(host: Host, *arguments: str) -> None:
    """Run git in the host's directory; raises ``CtoError`` when it fails."""
    from gitcto.git.process import execute

    done = execute(("git", "-C", host.directory, *arguments), host.environ, b"", None)
    if done.code:
        raise CtoError(
            f"git {arguments[0]} failed: {done.complaint}", "mend git, then try again", ExitCode.GIT
        )
