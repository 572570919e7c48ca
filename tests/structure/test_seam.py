"""The loop asks a World: its modules open no door to files, processes, git or threads."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LOOP = ("gitcto.runtime.core", "gitcto.runtime.loop", "gitcto.runtime.queue")
"""The sub-rooms whose modules decide what a run does next, with the values they decide about."""

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
        "gitcto.provider_contracts",
        "gitcto.runtime.worker.worker_values",
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
        "shlex",
        "threading",
        "typing",
    }
)
"""Of ``pathlib`` only paths without a file system, of ``threading`` only flags."""

NAMES = {"pathlib": {"PurePath", "PurePosixPath"}, "threading": {"Event"}}

CONTRACTS = {
    "gitcto.runtime.core.jobs": {"queue", "threading"},
    "gitcto.runtime.core.world": {"gitcto.effects", "gitcto.store.ledger"},
}
"""Where the doors are named: what runs jobs, and what a world offers."""


def problems(module: str, source: str) -> Iterator[str]:
    """Yield what a module of the loop imports and must not."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            asked = [(alias.name, set[str]()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {alias.name for alias in node.names}
            asked = [(one, names) for one in _resolved(node.module, names)]
        else:
            continue
        known = CONTRACTS.get(module, set())
        yield from (f"{module}: {one}" for one, n in asked if one not in known and _is_shut(one, n))


def _resolved(module: str, names: set[str]) -> list[str]:
    is_room = module.startswith("gitcto.runtime") and (ROOT / module.replace(".", "/")).is_dir()
    return [f"{module}.{name}" for name in sorted(names)] if is_room else [module]


def _is_shut(module: str, names: set[str]) -> bool:
    if module in NAMES:
        return not (names and names <= NAMES[module])
    rooms = tuple(f"{room}." for room in LOOP)
    return not (module in PURE | STANDARD or module.startswith((*rooms, *PURE_ROOMS)))


def test_the_loop_opens_no_door() -> None:
    files = [path for room in LOOP for path in (ROOT / room.replace(".", "/")).glob("*.py")]
    assert len(files) > len(LOOP)
    found = [
        problem
        for path in sorted(files)
        for problem in problems(
            ".".join(path.relative_to(ROOT).with_suffix("").parts), path.read_text("utf-8")
        )
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
        "from gitcto.runtime import host",
        "import os",
        "import threading",
    ],
)
def test_an_open_door_is_found(source: str) -> None:
    assert list(problems("gitcto.runtime.loop.orchestrator", source))
