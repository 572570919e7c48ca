"""A small MCP server over stdio, for scenarios: ``python -I tool_server.py``.

It offers ``report_progress(percent, note)`` and answers ``noted 50%: half``. Standard library only:
it runs inside the sandbox, as the tools of a team's agents do.
"""

from __future__ import annotations

import json
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME, TOOL = "cto", "report_progress"
_SCHEMA = {
    "type": "object",
    "properties": {"percent": {"type": "integer"}, "note": {"type": "string"}},
    "required": ["percent", "note"],
}


def answer(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    """Return the result of a request; None for one that nobody knows."""
    if method == "initialize":
        return {
            "protocolVersion": params.get("protocolVersion", "2025-06-18"),
            "capabilities": {"tools": {}},
            "serverInfo": {"name": NAME, "version": "1"},
        }
    if method == "tools/list":
        tool = {"name": TOOL, "description": "Say how far you are.", "inputSchema": _SCHEMA}
        return {"tools": [tool]}
    if method == "tools/call" and params.get("name") == TOOL:
        given = params.get("arguments", {})
        text = f"noted {given.get('percent')}%: {given.get('note')}"
        return {"content": [{"type": "text", "text": text}], "isError": False}
    return {} if method == "ping" else None


def main() -> None:
    """Answer one request a line until standard input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            continue
        reply: dict[str, Any] = {"jsonrpc": "2.0", "id": request["id"]}
        result = answer(request.get("method", ""), request.get("params") or {})
        if result is None:
            reply["error"] = {"code": -32601, "message": "no such method"}
        else:
            reply["result"] = result
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
