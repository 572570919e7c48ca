"""A scripted model server: it stands in for the model behind a real agent.

On loopback it speaks OpenAI's Responses (codex) and chat completions (opencode, qwen, pi),
Anthropic's messages (claude) and Google's generateContent (gemini). The path says which script
answers and whose request it is, so many agents can share one server::

    with ModelServer() as server:
        server.script("edit", [{"tool": "write_file", "args": {...}}, {"text": "done"}])
        base_url = server.url("edit", run="one") + "/v1"    # gemini and claude add that themselves

Each request that offers tools takes the next step of its run. As a program:
``python -m gitcto.testing.model_server --help``.
"""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from gitcto.testing.model_server.book import Book, Run
from gitcto.testing.model_server.handler import Handler
from gitcto.testing.model_server.steps import Script, Step, read_script

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["ModelServer", "Run", "Script", "Step", "read_script"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that broke: scripts break connections on purpose."""


class ModelServer:
    """A server on a free loopback port, from ``start`` or ``with`` to ``close``.

    ``log`` is a directory that gets a file of each run's requests.
    """

    def __init__(self, *, port: int = 0, log: Path | None = None) -> None:
        self._book = Book(log)
        self._closing = threading.Event()
        parts = {"book": self._book, "closing": self._closing}
        self._server = _Server(("127.0.0.1", port), type("Bound", (Handler,), parts))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def serve(self) -> None:
        """Answer in this thread until it is interrupted."""
        self._server.serve_forever()

    def close(self) -> None:
        """End every answer that is under way, and the server."""
        self._closing.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def script(self, name: str, steps: Any) -> None:
        """Keep a script under a name; see :func:`read_script`. Raises ``ValueError``."""
        self._book.put(name, read_script(steps))

    def topics(self, name: str, scripts: Mapping[str, Any]) -> None:
        """Keep several scripts under a name, each for the requests that mention its topic.

        The first topic that a request mentions counts; the run of each is ``<run>.<topic>``.
        Raises ``ValueError``.
        """
        self._book.put_topics(name, {topic: read_script(each) for topic, each in scripts.items()})

    def url(self, script: str, run: str) -> str:
        """Return the base URL of a run: give every process that is started a fresh one."""
        return f"http://127.0.0.1:{self.port}/s/{script}/{run}"

    def run(self, run: str) -> Run:
        """Return what a run has asked so far."""
        return self._book.run(run)

    def __enter__(self) -> Self:
        """Begin to answer."""
        return self.start()

    def __exit__(self, *error: object) -> None:
        """End."""
        self.close()
