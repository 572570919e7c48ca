from __future__ import annotations

from typing import Any

import pytest
from gitcto_paths.gate import PathsGate

from gitcto.api import Change, CtoError, TaskSpec
from gitcto.testing import gate_context


def judged(*paths: str, scope: tuple[str, ...] = (), **settings: Any) -> tuple[str, str, str]:
    changes = tuple(Change(status="M", path=path, mode="100644") for path in paths)
    task = TaskSpec(id="T-1", title="Title", paths=scope)
    result = PathsGate().judge(gate_context(task=task, changes=changes, settings=settings))
    return result.status, result.reason, result.detail


def test_the_task_decides_before_the_default() -> None:
    assert judged("docs/a.md", scope=("docs",), allowed=["src/**"])[0] == "pass"
    assert judged("src/a.py", scope=("docs",), allowed=["src/**"])[:2] == ("fail", "out_of_scope")


def test_without_any_scope_everything_is_in_it() -> None:
    assert judged("anything/at/all")[0] == "pass"


def test_the_default_holds_for_tasks_without_paths() -> None:
    assert judged("src/a.py", allowed=["src/**"])[0] == "pass"
    status, reason, detail = judged("src/a.py", "setup.py", allowed=["src/**"])
    assert (status, reason) == ("fail", "out_of_scope")
    assert detail == "'setup.py' is outside src/**"


@pytest.mark.parametrize("path", ["policy.toml", "POLICY.toml", ".github/workflows/ci.yml"])
def test_protected_paths_are_refused_whatever_the_scope(path: str) -> None:
    protected = ["policy.toml", ".github"]
    assert judged(path, scope=("**",), protected=protected)[:2] == ("fail", "protected_path")


def test_many_paths_are_counted_and_hostile_ones_are_escaped() -> None:
    paths = [f"{number}\x1b[31m\n" for number in range(7)]
    detail = judged(*paths, scope=("src",))[2]
    assert "and 2 more" in detail
    assert detail.isprintable()


@pytest.mark.parametrize("settings", [{"allow": []}, {"allowed": "src"}, {"protected": [1]}])
def test_bad_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(CtoError, match="gate paths: "):
        judged("a", **settings)
