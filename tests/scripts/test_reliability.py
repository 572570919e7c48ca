"""The page about reliability says what the kept figures say, and nothing else."""

import importlib.util
import json
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "scripts/reliability"
MACHINE = {
    "cores": 2,
    "load": 0.5,
    "system": "Linux",
    "architecture": "x86_64",
    "python": "3.11",
    "git": "2",
}
WHERE = "2 cores (load 0.5), Linux x86_64, Python 3.11, git 2"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: Any) -> ModuleType:
    """The script, with figures of its own."""
    loader = SourceFileLoader("scripts_reliability", str(PROGRAM))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, loader.name, module)
    loader.exec_module(module)
    monkeypatch.setattr(module, "FIGURES", tmp_path)
    return module


def page(program: ModuleType) -> str:
    return program.rewritten(f"# Before\n{program.BEGIN}old\n{program.END}after\n")


def test_the_page_is_what_the_kept_figures_make_of_it() -> None:
    done = subprocess.run((sys.executable, PROGRAM, "--check"), capture_output=True, check=False)
    assert done.returncode == 0, "write it with `scripts/reliability --render`"


def test_parts_without_figures_are_named_and_nothing_else_changes(program: ModuleType) -> None:
    text = page(program)
    assert text.startswith("# Before\n")
    assert text.endswith(f"{program.END}after\n")
    assert "\nold\n" not in text
    assert text.count("No figures are kept yet.") == len(program.PARTS)
    with pytest.raises(ValueError, match="no place"):
        program.rewritten("# Before\n")


def test_figures_of_any_shape_become_tables(program: ModuleType, tmp_path: Path) -> None:
    figures = {
        "machine": MACHINE,
        "seeds": 12345,
        "rate": 1234.5678,
        "faults": {"crash": 3, "stall": 4},
        "moments": {"early": {"rounds": 2, "took_s": 0.51}, "late": {"rounds": 3, "took_s": 1.0}},
        "found": [{"bug": "no fence", "seed": 7}, {"bug": "no lease", "seed": 9}],
        "violations": [],
    }
    (tmp_path / "simulation.json").write_text(json.dumps(figures))
    lines = [" ".join(line.split()) for line in page(program).splitlines()]
    for wanted in (
        f"Again: `python -m gitcto.testing.simulation --seeds 0-1000`. Measured on {WHERE}.",
        "| seeds | 12,345 |",
        "| rate | 1,235 |",
        "| faults: crash | 3 |",
        "| broken invariants | 0 |",
        "| moments | rounds | took (s) |",
        "| early | 2 | 0.51 |",
        "| found | bug | seed |",
        "| 2 | no lease | 9 |",
    ):
        assert wanted in lines


def test_chaos_has_a_row_for_each_scenario(program: ModuleType, tmp_path: Path) -> None:
    result = {"scenario": "disk-full", "verdict": "not run", "why": ["no namespaces"]}
    figures = {
        "machine": MACHINE,
        "seed": 1,
        "counts": {"met": 0, "failed": 0, "not run": 1},
        "scenarios": [result],
    }
    (tmp_path / "chaos.json").write_text(json.dumps(figures))
    text = page(program)
    assert "| disk-full | NOT RUN |" in text
    assert "- disk-full: no namespaces" in text


def test_an_unknown_part_is_refused() -> None:
    argv = (sys.executable, PROGRAM, "nothing")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there are explorer, simulation" in done.stderr
