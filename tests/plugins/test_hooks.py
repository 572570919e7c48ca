"""Every hook is documented word for word, and has a test of its own name."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitcto import hookspecs
from gitcto.model.codec import Event
from gitcto.model.events import TeamModeChanged
from gitcto.model.records import TeamMode

if TYPE_CHECKING:
    from gitcto.testing.site import PluginSite

ROOT = Path(__file__).parents[2]
SOURCE = inspect.getsource(hookspecs)
HOOKS = {node.name: node for node in ast.parse(SOURCE).body if isinstance(node, ast.FunctionDef)}


def registers(kind: str, descriptor: str, more: str = "") -> str:
    return f"""
from gitcto.api import {descriptor}, hookimpl

@hookimpl
def gitcto_register_{kind}(register):
    register.add({descriptor}(name="mine", summary="Mine.", target="m:X"{more}))
"""


@pytest.mark.parametrize("name", HOOKS)
def test_the_reference_says_what_the_code_says(name: str) -> None:
    page = (ROOT / "docs/reference/hooks.md").read_text(encoding="utf-8")
    signature = (ast.get_source_segment(SOURCE, HOOKS[name]) or "").split('"""')[0].strip()
    section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert f"```python\n{signature}\n```" in section
    assert f"```text\n{ast.get_docstring(HOOKS[name])}\n```" in section


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_says_what_an_author_must_know(name: str) -> None:
    text = ast.get_docstring(HOOKS[name]) or ""
    parameters = [argument.arg for argument in HOOKS[name].args.args]
    assert [f":param {each}:" in text for each in parameters] == [True] * len(parameters)
    assert re.search(r"\b(Stable|Provisional)\.$", text.splitlines()[0])
    assert "Return values are ignored." in text
    assert "An exception" in text
    assert re.search(r"^\.\. versionadded:: \d+\.\d+$", text, re.MULTILINE)


def test_every_hook_has_a_test_and_every_section_a_hook() -> None:
    own = {name.removeprefix("test_hook_") for name in globals() if name.startswith("test_hook_")}
    assert own == {name.removeprefix("gitcto_") for name in HOOKS}
    page = (ROOT / "docs/reference/hooks.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\w+)$", page, re.MULTILINE) == list(HOOKS)


def test_every_hook_has_a_user_of_ours() -> None:
    used = "".join(path.read_text() for path in (ROOT / "plugins").glob("*/gitcto_*/hooks.py"))
    assert [name for name in HOOKS if f"def {name}(" not in used] == []


def test_hook_register_commands(site: PluginSite) -> None:
    site.add("cto-x", x=registers("commands", "CommandPoint"))
    assert site.load().commands()["mine"].descriptor.group == "Plugins"


def test_hook_register_providers(site: PluginSite) -> None:
    site.add("cto-x", x=registers("providers", "Provider"))
    assert site.load().providers()["mine"].plugin == "x"


def test_hook_register_workspaces(site: PluginSite) -> None:
    site.add("cto-x", x=registers("workspaces", "Workspace"))
    assert site.load().workspaces()["mine"].distribution == "cto-x"


def test_hook_register_sandboxes(site: PluginSite) -> None:
    site.add("cto-x", x=registers("sandboxes", "Sandbox", ", level='detect'"))
    assert site.load().sandboxes()["mine"].descriptor.level == "detect"


def test_hook_register_gates(site: PluginSite) -> None:
    site.add("cto-x", x=registers("gates", "Gate", ", deadline_s=5.0"))
    assert site.load().gates()["mine"].descriptor.deadline_s == 5.0


def test_hook_register_planners(site: PluginSite) -> None:
    site.add("cto-x", x=registers("planners", "Planner", ", suffixes=('.txt',)"))
    assert site.load().planners()["mine"].descriptor.suffixes == (".txt",)


def test_hook_register_merge_resolvers(site: PluginSite) -> None:
    site.add("cto-x", x=registers("merge_resolvers", "MergeResolver", ", rank=5"))
    assert site.load().merge_resolvers()["mine"].descriptor.rank == 5


def test_hook_register_predictors(site: PluginSite) -> None:
    site.add("cto-x", x=registers("predictors", "Predictor"))
    assert site.load().predictors()["mine"].plugin == "x"


def test_hook_register_strategies(site: PluginSite) -> None:
    site.add("cto-x", x=registers("strategies", "StrategyFile"))
    assert site.load().strategies()["mine"].descriptor.target == "m:X"


def test_hook_register_integrations(site: PluginSite) -> None:
    site.add("cto-x", x=registers("integrations", "Integration", ", effects=('note',)"))
    assert site.load().integrations()["mine"].descriptor.lookup == "none"


def test_hook_on_event(site: PluginSite, tmp_path: Path) -> None:
    text = """
from gitcto.api import hookimpl

@hookimpl
def gitcto_on_event(kind, context):
    (context.state_dir / kind).write_text(context.team)
"""
    body = TeamModeChanged(mode=TeamMode.PAUSED)
    event = Event(id="0" * 26, ts=1, actor="ada", prev="", v=1, body=body)
    site.add("cto-x", x=text).load().notify(event, team="main", seq=1, state_root=tmp_path)
    assert (tmp_path / "x" / "team.mode_changed").read_text() == "main"
