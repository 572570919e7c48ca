"""Finding an agent's CLI and what is known of it, without running it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.backends import backend_of
from gitcto.contracts import Probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.agents.settings import AgentSettings

_NUMBERS = re.compile(r"\d+(?:\.\d+){1,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledProgram:
    """A CLI on this machine: ``path`` as it was found, ``real`` the file that this leads to."""

    path: Path
    real: Path

    @property
    def reads(self) -> tuple[Path, ...]:
        """Everything it was installed with, and the way to it."""
        modules = [parent for parent in self.real.parents if parent.name == "node_modules"]
        around = modules[-1] if modules else self.real.parent
        return (self.path.parent, around) if around not in self.path.parents else (around,)


def find_program(program: str, host_env: Mapping[str, str]) -> InstalledProgram | None:
    """Return a CLI by its name on ``PATH`` or its absolute path, None when it is not there."""
    found = shutil.which(program, path=host_env.get("PATH", ""))
    if found is None:
        return None
    path = Path(found)
    return InstalledProgram(path=path, real=path.resolve())


def needed_program(
    settings: AgentSettings, host_env: Mapping[str, str], *, install: str
) -> InstalledProgram:
    """Return a provider's CLI; raises ``CtoError``, which says how to get it, without one."""
    found = find_program(settings.program, host_env)
    if found is None:
        raise settings.problem(f"{settings.program!r} is not here", install)
    return found


def probe_program(
    settings: AgentSettings, host_env: Mapping[str, str], *, install: str, least: str
) -> Probe:
    """Tell whether a provider's CLI is here, and new enough. What a plugin's ``probe`` may be.

    :param install: one line that says how to get it.
    :param least: the oldest version that is known to keep what the plugin says of it.
    A CLI whose version is not to be found is taken on trust, and said so.
    """
    found = find_program(settings.program, host_env)
    backend = backend_of((str(found.path),), host_env) if found else None
    if found is None or backend is None:
        hint = f"{settings.program!r} is not here: {install}"
        return Probe(available=False, hint=hint)
    version = backend.version
    if not version:
        hint = f"the version of {found.path} is not known; it is meant for {least} and newer"
        return Probe(available=True, hint=hint, backend=backend)
    if _numbers(version) < _numbers(least):
        hint = f"{found.path} is {version}; it must be {least} or newer: {install}"
        return Probe(available=False, version=version, hint=hint, backend=backend)
    return Probe(available=True, version=version, backend=backend)


def _numbers(version: str) -> tuple[int, ...]:
    found = _NUMBERS.search(version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
