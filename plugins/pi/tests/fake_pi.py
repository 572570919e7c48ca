#!/usr/bin/env python3
"""Speaks pi's RPC protocol, as far as the driver needs it; the prompt says what it does."""

from __future__ import annotations

import json
import os
import sys


def say(**record: object) -> None:
    sys.stdout.write(json.dumps(record, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def user(text: str) -> None:
    message = {"role": "user", "content": [{"type": "text", "text": text}]}
    say(type="message_start", message=message)


def assistant(text: str, reason: str = "stop") -> None:
    usage = {"input": 1, "output": 2, "cacheRead": 3, "cacheWrite": 0, "cost": {"total": 0}}
    content = [{"type": "text", "text": text}]
    message = {"role": "assistant", "content": content, "usage": usage, "stopReason": reason}
    say(type="message_end", message=message)
    say(type="agent_end", messages=[message])


def settled() -> None:
    say(type="agent_settled", aborted=False)


def prompted(text: str) -> None:
    word = text.split(maxsplit=1)[0]
    if word == "refuse":
        say(type="response", id="prompt", command="prompt", success=False, error="No API key")
        return
    say(type="response", id="prompt", command="prompt", success=True)
    user(text)
    if word == "die":
        os._exit(3)
    if word == "wait":  # for a letter or for the end
        sys.stderr.write("waiting\n")
        sys.stderr.flush()
        return
    if word == "long":
        say(type="tool_execution_update", text="again " * 300_000)
        assistant("y" * 5_000_000)
    else:
        assistant(f"did: {text[:60]}")
    settled()


def main() -> None:
    late = False
    for line in sys.stdin:
        told = json.loads(line)
        match told["type"]:
            case "get_state":
                data = {"sessionId": "s-1"}
                say(type="response", id=told["id"], command="get_state", success=True, data=data)
            case "prompt":
                late = told["message"].startswith("wait late")
                prompted(told["message"])
            case "steer" if late:
                settled()
            case "steer":
                user(told["message"])
                assistant("I read it.")
                settled()
            case "abort":
                assistant("", "aborted")
                settled()
                say(type="response", command="abort", success=True)


main()
