"""An agent that speaks the protocol and does what its script says; standard library only.

``python acp_agent.py SCRIPT``: a JSON object. ``turns`` is a list of lists of steps, one list for
each prompt, the last one for all that follow; the other keys say how it behaves.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SCRIPT: dict[str, Any] = json.loads(sys.argv[1])
_ids = iter(range(1000, 9999))


def say(**message: Any) -> None:
    """Send one message."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def hear() -> dict[str, Any]:
    """Receive one message; the end of the input is the end of the agent, unless it stays."""
    line = sys.stdin.readline()
    while not line:
        if not SCRIPT.get("stays"):
            sys.exit(0)
        time.sleep(3600)
    message: dict[str, Any] = json.loads(line)
    with Path("heard.methods").open("a", encoding="utf-8") as file:
        file.write(json.dumps([message.get("method"), message.get("params")]) + "\n")
    return message


def update(**told: Any) -> None:
    """Tell what happens in the session."""
    say(method="session/update", params={"sessionId": "s-1", "update": told})


def ask(step: dict[str, Any]) -> bool:
    """Ask for permission to use a tool; return whether it was given."""
    identity = next(_ids)
    call = {"toolCallId": step["id"], "title": step["title"], "kind": step.get("kind")}
    options = [
        {"optionId": f"o-{kind}", "name": kind, "kind": kind}
        for kind in step.get("options", ("allow_always", "allow_once", "reject_once"))
    ]
    params = {"sessionId": "s-1", "toolCall": call, "options": options}
    say(id=identity, method="session/request_permission", params=params)
    while (answer := hear()).get("id") != identity:
        pass
    Path(step["answer"]).write_text(json.dumps(answer["result"]), encoding="utf-8")
    return str(answer["result"]["outcome"].get("optionId", "")).startswith("o-allow")


def edit(step: dict[str, Any]) -> None:
    """Write a file, and tell it as a tool call with a difference."""
    path = Path(step["path"]).absolute()
    update(sessionUpdate="tool_call", toolCallId="e", title="Edit", kind="edit", status="pending")
    path.write_text(step["text"], encoding="utf-8")
    shown = [{"type": "diff", "path": str(path), "oldText": "", "newText": step["text"]}]
    update(sessionUpdate="tool_call_update", toolCallId="e", status="completed", content=shown)


def do(step: dict[str, Any]) -> dict[str, Any] | None:  # noqa: C901  (a table of steps)
    """Do one step of a turn; return the turn's result when it is one."""
    match step["do"]:
        case "say":
            update(
                sessionUpdate="agent_message_chunk", content={"type": "text", "text": step["text"]}
            )
        case "edit":
            edit(step)
        case "ask":
            if not ask(step) and step.get("stop"):
                return {"stopReason": "cancelled"}
        case "print":
            sys.stdout.write(step["text"] * step.get("times", 1) + step.get("end", "\n"))
            sys.stdout.flush()
        case "die":
            os._exit(step.get("code", 3))
        case "daemon":
            child = subprocess.Popen(["sleep", "4242"], start_new_session=step.get("away", False))
            Path(step["path"]).write_text(str(child.pid), encoding="utf-8")
        case "wait":
            Path(step["path"]).touch()
            while hear().get("method") != "session/cancel":
                pass
            return {"stopReason": "cancelled"}
        case "hold":
            Path(step["path"]).touch()
            while not Path(step["until"]).exists():
                time.sleep(0.02)
        case "end":
            return dict(step["result"])
    return None


def prompt(message: dict[str, Any], number: int) -> None:
    """Run one turn."""
    heard = "".join(block["text"] for block in message["params"]["prompt"])
    with Path("heard").open("a", encoding="utf-8") as file:
        file.write(json.dumps(heard) + "\n")
    turns = SCRIPT["turns"]
    for step in turns[min(number, len(turns) - 1)]:
        if step["do"] == "error":
            say(id=message["id"], error=step["error"])
            return
        result = do(step)
        if result is not None:
            say(id=message["id"], result=result)
            return
    say(id=message["id"], result={"stopReason": "end_turn", **SCRIPT.get("answer", {})})


def main() -> None:
    """Answer until the input ends."""
    if SCRIPT.get("deaf"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    prompts = 0
    while True:
        message = hear()
        match message.get("method"):
            case "initialize":
                result = {"protocolVersion": SCRIPT.get("version", 1)}
                result["agentCapabilities"] = {"loadSession": SCRIPT.get("loads", True)}
                say(id=message["id"], result=result)
            case "session/new":
                say(id=message["id"], result={"sessionId": "s-1", **SCRIPT.get("offers", {})})
            case "session/load" if message["params"]["sessionId"] != "s-1":
                error = {"code": -32002, "message": "Resource not found"}
                say(id=message["id"], error=error)
            case "session/load":
                update(sessionUpdate="agent_message_chunk", content={"type": "text", "text": "old"})
                say(id=message["id"], result=SCRIPT.get("offers", {}))
            case "session/prompt":
                prompt(message, prompts)
                prompts += 1
            case _ if "id" in message:
                say(id=message["id"], result={})


if __name__ == "__main__":
    main()
