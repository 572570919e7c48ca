"""A first policy for a repository: commented, and working for the languages it sees."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

Reader = Callable[[str], str | None]
"""Gives the text of a tracked file, or None when there is none to be had."""

_PYTEST_CONFIG = (
    ("pytest.ini", ""),
    ("pyproject.toml", "[tool.pytest"),
    ("tox.ini", "[pytest]"),
    ("setup.cfg", "[tool:pytest]"),
)
_PYTHON_MARKERS = frozenset({"pyproject.toml", "setup.py", "setup.cfg", "requirements.txt"})
_MAKE_TEST = re.compile(r"^test\s*:(?!=)", re.MULTILINE)
_NPM_PLACEHOLDER = "no test specified"


class _Suite(NamedTuple):
    language: str
    argv: tuple[str, ...]
    note: str
    settings: str = ""


def starter_policy(files: Iterable[str], read: Reader, worker: Iterable[str] = ()) -> str:
    """Return the text of a first ``policy.toml``.

    ``files`` are the tracked paths and ``read`` gives the text of one; ``worker`` is the argv that
    starts an agent, when it is known. Without a test command that we recognise, every tier is left
    without gates, so that nothing lands before a person has named one.
    """
    tracked = frozenset(files)
    suites = _suites(tracked, read)
    tests = [_gate_name(suite, suites) for suite in suites]
    parts = [_HEAD, _WORKER.format(argv=_argv(tuple(worker) or _NO_WORKER))]
    parts.extend(
        _TESTS.format(
            name=name, extra=_extra(name, suite), argv=_argv(suite.argv), settings=suite.settings
        )
        for name, suite in zip(tests, suites, strict=True)
    )
    if suites:
        demanded = ("nonempty", "paths", "secrets", *tests)
        reviewed = _argv((*demanded, "diff-size", "review"))
        parts.extend((_GATES, _TIERS.format(gates=_argv(demanded), reviewed=reviewed)))
    else:
        parts.extend((_NO_TESTS, _GATES, _NO_TIERS))
    parts.append(_REST)
    return "\n".join(parts)


def _suites(tracked: Collection[str], read: Reader) -> list[_Suite]:
    found = (_python(tracked, read), _node(tracked, read), _go(tracked), _rust(tracked))
    suites = [suite for suite in found if suite]
    return suites or [suite for suite in (_make(tracked, read),) if suite]


def _python(tracked: Collection[str], read: Reader) -> _Suite | None:
    top = {path for path in tracked if "/" not in path}
    sources = {path for path in tracked if path.endswith(".py")}
    in_tests = {path for path in sources if path.startswith(("tests/", "test/"))}
    if not (in_tests or top & (_PYTHON_MARKERS | sources)):
        return None
    configured = any(
        name in tracked and word in (read(name) or "") for name, word in _PYTEST_CONFIG
    )
    if in_tests or configured or "conftest.py" in top:
        note = "the python3 on PATH needs pytest and what the project imports; name another if not"
        return _Suite("python", _PYTEST, note, _PYTEST_SETTINGS.format(rerun=_argv(_PYTEST_AGAIN)))
    return _Suite("python", ("python3", "-m", "unittest", "discover"), "", _UNITTEST_SETTINGS)


def _node(tracked: Collection[str], read: Reader) -> _Suite | None:
    if "package.json" not in tracked:
        return None
    try:
        script = json.loads(read("package.json") or "{}")["scripts"]["test"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(script, str) or _NPM_PLACEHOLDER in script:
        return None
    note = "the gate's checkout has no node_modules: let the script install what it needs"
    return _Suite("node", ("npm", "test"), note)


def _go(tracked: Collection[str]) -> _Suite | None:
    return _Suite("go", ("go", "test", "./..."), "") if "go.mod" in tracked else None


def _rust(tracked: Collection[str]) -> _Suite | None:
    return _Suite("rust", ("cargo", "test"), "") if "Cargo.toml" in tracked else None


def _make(tracked: Collection[str], read: Reader) -> _Suite | None:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if name in tracked and _MAKE_TEST.search(read(name) or ""):
            return _Suite("make", ("make", "test"), "")
    return None


def _gate_name(suite: _Suite, suites: Collection[_Suite]) -> str:
    return "tests" if len(suites) == 1 else f"tests-{suite.language}"


def _extra(name: str, suite: _Suite) -> str:
    note = f"# Note: {suite.note}.\n" if suite.note else ""
    plugin = "" if name == "tests" else 'plugin = "tests"\n'
    return f"{note}{plugin}"


def _argv(words: Iterable[str]) -> str:
    """Return words as a TOML list; JSON's escapes are TOML's, but for DEL."""
    return json.dumps(list(words)).replace("\x7f", "\\u007f")


_NO_WORKER = ("your-agent", "--prompt-file", "{prompt_file}")

_HEAD = """\
# The policy of this repository's teams: who works, under which limits, and what must be proved
# before anything lands. Check a change with `git cto policy validate`; `git cto policy show` says
# what it comes down to, defaults included. Every key: docs/reference/policy.md of git-cto.
version = 1

# The branch that a team lands on; no branch that somebody has checked out is ever moved.
target = "cto/{team}/integration"

[concurrency]
max_workers = 4  # at once; 6 is the most

[limits]  # of one attempt
wall_s = 3600
idle_s = 900  # without any sign of life
output_mib = 64

[retries]
max_attempts = 3

# What keeps workers in their rooms: the first of these that holds on this machine. "strict" needs
# bubblewrap. Weaker ones count only when named: "landlock", "seatbelt" (macOS), "detect", "none".
[sandbox]
use = ["strict"]
network = []  # where workers may connect to, for example "api.example.com:443"
reads = []  # further paths they may read, for example "~/.nvm"
"""

_WORKER = """\
# Who does the work. A task without a role is a developer's.
[roles.developer]
provider = "agent"

# How a worker is started: an argv list, never a shell line. Placeholders: {{prompt_file}},
# {{workspace}}, {{scratch}}, {{task.id}}, {{task.title}}, {{attempt}}, {{execution}} and
# {{input.NAME}}.
[providers.agent]
plugin = "command"
argv = {argv}
# pass_env = ["NAME_OF_A_KEY"]  # variables of yours that the worker may see
"""

_TESTS = """\
# The tests, run on the merged result of every attempt, in a checkout of its own.
[gates.{name}]
{extra}argv = {argv}
{settings}deadline_s = 900
"""

_PYTEST = ("python3", "-m", "pytest", "-q", "--junitxml={scratch}/report.xml")
_PYTEST_AGAIN = (*_PYTEST, "{tests}")
_PYTEST_SETTINGS = """\
# It reports which tests failed, so that these are named, and can be run again alone.
junit = "{{scratch}}/report.xml"
names = "pytest"
rerun = {rerun}
not_run_codes = [5]  # no tests were collected
fail_codes = [2, 4]  # a file of tests, or a conftest.py, cannot be imported
"""

_UNITTEST_SETTINGS = """\
count = '^Ran (\\d+) tests? in'  # a run of no tests is not green
"""

_NO_TESTS = """\
# No test command was recognised in this repository. Until you name one here and in the tiers
# below, NOTHING can be dispatched or landed: work that nobody can check is not done.
# [gates.tests]
# argv = ["make", "test"]
# deadline_s = 900
"""

_GATES = """\
# An attempt that changed nothing is not work.
[gates.nonempty]

# A task stays within its own `paths`, or else within `allowed`; nobody changes what is `protected`.
[gates.paths]

# No change adds a key or a token that can be told by its format.
[gates.secrets]
# allow = ["tests/fixtures/**"]

# More gates; each counts once a tier below names it.
# [gates.diff-size]
# max_lines = 800
#
# [gates.review]
# argv = ["your-reviewer", "{request}", "{patch}", "{answer}"]
"""

_TIERS = """\
# What each tier of risk demands. A task without a tier is P1. A tier without gates refuses all.
[tiers.P0]
gates = {gates}
# gates = {reviewed}

# [tiers.P0.approval]  # persons who must approve before it lands
# count = 1
# approvers = ["you@example.com"]

[tiers.P1]
gates = {gates}

[tiers.P2]
gates = {gates}
"""

_NO_TIERS = """\
# What each tier of risk demands. A task without a tier is P1. A tier without gates refuses all:
# fill in the tests above, then write gates = ["nonempty", "paths", "secrets", "tests"]
# in each tier.
[tiers.P0]
gates = []

[tiers.P1]
gates = []

[tiers.P2]
gates = []
"""

_REST = """\
[scope]
allowed = ["**"]
protected = [
  "policy.toml",
  ".gitattributes",
  ".gitmodules",
  ".githooks/**",
  ".husky/**",
  ".pre-commit-config.yaml",
  "lefthook.yml",
]
"""
