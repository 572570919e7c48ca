"""Finding an agent's CLI and what is known of it, without running it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.backends import backend_of, program_at
from gitcto.contracts import Probe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.agents.settings import AgentSettings

_NUMBERS = re.compile(r"\d+(?:\.\d+){1,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledProgram:
    """A CLI on this machine: ``path`` as it was found, ``real`` the file that this leads to.

    ``reads`` is what it was installed with, and the way to it; the program alone where that would
    be somebody's whole home directory.
    """

    path: Path
    real: Path
    reads: tuple[Path, ...]


def find_program(program: str, host_env: Mapping[str, str]) -> InstalledProgram | None:
    """Return a CLI by its name on ``PATH`` or its absolute path, None when it is not there."""
    path = program_at(program, host_env)
    if path is None:
        return None
    real = path.resolve()
    reads = dict.fromkeys(_reads(path, real, Path(host_env.get("HOME", "/")).resolve()))
    return InstalledProgram(path=path, real=real, reads=tuple(reads))


def _reads(path: Path, real: Path, home: Path) -> Iterator[Path]:
    modules = [parent for parent in real.parents if parent.name == "node_modules"]
    around = modules[-1] if modules else real.parent
    alone = home.is_relative_to(around)
    if alone or around not in path.parents:
        yield path if home.is_relative_to(path.parent.resolve()) else path.parent
    yield real if alone else around


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
