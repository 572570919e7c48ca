"""The HTTP side of the scripted model server."""

from __future__ import annotations

import gzip
import json
import re
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gitcto.testing.model_server.dialects import Question, question
from gitcto.testing.model_server.steps import read_script

if TYPE_CHECKING:
    import threading

    from gitcto.testing.model_server.book import Book
    from gitcto.testing.model_server.steps import Step

_ROUTE = re.compile(r"/s/(?P<script>[\w.-]+)/(?P<run>[\w.-]+)(?P<rest>/.*)")
_SCRIPT = re.compile(r"/scenario/([\w.-]+)")
_RUN = re.compile(r"/runs/([\w.-]+)")


class Handler(BaseHTTPRequestHandler):
    """Answers one connection. Subclassed with its ``book`` and with the ``closing`` of its server.

    ``closing`` ends every pause early.
    """

    protocol_version = "HTTP/1.1"
    book: Book
    closing: threading.Event

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
        """Say nothing."""

    def handle_one_request(self) -> None:
        """Serve a request; a client that has gone is no trouble."""
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def do_HEAD(self) -> None:
        """Say that somebody is here."""
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        """Answer for ``/healthz``, ``/runs/<run>`` and a list of models."""
        path = urlsplit(self.path).path
        if path == "/healthz":
            return self._json(200, {"ok": True})
        if found := _RUN.fullmatch(path):
            run = self.book.run(found[1])
            counts = {"requests": run.requests, "main": run.main, "aux": run.aside}
            return self._json(200, {**counts, "last_step": run.last_step})
        if path.endswith("/models"):
            models = [{"id": "mock-model", "object": "model"}]
            return self._json(200, {"object": "list", "data": models})
        return self._missing(path)

    def do_PUT(self) -> None:
        """Take a script: ``/scenario/<name>``."""
        path = urlsplit(self.path).path
        raw, found = self._body(), _SCRIPT.fullmatch(path)
        if not found:
            return self._missing(path)
        try:
            script = read_script(json.loads(raw))
        except ValueError as error:
            return self._json(400, {"error": {"message": str(error)}})
        self.book.put(found[1], script)
        return self._json(200, {"ok": True})

    def do_POST(self) -> None:
        """Answer a model's question at ``/s/<script>/<run>/...``."""
        path = urlsplit(self.path).path
        raw, route = self._body(), _ROUTE.match(path)
        if not route:
            return self._missing(path)
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            body = {"undecodable": len(raw)}
        asked = question(route["rest"], body)
        told = {"path": self.path, "headers": dict(self.headers), "body": body}
        if asked is None:
            self.book.record(route["run"], {**told, "step": None})
            return self._missing(route["rest"])
        if asked.counts:
            tokens = len(raw) // 4
            return self._json(200, {"input_tokens": tokens, "totalTokens": tokens})
        text = raw.decode("utf-8", "replace")
        try:
            script, run = self.book.route(route["script"], route["run"], text)
        except KeyError:
            return self._missing(f"script {route['script']!r} for this request")
        step, number = self.book.take(script, run, main=asked.main)
        self.book.record(run, {**told, "step": number})
        return self._answer(step.quoting(text), asked)

    def _answer(self, step: Step, asked: Question) -> None:
        self.closing.wait(step.delay)
        if step.hang is not None:
            self.closing.wait(step.hang)
            self.close_connection = True
            return
        if step.http:
            body = asked.dialect.error(step.http) if step.body is None else step.body
            self._json(step.http, body, step.headers)
            return
        if not asked.streams and asked.dialect.whole is not None:
            self._json(200, asked.dialect.whole(step, asked.model))
            return
        self._stream(step, asked)

    def _stream(self, step: Step, asked: Question) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("cache-control", "no-cache")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        for number, event in enumerate(asked.dialect.events(step, asked.model)):
            if number and step.drop:
                return
            if number and step.hang_after_start is not None:
                self.closing.wait(step.hang_after_start)
                return
            name, payload = event if isinstance(event, tuple) else ("", event)
            head = f"event: {name}\n" if name else ""
            self._say(f"{head}data: {json.dumps(payload)}\n\n")
            self.closing.wait(step.gap)
        self._say(asked.dialect.ending)

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.wfile.flush()

    def _missing(self, what: str) -> None:
        self._json(404, {"error": {"message": f"nothing at {what}"}})

    def _json(self, status: int, document: Any, headers: Any = None) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _body(self) -> bytes:
        if "chunked" in (self.headers.get("transfer-encoding") or ""):
            return self._chunks()
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        return gzip.decompress(raw) if self.headers.get("content-encoding") == "gzip" else raw

    def _chunks(self) -> bytes:
        whole = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole
