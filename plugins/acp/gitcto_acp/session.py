"""One session with an agent: prompts go out, what it does is written down, its questions answered.

The library (PyPI ``agent-client-protocol``) pairs requests with answers. Beyond that this reads
what is on the wire, not its models: those refuse what a later version of the protocol adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acp.connection import Connection
from acp.exceptions import RequestError
from acp.meta import AGENT_METHODS, CLIENT_METHODS, PROTOCOL_VERSION

from gitcto.api import AgentEvent, DriverMail, Usage
from gitcto_acp.agent import Wire
from gitcto_acp.dialect import Turn, events_of, inside, permitted, usage_of, was_cut, with_cost
from gitcto_acp.endings import failing, refused, stopped
from gitcto_acp.job import Job
from gitcto_acp.journal import Journal


class Unfit(Exception):  # noqa: N818  (an agent that cannot be worked with is no error of ours)
    """The agent cannot do what this run needs."""


class Session:
    """Speaks with one agent until it has nothing left to do."""

    def __init__(self, job: Job, prompt: str, journal: Journal, mail: DriverMail) -> None:
        self._job, self._first, self._journal, self._mail = job, prompt, journal, mail
        self._turn = Turn()
        self._usage = Usage()
        self._listening = True
        self._connection: Connection | None = None
        self._id = ""

    def connect(self, wire: Wire) -> Connection:
        """Begin to listen to the agent."""
        self._connection = Connection(self._answer, wire)
        return self._connection

    async def work(self) -> AgentEvent:
        """Give the agent its prompt, then each letter that came meanwhile; return how it ended.

        Raises ``Unfit``, and what the library raises: ``RequestError`` for an error the agent
        answered with, ``ConnectionError`` when it went away.
        """
        await self._open()
        end = await self._prompt(self._first)
        while end.ok and (letter := self._mail.next()):
            self._mail.shown(letter)
            end = await self._prompt(letter.text)
        return end

    async def cancel(self) -> None:
        """Ask the agent to end the turn that is under way. Raises ``ConnectionError``."""
        if self._id and self._connection is not None:
            params = {"sessionId": self._id}
            await self._connection.send_notification(AGENT_METHODS["session_cancel"], params)

    async def _open(self) -> None:
        capabilities = {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False}
        greeting = await self._request(
            "initialize",
            protocolVersion=PROTOCOL_VERSION,
            clientCapabilities=capabilities,
            clientInfo={"name": "git-cto", "version": "1"},
        )
        spoken = greeting.get("protocolVersion")
        if spoken != PROTOCOL_VERSION:
            raise Unfit(f"it speaks version {spoken} of the protocol, not {PROTOCOL_VERSION}")
        if self._job.auth:
            await self._request("authenticate", methodId=self._job.auth)
        begun = await self._begin(greeting.get("agentCapabilities") or {})
        self._journal.write(AgentEvent(kind="session", text=self._id))
        if self._job.mode:
            await self._set_mode(begun)

    async def _begin(self, capabilities: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make a session, or go on in an earlier one, whose history is told again to deaf ears."""
        place = {"cwd": self._job.workspace, "mcpServers": self._servers()}
        if not self._job.session:
            begun = await self._request("session_new", **place)
            self._id = str(begun.get("sessionId", ""))
        elif capabilities.get("loadSession") is True:
            begun = await self._load(place)
            self._id = self._job.session
        else:
            raise Unfit("it cannot go on in an earlier session")
        if not self._id:
            raise Unfit("it gave its session no id")
        return begun

    async def _load(self, place: Mapping[str, Any]) -> Mapping[str, Any]:
        session, self._listening = self._job.session, False
        try:
            begun = await self._request("session_load", sessionId=session, **place)
        except RequestError as error:
            end = refused(error.code, str(error), error.data)
            raise Unfit(f"it cannot go on in session {session}: {end.text}") from error
        self._listening = True
        return begun

    async def _set_mode(self, begun: Mapping[str, Any]) -> None:
        """Choose the session's mode: agents offer modes, or an option that is called so."""
        mode = self._job.mode
        if begun.get("modes"):
            await self._request("session_set_mode", sessionId=self._id, modeId=mode)
            return
        params = {"sessionId": self._id, "configId": "mode", "value": mode}
        await self._request("session_set_config_option", **params)

    def _servers(self) -> list[dict[str, Any]]:
        return [
            {
                "name": server.name,
                "command": server.command,
                "args": server.args,
                "env": [{"name": name, "value": value} for name, value in server.env.items()],
            }
            for server in self._job.servers
        ]

    async def _prompt(self, text: str) -> AgentEvent:
        self._turn.words, self._turn.earlier = [], []
        blocks = [{"type": "text", "text": text}]
        answer = await self._request("session_prompt", sessionId=self._id, prompt=blocks)
        self._usage = with_cost(self._usage + usage_of(answer), self._turn.cost_micros)
        if self._usage != Usage():
            self._journal.write(AgentEvent(kind="used", usage=self._usage))
        end = stopped(str(answer.get("stopReason", "")), self._turn, edits=self._job.edits)
        return failing("cut") if end.ok and end.text and was_cut(answer) else end

    async def _request(self, method: str, **params: Any) -> Mapping[str, Any]:
        if self._connection is None:
            raise ConnectionError("nobody listens")
        answer = await self._connection.send_request(AGENT_METHODS[method], params)
        return answer if isinstance(answer, dict) else {}

    async def _answer(self, method: str, params: Any, is_notification: bool) -> Any:  # noqa: FBT001  (the library's signature)
        """Take a message of the agent's; the library begins these in the order they come."""
        told = params if isinstance(params, dict) else {}
        if method == CLIENT_METHODS["session_update"]:
            update = told.get("update")
            if isinstance(update, dict) and self._listening:
                self._note(update)
            return None
        if method == CLIENT_METHODS["session_request_permission"]:
            return self._permission(told)
        if is_notification:
            return None
        raise RequestError.method_not_found(method)

    def _note(self, update: Mapping[str, object]) -> None:
        for event in events_of(update, self._turn):
            if event.kind == "edited":
                path = inside(event.text, self._job.workspace)
                self._journal.write(AgentEvent(kind="edited", text=path))
            else:
                self._journal.write(event)

    def _permission(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Answer for the person who is not there; what policy forbids is no fault of the agent."""
        denied = len(self._turn.denied)
        chosen = permitted(request, self._turn, edits=self._job.edits)
        for name in self._turn.denied[denied:]:
            if self._job.edits:
                self._journal.write(AgentEvent(kind="refused", name=name))
            else:
                text = f"it was to read only and not allowed to use {name}"
                self._journal.write(AgentEvent(kind="warning", text=text))
        if not chosen:
            return {"outcome": {"outcome": "cancelled"}}
        return {"outcome": {"outcome": "selected", "optionId": chosen}}
