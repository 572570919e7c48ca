"""Runs an engine that prints git-cto's own events; a gated one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import (
    AgentProvider,
    CtoError,
    ExitCode,
    Launch,
    Probe,
    agent_environment,
    backend_of,
    fill_template,
)
from gitcto_case.dialect import CASE
from gitcto_case.settings import WHO, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import LaunchRequest

_OURS = frozenset(
    {"workspace", "prompt_file", "scratch", "execution", "attempt", "mode", "task.id"}
)
"""Placeholders whose values git-cto makes itself; a session's name is the engine's word."""


class CaseProvider(AgentProvider):
    """Fills an argv template and reads a stream of events: ``ended`` with ``ok`` claims success."""

    dialect = CASE

    def probe(self, settings: Mapping[str, object], host_env: Mapping[str, str]) -> Probe:
        """Tell whether the engine is there, and which files it is made of; nothing is run."""
        argv = read(settings).argv
        backend = backend_of([each for each in argv if "{" not in each], host_env)
        if backend is None:
            hint = f"{argv[0]!r} is not here: install it, or give its absolute path"
            return Probe(available=False, hint=hint)
        return Probe(available=True, version=backend.version, backend=backend)

    def launch(self, request: LaunchRequest) -> Launch:
        """Return the filled argv and the environment: the common list, and its key by name."""
        settings = read(request.settings)
        known = {
            "workspace": str(request.workspace),
            "prompt_file": str(request.prompt_file),
            "scratch": str(request.scratch),
            "execution": request.execution,
            "attempt": str(request.attempt),
            "mode": "edit" if request.edits else "read",
            "session": request.session or "new",
            "task.id": request.task.id,
        }
        own = {}
        if settings.key_env:
            if settings.key_env not in request.host_env:
                raise CtoError(
                    f"{WHO}: the variable {settings.key_env}, which holds its key, is not set",
                    f"export {settings.key_env}, or name another in key_env in policy.toml",
                    ExitCode.POLICY,
                )
            own[settings.key_env] = request.host_env[settings.key_env]
        foreign = known.keys() - _OURS
        argv = (fill_template(each, known, who=WHO, foreign=foreign) for each in settings.argv)
        backend = backend_of([each for each in settings.argv if "{" not in each], request.host_env)
        return Launch(
            argv=tuple(argv),
            env=agent_environment(request, own),
            reads=backend.files if backend else (),
        )
