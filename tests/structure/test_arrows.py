"""Who may import whom: the arrows of the house, read from the sources."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SHARED = frozenset({"errors", "model"})
BELOW_STORE = SHARED | {
    "agents",
    "effects",
    "git",
    "policy",
    "queue",
    "reports",
    "seam",
    "strategies",
}
ABOVE_STORE = BELOW_STORE | {"context", "evidence", "store"}
MAY_IMPORT = {
    "errors": frozenset(),
    "context": frozenset(),
    "model": frozenset(),
    "effects": SHARED,
    "policy": SHARED | {"strategies"},
    "queue": frozenset({"model", "policy"}),
    "reports": frozenset({"errors"}),
    "strategies": frozenset({"model"}),
    "evidence": frozenset({"model"}),
    "git": SHARED | {"effects", "policy"},
    "store": SHARED | {"effects", "evidence", "git", "policy"},
    "seam": BELOW_STORE,
    "agents": SHARED | {"git", "seam"},
    "runtime": ABOVE_STORE,
    "escape": ABOVE_STORE | {"runtime"},
    "cli": ABOVE_STORE | {"escape", "runtime", "testing"},
    "testing": ABOVE_STORE | {"runtime"},
}
"""Room to the other rooms it may know. A module beside the rooms belongs to the seam."""

ON_A_HOST = frozenset({"core", "host", "worker"})
IN_A_ROOM = ON_A_HOST | {"workspace"}
WITHIN_RUNTIME = {
    "worker": frozenset(),
    "core": frozenset({"worker"}),
    "queue": frozenset({"core"}),
    "loop": frozenset({"core", "queue", "worker"}),
    "host": frozenset({"core", "worker"}),
    "workspace": ON_A_HOST,
    "agents": IN_A_ROOM,
    "delivery": IN_A_ROOM,
    "proving": IN_A_ROOM,
    "team": IN_A_ROOM | {"agents", "delivery", "loop", "proving"},
}
"""Sub-room of ``gitcto.runtime`` to the other sub-rooms it may know."""

ONLY_IN = {
    "click": "cli",
    "dulwich": "git",
    "msgspec": "model",
    "pluggy": "seam",
    "rich": "cli",
    "sqlite3": "store",
    "sqlite_utils": "store",
    "tomlkit": "policy",
}
"""What one room hides from all the others."""

PURE = {
    "model": frozenset(
        [
            "__future__",
            "bisect",
            "collections",
            "dataclasses",
            "enum",
            "functools",
            "graphlib",
            "hashlib",
            "heapq",
            "itertools",
            "json",
            "math",
            "msgspec",
            "operator",
            "re",
            "string",
            "types",
            "typing",
        ]
    )
}
PURE["policy"] = PURE["model"] - {"msgspec"} | {"difflib", "pathlib", "tomlkit", "tomllib"}
PURE["queue"] = PURE["model"] - {"msgspec"}
PURE["context"] = PURE["model"] - {"msgspec"}
PURE["strategies"] = PURE["model"] - {"msgspec"}
PURE["reports"] = PURE["model"] - {"msgspec"} | {"xml"}
PURE["evidence"] = PURE["model"] - {"msgspec"} | {"base64", "datetime"}
"""All that a room without input and output may import from outside; policy reads one file."""


def room_of(module: str) -> str:
    """Return the room of a module under ``gitcto``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in MAY_IMPORT else "seam"


def imported(source: str) -> Iterator[str]:
    """Yield every module that ``source`` imports, wherever in the file it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module in {"gitcto", "gitcto.runtime"}:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrow(module: str, name: str) -> str:
    """Return why a module of ``gitcto`` may not import another one, or nothing when it may."""
    room, other = room_of(module), room_of(name)
    if room == other == "runtime":
        room, other = (f"{each}..".split(".")[2] for each in (module, name))
        known = other in {"", room} or other in WITHIN_RUNTIME.get(room, frozenset())
    else:
        known = name in {"gitcto", "gitcto.__version__"} or other in MAY_IMPORT[room] | {room}
    return "" if known else f"{module} ({room}) imports {name} ({other})"


def core_problems(module: str, source: str) -> list[str]:
    """Return the rules that a module of ``gitcto`` breaks."""
    room, problems = room_of(module), []
    for name in imported(source):
        top = name.partition(".")[0]
        if top.startswith("gitcto_"):
            problems.append(f"{module} imports the plugin {top}")
        elif top == "gitcto":
            problems += filter(None, [arrow(module, name)])
        elif room != ONLY_IN.get(top, room):
            problems.append(f"{module} ({room}) imports {name}, which is {ONLY_IN[top]}'s")
        elif room in PURE and top not in PURE[room]:
            problems.append(f"{module} ({room}) must be pure and imports {name}")
    return problems


def plugin_problems(package: str, source: str) -> list[str]:
    """Return the rules that a module of a plugin breaks."""
    problems = []
    for name in imported(source):
        top = name.partition(".")[0]
        behind_the_api = top == "gitcto" and name != "gitcto.api"
        another_plugin = top.startswith("gitcto_") and top != package
        if behind_the_api or another_plugin:
            problems.append(f"{package} imports {name}")
    return problems


def dotted(path: Path, base: Path) -> str:
    """Return the module name of a file."""
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_arrows_of_the_core_point_one_way() -> None:
    problems = [
        problem
        for path in sorted((ROOT / "gitcto").rglob("*.py"))
        for problem in core_problems(dotted(path, ROOT), path.read_text(encoding="utf-8"))
    ]
    assert problems == []


def test_every_module_of_the_runtime_lies_in_one_of_its_sub_rooms() -> None:
    runtime = ROOT / "gitcto/runtime"
    found = {path.relative_to(runtime).parts[0] for path in runtime.rglob("*.py")}
    assert found == {*WITHIN_RUNTIME, "__init__.py"}


def test_plugins_import_only_the_api_and_themselves() -> None:
    packages = sorted((ROOT / "plugins").glob("*/gitcto_*"))
    assert packages
    problems = [
        f"{path.relative_to(ROOT)}: {problem}"
        for package in packages
        for path in sorted(package.rglob("*.py"))
        for problem in plugin_problems(package.name, path.read_text(encoding="utf-8"))
    ]
    assert problems == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("gitcto.git.refs", "from gitcto.store.ledger import Ledger"),
        ("gitcto.store.ledger", "import gitcto.runtime.queue.landing"),
        ("gitcto.runtime.loop.mail", "def f():\n    from gitcto.cli import output"),
        ("gitcto.model.decide", "from gitcto import errors, git"),
        ("gitcto.policy.load", "from gitcto.store import ledger"),
        ("gitcto.plugins", "from gitcto.runtime.loop import orchestrator"),
        ("gitcto.runtime.loop.mail", "import gitcto_fake.worker"),
        ("gitcto.runtime.loop.mail", "from gitcto_fake import worker"),
        ("gitcto.store.codec", "import msgspec"),
        ("gitcto.store.objects", "from dulwich.repo import Repo"),
        ("gitcto.git.refs", "import sqlite3"),
        ("gitcto.runtime.team.run", "from rich.console import Console"),
        ("gitcto.model.evolve", "import os"),
        ("gitcto.model.evolve", "if TYPE_CHECKING:\n    from pathlib import Path"),
        ("gitcto.policy.load", "import subprocess"),
        ("gitcto.queue.decide", "import random"),
        ("gitcto.reports.junit", "from gitcto.git.process import Git"),
        ("gitcto.reports.junit", "from pathlib import Path"),
        ("gitcto.evidence.report", "from gitcto.git.objects import Objects"),
        ("gitcto.evidence.report", "from pathlib import Path"),
        ("gitcto.queue.decide", "from gitcto.effects import SystemEffects"),
        ("gitcto.store.ledger", "from gitcto.queue.decide import decide"),
        ("gitcto.strategies.advance", "from gitcto.policy.records import Policy"),
        ("gitcto.strategies.advance", "from pathlib import Path"),
        ("gitcto.agents.lines", "from gitcto.runtime.worker.workers import spawn"),
        ("gitcto.store.ledger", "from gitcto.agents.lines import read_lines"),
        ("gitcto.runtime.loop.mail", "from gitcto.runtime.workspace.rooms import Rooms"),
        ("gitcto.runtime.queue.stack", "from gitcto.runtime import loop"),
        ("gitcto.runtime.worker.workers", "import gitcto.runtime.core.seats"),
        ("gitcto.runtime.host.ask", "def f():\n    from gitcto.runtime.team import run"),
        ("gitcto.runtime.workspace.pool", "from gitcto.runtime.agents import attempt"),
        ("gitcto.runtime.astray", "from gitcto.runtime.core import seats"),
    ],
)
def test_a_reversed_arrow_is_found(module: str, source: str) -> None:
    assert core_problems(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("gitcto.cli.run", "from gitcto.runtime.team.run import run\nimport click"),
        ("gitcto.runtime.team.run", "from gitcto.runtime.loop import mail\nimport gitcto.runtime"),
        ("gitcto.runtime.loop.mail", "from gitcto.runtime.loop.late import take_late"),
        (
            "gitcto.runtime.loop.mail",
            "from gitcto.store import ledger\nfrom gitcto.plugins import Plugins",
        ),
        ("gitcto.store.ledger", "from gitcto.git.refs import Refs\nimport sqlite3"),
        ("gitcto.model.evolve", "from gitcto.model import events\nfrom msgspec import Struct"),
        ("gitcto.cli.entry", "from gitcto import __version__"),
    ],
)
def test_a_right_arrow_is_not(module: str, source: str) -> None:
    assert core_problems(module, source) == []


@pytest.mark.parametrize(
    "source",
    [
        "from gitcto.errors import CtoError",
        "import gitcto.git",
        "import gitcto_other",
        "import gitcto",
    ],
)
def test_a_plugin_that_looks_behind_the_api_is_found(source: str) -> None:
    assert plugin_problems("gitcto_mine", source)


def test_a_plugin_may_use_itself_and_the_api() -> None:
    source = "from gitcto.api import Gate\nfrom gitcto_mine.work import run\nimport os"
    assert plugin_problems("gitcto_mine", source) == []
