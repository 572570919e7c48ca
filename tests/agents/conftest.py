"""A small dialect and a finished run to read with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.api import AgentEvent, Dialect, Usage, WorkerOutcome, collect_report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from gitcto.api import WorkerReport


def meanings(record: Mapping[str, Any]) -> Iterable[AgentEvent]:
    usage = Usage(**record["usage"]) if "usage" in record else None
    told = {name: record[name] for name in ("text", "name", "ok") if name in record}
    yield AgentEvent(kind=record["kind"], usage=usage, **told)


PLAIN = Dialect(name="plain", events=meanings)


@dataclass
class Finished:
    """A run that has ended; its output is written as JSON lines or as raw bytes."""

    outcome: WorkerOutcome
    dialect: Dialect = PLAIN

    def said(self, *lines: object, **how: Any) -> WorkerReport:
        raw = b"".join(
            (line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n"
            for line in lines
        )
        return self.printed(raw, **how)

    def printed(self, raw: bytes, *, stderr: bytes = b"", **how: Any) -> WorkerReport:
        self.outcome.stdout.write_bytes(raw)
        self.outcome.stderr.write_bytes(stderr)
        return collect_report(self.dialect, replace(self.outcome, **how))


@pytest.fixture
def run(tmp_path: Path) -> Finished:
    outcome = WorkerOutcome(
        stdout=tmp_path / "stdout.log",
        stderr=tmp_path / "stderr.log",
        scratch=tmp_path,
        code=0,
        cause="exited",
    )
    return Finished(outcome)
