"""Which step a request gets, and what was asked: scripts by name, runs by id."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.testing.model_server.steps import Script, Step


@dataclass
class Run:
    """What one run asked so far.

    ``main`` requests used up a step, ``aside`` ones did not; ``last_step`` counts from 0. ``log``
    holds every request: its ``path``, ``headers``, ``body`` and ``step``.
    """

    main: int = 0
    aside: int = 0
    last_step: int = -1
    log: list[dict[str, Any]] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """All requests to a model."""
        return self.main + self.aside


class Book:
    """Scripts and runs, for many threads. ``folder`` gets a file of each run's requests, if any."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._scripts: dict[str, Script] = {}
        self._topics: dict[str, dict[str, Script]] = {}
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def put(self, name: str, script: Script) -> None:
        """Keep a script under a name, instead of one that had it."""
        with self._lock:
            self._scripts[name] = script

    def put_topics(self, name: str, topics: dict[str, Script]) -> None:
        """Keep several scripts under a name: a request gets the one whose topic it mentions."""
        with self._lock:
            self._topics[name] = topics

    def run(self, run: str) -> Run:
        """Return what a run asked; an empty one when it never did."""
        with self._lock:
            return self._runs.setdefault(run, Run())

    def route(self, name: str, run: str, text: str) -> tuple[Script, str]:
        """Return the script that answers a request, and its run. Raises ``KeyError``.

        Each topic counts for itself, in a run called ``<run>.<topic>``.
        """
        with self._lock:
            if name not in self._topics:
                return self._scripts[name], run
            topic = next((topic for topic in self._topics[name] if topic in text), "")
            return self._topics[name][topic], f"{run}.{topic}"

    def take(self, script: Script, run: str, *, main: bool) -> tuple[Step, int]:
        """Return the step that a request gets, and its number."""
        with self._lock:
            state = self._runs.setdefault(run, Run())
            if not main:
                state.aside += 1
                return script.aside, -1
            state.last_step = min(state.main, len(script.steps) - 1)
            state.main += 1
            return script.steps[state.last_step], state.last_step

    def record(self, run: str, entry: dict[str, Any]) -> None:
        """Note a request."""
        with self._lock:
            self._runs.setdefault(run, Run()).log.append(entry)
            if self._folder is not None:
                with (self._folder / f"{run}.jsonl").open("a", encoding="utf-8") as file:
                    file.write(json.dumps(entry) + "\n")
