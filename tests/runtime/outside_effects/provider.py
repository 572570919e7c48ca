"""A provider of effects: a little HTTP server that does what it is told to do wrong.

Usage: ``provider.py``. Prints its port and serves until standard input ends. It does not know keys
from one another when it is asked to do something: what is sent twice is done twice. Only copies of
one sending, as a network makes them, are told apart by the sending's id.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "t0ps3cret"  # noqa: S105  # the fake's own

_lock = threading.Lock()
_done: list[dict[str, Any]] = []
_received: list[str] = []
_answers: dict[str, list[str]] = {}
_clock = {"now": 0.0, "lag": 0.0}
_answering = threading.Event()
_answering.set()


def do(order: dict[str, Any]) -> dict[str, Any]:
    """Do what was sent, once for one sending."""
    for each in _done:
        if each["sending"] == order["sending"]:
            return each
    made = {**order, "id": str(len(_done)), "url": f"fake:{len(_done)}", "at": _clock["now"]}
    _done.append(made)
    return made


class Handler(BaseHTTPRequestHandler):
    """Answers, or not."""

    def do_GET(self) -> None:
        if self.path != "/log":
            _answering.wait(60)
        with _lock:
            if self.path == "/log":
                return self._say(200, {"done": _done, "received": _received})
            key = self.path.rpartition("/")[2]
            seen = _clock["now"] - _clock["lag"]
            found = [each for each in _done if each["key"] == key and each["at"] <= seen]
        return self._say(200, found[0]) if found else self._say(404, {})

    def do_POST(self) -> None:
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with _lock:
            if self.path == "/script":
                _answers[order["key"]] = order["answers"]
                return self._say(200, {})
            if self.path == "/silence":
                _answering.clear() if order["on"] else _answering.set()
                return self._say(200, {})
            if self.path == "/clock":
                _clock["lag"] = order.get("lag", _clock["lag"])
                _clock["now"] += order.get("by", 0)
                return self._say(200, {})
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                return self._say(401, {})
            _received.append(order["key"])
            script = _answers.get(order["key"], [])
            answer = script.pop(0) if script else "ok"
            return self._answer(answer, order)

    def _answer(self, answer: str, order: dict[str, Any]) -> None:
        if answer == "no":
            return self._say(422, {})
        if answer == "timeout before":
            self.close_connection = True
            return None
        made = do(order)
        if answer == "twice":
            made = do(order)
        if answer == "reply lost":
            self.close_connection = True
            return None
        return self._say(500 if answer == "5xx after" else 201, made)

    def _say(self, code: int, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()
