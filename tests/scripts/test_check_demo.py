"""The independent check of the demo believes a true claim and no false one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BRANCH = "cto/main/integration"


class Demo:
    """A repository with two landed tasks and the claim about it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.repository = directory / "repository"
        self.repository.mkdir()
        self.git("init", "-q")
        self.commit("test_it.py", "def test_it():\n    assert 1 + 1 == 2\n", "start")
        self.git("checkout", "-q", "-b", BRANCH)
        one = self.commit("one.py", "x = 1\n", "A-1: one\n\nCto-Task: A-1")
        two = self.commit("two.py", "x = 2\n", "A-2: two\n\nCto-Task: A-2")
        self.claim: dict[str, Any] = {
            "repository": "repository",
            "branch": BRANCH,
            "table": [
                {"task": "A-1", "state": "done", "commit": one},
                {"task": "A-2", "state": "done", "commit": two},
                {"task": "A-3", "state": "blocked", "commit": ""},
            ],
        }

    def git(self, *arguments: str) -> str:
        """Run git in the repository."""
        command = ["git", "-C", str(self.repository), *arguments]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()

    def commit(self, name: str, text: str, message: str) -> str:
        """Commit one file."""
        (self.repository / name).write_text(text, encoding="utf-8")
        self.git("add", name)
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def check(self) -> subprocess.CompletedProcess[str]:
        """Run the check on the claim."""
        result = self.directory / "result.json"
        result.write_text(json.dumps(self.claim), encoding="utf-8")
        command = [sys.executable, str(ROOT / "scripts/check-demo"), str(result)]
        return subprocess.run(command, capture_output=True, check=False, text=True)


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path)


def test_a_true_claim_is_confirmed(demo: Demo) -> None:
    done = demo.check()
    assert (done.returncode, done.stderr) == (0, "")
    assert "pytest on a fresh clone: 1 passed" in done.stdout
    assert done.stdout.endswith("confirmed\n")


def a_wrong_commit(demo: Demo) -> None:
    demo.claim["table"][0]["commit"] = demo.claim["table"][1]["commit"]


def a_task_landed_twice(demo: Demo) -> None:
    demo.commit("again.py", "x = 3\n", "A-1: again\n\nCto-Task: A-1")


def an_unfinished_task_that_landed(demo: Demo) -> None:
    demo.commit("three.py", "x = 3\n", "A-3: three\n\nCto-Task: A-3")


def a_task_missing_from_the_table(demo: Demo) -> None:
    del demo.claim["table"][1]


def a_merge(demo: Demo) -> None:
    demo.git("checkout", "-q", "-b", "side", "HEAD~1")
    demo.commit("side.py", "x = 3\n", "side")
    demo.git("checkout", "-q", BRANCH)
    demo.git("merge", "-q", "--no-edit", "side")


def a_failing_test(demo: Demo) -> None:
    demo.commit("test_it.py", "def test_it():\n    assert 1 + 1 == 3\n", "break it")


def no_test_at_all(demo: Demo) -> None:
    demo.git("rm", "-q", "test_it.py")
    demo.git("commit", "-q", "-m", "remove the tests")


def a_worktree_left_behind(demo: Demo) -> None:
    demo.git("worktree", "add", "-q", "--detach", str(demo.directory / "room"))


def a_damaged_object(demo: Demo) -> None:
    blob = demo.git("rev-parse", "HEAD:one.py")
    path = demo.repository / ".git/objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(b"damage")


def nothing_done(demo: Demo) -> None:
    demo.claim["table"] = []


@pytest.mark.parametrize(
    "lie",
    [
        a_wrong_commit,
        a_task_landed_twice,
        an_unfinished_task_that_landed,
        a_task_missing_from_the_table,
        a_merge,
        a_failing_test,
        no_test_at_all,
        a_worktree_left_behind,
        a_damaged_object,
        nothing_done,
    ],
)
def test_a_false_claim_is_refused(demo: Demo, lie) -> None:
    lie(demo)
    done = demo.check()
    assert done.returncode == 1
    assert "FALSE" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
