"""There is one path on which an agent is started, and everything that guards it is on that path.

The core knows no agent: only a provider's ``launch`` says how one starts. So whoever could start
one must ask for that, and only :mod:`gitcto.runtime.agents.attempt` does; ``git cto run``,
``plan draft``, ``provider stage compare``, the demo and chaos all come through it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

RUNNER = "gitcto/runtime/agents/attempt.py"
GUARD, SPAWN = "must_be_as_found", "spawn"

SPAWNERS = {
    RUNNER: "an agent",
    "gitcto/runtime/host/probing.py": "the prober of a sandbox, a program of ours",
    "gitcto/escape/bystanders.py": "a bystander of an escape, a program of ours",
}
"""Who starts something under a supervisor that stays, and what that is."""

KIT = ("gitcto/testing/",)
"""The kit for tests plays the runner itself, against a provider alone, in no team."""


def sources() -> Iterator[tuple[str, str]]:
    """Yield every module of the product with its text."""
    folders = ["gitcto", *(str(p.relative_to(ROOT)) for p in ROOT.glob("plugins/*/gitcto_*"))]
    for folder in sorted(folders):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if not name.startswith(KIT):
                yield name, path.read_text(encoding="utf-8")


def second_paths(name: str, source: str) -> list[str]:
    """Return what in a module could start an agent besides the one runner."""
    problems = []
    for node in ast.walk(ast.parse(source)):
        asks = isinstance(node, ast.Call) and any(
            isinstance(each, ast.Constant) and each.value == "launch" for each in node.args
        )
        reaches = isinstance(node, ast.Attribute) and node.attr == "launch"
        if (asks or reaches) and name != RUNNER:
            problems.append(f"{name}:{_line(node)} asks a provider to launch")
        if _spawns(node) and name not in SPAWNERS:
            problems.append(f"{name}:{_line(node)} starts something under a supervisor")
    return problems


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _spawns(node: ast.AST) -> bool:
    """Tell whether this takes hold of ``workers.spawn``, by whatever name it is called later."""
    if isinstance(node, ast.Attribute) and node.attr == SPAWN:
        return isinstance(node.value, ast.Name) and node.value.id == "workers"
    if isinstance(node, ast.ImportFrom) and node.module == "gitcto.runtime.worker.workers":
        return any(alias.name == SPAWN for alias in node.names)
    return False


def unguarded(source: str) -> list[str]:
    """Return what is wrong with the runner: each start must come after its guard, in one place."""
    tree = ast.parse(source)
    starts = [f for f in _functions(tree) if any(_spawns(node) for node in ast.walk(f))]
    if [f.name for f in starts] != ["_spawn"]:
        return [f"{f.name} starts a worker" for f in starts if f.name != "_spawn"] or ["none does"]
    callers = [f for f in _functions(tree) if _calls(f, "_spawn")]
    problems = []
    for caller in callers:
        guards, begins = _calls(caller, GUARD), _calls(caller, "_spawn")
        if not guards or min(guards) > min(begins):
            problems.append(f"{caller.name} starts a worker without {GUARD} before it")
    return problems if callers else ["nobody calls it"]


def _functions(tree: ast.AST) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def _calls(function: ast.FunctionDef, name: str) -> list[int]:
    """Return the lines in which a function calls another by its name."""
    return [
        node.lineno
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def test_nothing_but_the_runner_starts_an_agent() -> None:
    assert [problem for name, source in sources() for problem in second_paths(name, source)] == []


def test_the_runner_looks_at_the_provider_before_each_start() -> None:
    assert unguarded((ROOT / RUNNER).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("gitcto/cli/plan_draft.py", 'ask(plugins, registered, "launch", request, deadline_s=9)'),
        ("gitcto/cli/plan_draft.py", "launch = provider.launch(request)"),
        ("gitcto/runtime/queue/judging.py", "how = CaseProvider().launch"),
        (
            "gitcto/runtime/queue/judging.py",
            "from gitcto.runtime.worker.workers import spawn as begin",
        ),
        ("gitcto/runtime/queue/judging.py", "start = workers.spawn"),
        ("plugins/case/gitcto_case/provider.py", "self.launch(request)"),
    ],
)
def test_a_second_path_is_found(name: str, source: str) -> None:
    assert second_paths(name, source)


@pytest.mark.parametrize(
    "source",
    [
        "def _spawn():\n    workers.spawn()\ndef begin():\n    _spawn()",
        "def _spawn():\n    workers.spawn()\ndef begin():\n    _spawn()\n    must_be_as_found()",
        "def _spawn():\n    workers.spawn()\ndef other():\n    workers.spawn()",
        "def _spawn():\n    workers.spawn()",
        "def begin():\n    pass",
    ],
)
def test_a_start_without_its_guard_is_found(source: str) -> None:
    assert unguarded(source)
