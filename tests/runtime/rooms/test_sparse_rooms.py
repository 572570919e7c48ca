"""A task that names its paths gets only these; what lands has everything."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def sparse(crew: Any) -> Any:
    crew.workspace("sparse = true")
    crew.commit(**{"src/a.py": "a\n", "src/b.py": "b\n", "lib/l.py": "l\n", "docs/x/i.md": "i\n"})
    return crew


LIST = ": > src/seen; find . -name .git -prune -o -type f -print | sort > src/seen"


@pytest.mark.parametrize("workspace", ["clone", "worktree"])
def test_only_its_paths_are_there_and_all_else_stays(sparse: Any, workspace: str) -> None:
    sparse.team.policy_text = sparse.team.policy_text.replace('"clone"', f'"{workspace}"')
    sparse.plan(sparse.task("A", f"{LIST}; git status --short > src/status", paths=("src/**",)))
    sparse.team.run()
    assert sparse.team.landed() == ["A"]
    assert sparse.team.show("src/seen").split() == [
        "./base.txt",
        "./src/a.py",
        "./src/b.py",
        "./src/seen",
    ]
    assert sparse.team.show("src/status") == "?? src/seen\n?? src/status"
    changed = sparse.team.git("diff", "--name-status", "main", "cto/main/integration")
    assert changed.splitlines() == ["A\tsrc/seen", "A\tsrc/status"]
    sparse.team.assert_clean()


def test_a_task_that_names_no_paths_gets_everything(sparse: Any) -> None:
    sparse.tasks(A=LIST)
    sparse.team.run()
    assert "./docs/x/i.md" in sparse.team.show("src/seen")


def test_what_is_made_outside_its_paths_is_judged(sparse: Any) -> None:
    script = "echo a > src/new; mkdir lib; echo mine > lib/l.py"
    sparse.plan(sparse.task("A", script, paths=("src/**",)))
    sparse.team.run()
    assert sparse.team.landed() == []
    assert sparse.team.tasks()["A"].reason == "paths:out_of_scope"
    [kept, *_] = sparse.team.preserved()
    assert sparse.team.show("lib/l.py", kept) == "mine"
    assert sparse.team.show("docs/x/i.md", kept) == "i"


@pytest.mark.parametrize("point", ["room.files", "attempt.room", "attempt.harvested", "room.aside"])
def test_after_a_kill_the_rest_is_still_not_deleted(sparse: Any, point: str) -> None:
    sparse.plan(sparse.task("A", "echo 2 > src/a.py; rm src/b.py", paths=("src/**",)))
    sparse.die_at(point)
    sparse.team.run()
    assert sparse.team.landed() == ["A"]
    changed = sparse.team.git("diff", "--name-status", "main", "cto/main/integration")
    assert changed.splitlines() == ["M\tsrc/a.py", "D\tsrc/b.py"]
    sparse.team.assert_clean()
