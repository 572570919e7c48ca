"""The provider's table in ``policy.toml``, read strictly, and what its templates come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from gitcto.api import AgentSettings, LaunchRequest, fill_template, read_agent_settings

WHO = "provider acp"

_OWN = ("argv", "env", "files", "edit_mode", "read_mode", "auth")
_KEY, _PROGRAM = "key", "{program}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What policy says of one ACP agent.

    ``argv``, and the values of ``env`` and ``files`` (by path below the agent's home), are
    templates. ``edit_mode`` and ``read_mode`` are the session modes of runs that may change files
    and of those that may not, ``auth`` the agent's way to log in; empty is its own choice.
    """

    agent: AgentSettings
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    edit_mode: str = ""
    read_mode: str = ""
    auth: str = ""

    @property
    def started(self) -> tuple[str, ...]:
        """The argv with the program's name in it; what else it holds are still templates."""
        return (self.agent.program, *self.argv[1:])


def read(table: Mapping[str, object]) -> Settings:
    """Return the settings; raises ``CtoError`` (exit 4) for what is unknown or cannot be meant."""
    argv = table.get("argv", ())
    named = argv[0] if isinstance(argv, list | tuple) and argv else ""
    plain = isinstance(named, str) and named not in {"", _PROGRAM}
    agent = read_agent_settings(
        table, AgentSettings(who=WHO, program=str(named) if plain else "agent"), also=_OWN
    )
    if not isinstance(argv, list | tuple) or not all(isinstance(word, str) for word in argv):
        raise agent.problem("argv must be a list of strings", 'write argv = ["gemini", "--acp"]')
    if not named:
        raise agent.problem(
            "argv is empty", 'write the agent as a list: argv = ["gemini", "--acp"]'
        )
    if ("program" in table) is not (named == _PROGRAM):
        hint = 'name the program first in argv, or write program = "…" and argv = ["{program}", …]'
        raise agent.problem("program and argv do not fit", hint)
    files = _texts(table, "files", agent)
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.name:
            hint = "name it as it is seen from the agent's home directory"
            raise agent.problem(f"files {name!r} does not lie in the agent's home", hint)
    single = {key: _text(table, key, agent) for key in ("edit_mode", "read_mode", "auth")}
    env = _texts(table, "env", agent)
    return Settings(agent=agent, argv=tuple(argv), env=env, files=files, **single)


def values(request: LaunchRequest) -> dict[str, str]:
    """Return what each placeholder stands for, but the key."""
    settings = read(request.settings).agent
    return {
        "workspace": str(request.workspace),
        "home": str(request.scratch / "home"),
        "scratch": str(request.scratch),
        "model": settings.model,
        "base_url": settings.base_url,
        "program": settings.program,
        "task.id": request.task.id,
        "execution": request.execution,
    }


def filled_argv(settings: Settings, known: Mapping[str, str]) -> Iterator[str]:
    """Yield the agent's argv. The key is no word of it: every user of a machine sees those."""
    for template in settings.argv:
        yield fill_template(template, known, who=WHO)


def filled(
    templates: Mapping[str, str], known: Mapping[str, str], key: str
) -> Iterator[tuple[str, str]]:
    """Yield names and filled values; ``{key}`` is the key."""
    for name, template in templates.items():
        yield name, fill_template(template, {**known, _KEY: key}, who=WHO)


def _texts(table: Mapping[str, object], key: str, agent: AgentSettings) -> dict[str, str]:
    value = table.get(key, {})
    if not isinstance(value, Mapping) or not all(isinstance(one, str) for one in value.values()):
        raise agent.problem(f"{key} must be a table of strings", f'write {key} = {{ NAME = "…" }}')
    return dict(value)


def _text(table: Mapping[str, object], key: str, agent: AgentSettings) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or not value.isprintable():
        raise agent.problem(f"{key} must be one line of text", f'write {key} = "…"')
    return value
