"""Runs qwen: one headless run with a home, and a project, of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from gitcto.api import (
    AgentProvider,
    AgentSettings,
    Launch,
    NodeCli,
    agent_environment,
    agent_home,
    own_commands,
    read_agent_settings,
    write_private,
)
from gitcto_qwen.config import KEY, URL, config, servers
from gitcto_qwen.dialect import DIALECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import LaunchRequest, Probe

CLI = NodeCli(
    version="0.24.4",
    node="22.0",
    install="npm install --global @qwen-code/qwen-code",
    folder=".qwen",
    main="cli.js",  # what is installed as qwen starts another Node, which knows no secret
)
"""The oldest versions for which what its configuration promises was verified."""

LICENCE = "Apache-2.0"
"""What its file LICENSE is; its package names none."""

_DEFAULTS = AgentSettings(
    who="provider qwen",
    program="qwen",
    model="qwen3-coder-plus",
    base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    key_env="DASHSCOPE_API_KEY",
)

NO_KEY = "none"
"""What it has for a key at a server that wants none: it does not begin without one."""

_OURS: Mapping[str, str] = {
    "QWEN_CODE_NO_RELAUNCH": "true",
    "QWEN_CODE_SUPPRESS_YOLO_WARNING": "1",
}


class QwenProvider(AgentProvider):
    """Starts ``qwen --prompt`` and reads its events.

    It has no protocol to be asked in to stop; by a signal it ends its command and itself, and its
    session can go on.
    """

    dialect = DIALECT

    def probe(self, settings: Mapping[str, object], host_env: Mapping[str, str]) -> Probe:
        """Tell whether qwen and a Node that it runs on are here, and new enough."""
        answer = CLI.probe(_read(settings), settings, host_env)
        if answer.backend is None or answer.backend.licence:
            return answer
        return replace(answer, backend=replace(answer.backend, licence=LICENCE))

    def launch(self, request: LaunchRequest) -> Launch:
        """Write its configuration and return its command. Raises ``CtoError``."""
        settings = _read(request.settings)
        key = settings.key(request.host_env)
        home = agent_home(request)
        write_private(home / ".qwen" / "settings.json", json.dumps(config(), indent=1))
        write_private(home / ".qwen" / "servers.json", json.dumps(servers(request), indent=1))
        for place in (home / ".env", home / ".qwen" / ".env"):
            write_private(place, "")  # it takes variables from both, after those of its project
        start = CLI.enter(request, settings, {KEY: key or NO_KEY})
        own = {**_OURS, **start.env, URL: settings.base_url}
        return Launch(
            argv=_argv(request, settings.model, start.values),
            env=agent_environment(request, own),
            reads=start.reads,
        )


def _read(table: Mapping[str, object]) -> AgentSettings:
    settings = read_agent_settings(table, _DEFAULTS, also=("node",))
    if not settings.model or not settings.base_url:
        hint = 'write model = "…" and base_url = "https://…/v1"; leave both out for the vendor\'s'
        raise settings.problem("it needs a model and a base_url", hint)
    return settings


def _argv(request: LaunchRequest, model: str, node: Mapping[str, str]) -> tuple[str, ...]:
    values = {
        **node,
        "model": model,
        "workspace": str(request.workspace),
        "servers": str(request.scratch / "home" / ".qwen" / "servers.json"),
        "schema": str(request.answer_schema or ""),
        "session": request.session,
    }
    held = {"edits": request.edits, "tools": bool(request.tools)}
    template = own_commands("gitcto_qwen", who=_DEFAULTS.who)["run"]
    return template.fill(values, {word for word, holds in held.items() if holds})
