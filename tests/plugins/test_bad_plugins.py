"""A check that cannot fail proves nothing: each broken plugin is rejected by the rule it breaks."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gitcto.entrypoints import Source
from gitcto.plugin_check import Finding, check

FOLDER = Path(__file__).parents[1] / "bad_plugins"
BROKEN = sorted(path.stem for path in FOLDER.glob("bad_*.py") if path.stem != "bad_work")
ALSO = {"bad_residue": {"light"}}
"""Rules that cannot be broken without breaking another."""


def findings_of(module: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Finding, ...]:
    monkeypatch.syspath_prepend(str(FOLDER))
    name = module.replace("_", "-")
    return check(Source(plugin=name, module=module, distribution="cto-bad", version="1.0"))


@pytest.mark.parametrize("module", BROKEN)
def test_each_broken_plugin_is_rejected_by_name(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = module.removeprefix("bad_").replace("_", "-")
    found = findings_of(module, monkeypatch)
    assert {finding.rule for finding in found} == {rule} | ALSO.get(module, set())
    assert all(finding.message.isprintable() for finding in found)


def test_a_good_plugin_breaks_no_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    assert findings_of("good", monkeypatch) == ()


def test_every_rule_has_its_broken_plugin() -> None:
    source = (FOLDER.parents[1] / "gitcto" / "plugin_check.py").read_text(encoding="utf-8")
    rules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_finding":
            rules.update(
                each.value
                for each in ast.walk(node.args[0])
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )
    shown = {module.removeprefix("bad_").replace("_", "-") for module in BROKEN}
    # `name` is about the entry point, which has no module: the next test breaks it.
    assert rules - {"name", "wrapper"} == shown


def test_a_plugins_own_name_is_checked() -> None:
    source = Source(plugin="Bad Name", module="good", distribution="cto-bad", version="1.0")
    assert [finding.rule for finding in check(source)] == ["name"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("module", "classes"), [("broken_promises", 23), ("broken_sandboxes", 9)])
def test_each_broken_implementation_fails_exactly_its_promise(
    tmp_path: Path, module: str, classes: int
) -> None:
    report = tmp_path / "report.xml"
    program = FOLDER / f"{module}.py"
    command = [sys.executable, "-m", "pytest", "-c", str(tmp_path / "pytest.ini"), "--rootdir"]
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    subprocess.run(
        [*command, str(tmp_path), "-p", "no:cacheprovider", f"--junitxml={report}", str(program)],
        capture_output=True,
        cwd=tmp_path,
        timeout=290,
        check=False,
    )
    cases = ET.parse(report).iter("testcase")  # noqa: S314  # written by pytest just now
    broken: dict[str, set[str]] = {}
    for case in cases:
        name = case.attrib["classname"].rpartition(".")[2]
        failed = broken.setdefault(name, set())
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(case.attrib["name"].partition("[")[0])
    tree = ast.parse(program.read_text(encoding="utf-8"))
    wanted = {
        node.name: set(node.body[0].value.value.split())  # type: ignore[attr-defined]
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test")
    }
    assert len(wanted) >= classes
    assert broken == wanted
