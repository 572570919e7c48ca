"""The loop asks a World: its modules open no door to files, processes, git or threads."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LOOP = frozenset(
    {
        "admission",
        "admissions",
        "approvals",
        "asked",
        "book",
        "composing",
        "dispatching",
        "ending",
        "failures",
        "judging",
        "lander",
        "landing",
        "late",
        "leases",
        "mail",
        "mail_collection",
        "merge_queue",
        "ordering",
        "orchestrator",
        "others",
        "parking",
        "purse",
        "queue_pen",
        "queue_runs",
        "recovery",
        "rejecting",
        "selecting",
        "stack",
        "starting",
        "step_ends",
        "survey",
    }
)
"""The modules that decide what a run does next."""

VALUES = frozenset(
    {
        "answers",
        "briefing",
        "candidate",
        "holder",
        "installed",
        "jobs",
        "judged",
        "letters",
        "messages",
        "outside_record",
        "prompt",
        "push_record",
        "queue_messages",
        "reproduce",
        "seats",
        "step_prompts",
        "worker_values",
        "world",
    }
)
"""What they may know of the rest of the room: values and contracts."""

PURE_ROOMS = (
    "gitcto.context",
    "gitcto.model",
    "gitcto.policy",
    "gitcto.queue",
    "gitcto.strategies",
)
PURE = frozenset(
    {
        "gitcto.contracts",
        "gitcto.errors",
        "gitcto.git.change",
        "gitcto.mail_contracts",
        "gitcto.store.queries",
    }
)
"""Values of other rooms: ``store.queries`` for what a ledger's event looks like."""

STANDARD = frozenset(
    {
        "__future__",
        "collections.abc",
        "dataclasses",
        "hashlib",
        "itertools",
        "json",
        "pathlib",
        "threading",
        "typing",
    }
)
"""Of ``pathlib`` only paths without a file system, of ``threading`` only flags."""

NAMES = {"pathlib": {"PurePosixPath"}, "threading": {"Event"}}


def problems(module: str, source: str) -> Iterator[str]:
    """Yield what a module of the loop imports and must not."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (f"{module}: import {alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {alias.name for alias in node.names}
            for one in _resolved(node.module, names):
                if not _is_allowed(one, names):
                    yield f"{module}: {one}"


def _resolved(module: str, names: set[str]) -> list[str]:
    return (
        [f"{module}.{name}" for name in sorted(names)] if module == "gitcto.runtime" else [module]
    )


def _is_allowed(module: str, names: set[str]) -> bool:
    head, _, name = module.rpartition(".")
    if head == "gitcto.runtime":
        return name in LOOP | VALUES
    if module in NAMES:
        return names <= NAMES[module]
    return module in PURE | STANDARD or module.startswith(PURE_ROOMS)


def test_the_loop_opens_no_door() -> None:
    found = [
        problem
        for name in sorted(LOOP)
        for problem in problems(name, (ROOT / f"gitcto/runtime/{name}.py").read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "from gitcto.runtime.worker import workers",
        "from gitcto.runtime.workspace.settle import preserve",
        "from gitcto.git.refs import Refs",
        "from gitcto.store.ledger import Ledger",
        "from pathlib import Path",
        "from threading import Thread",
        "import os",
    ],
)
def test_an_open_door_is_found(source: str) -> None:
    assert list(problems("orchestrator", source))
