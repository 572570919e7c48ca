"""``git cto chaos`` with real runs, and the proof that its verdicts are not always green."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitcto.testing.chaos import report, verdict
from gitcto.testing.chaos.engine import play
from gitcto.testing.chaos.scenario import load
from gitcto.testing.chaos.scratch import BRANCH, PROGRAM, Scratch
from gitcto.testing.chaos.strays import end_all, strays

pytestmark = pytest.mark.timeout(200)  # whole runs of teams

DELETED = """\
summary = "The sidecar is deleted."
[fault]
what = "delete-sidecar"
after = "execution.started"
[expect]
recovered = ["landing.done"]
[[task]]
id = "A"
[[task]]
id = "B"
depends_on = ["A"]
attempts = [[{ do = "work" }, { do = "die" }], [{ do = "work" }]]
"""


def cto_chaos(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `git cto chaos` outside of every repository."""
    return subprocess.run(
        (*PROGRAM, "-C", "/", "chaos", *words), capture_output=True, text=True, check=False
    )


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(DELETED)
    return path


def test_a_scenario_is_played_kept_and_reported(scenario: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    done = cto_chaos("--scenario", str(scenario), "--json", "--keep", str(kept), "--seed", "7")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["counts"] == {"met": 1, "failed": 0, "not run": 0}
    [result] = found["scenarios"]
    assert (result["scenario"], result["faults"], result["seed"]) == ("mine", 1, 7)
    assert result["attempts"] == {"started": 3, "failed": 1}
    assert (result["lost_work"], result["double_landings"], result["false_done"]) == (0, 0, 0)
    assert result["mttr"]["max_s"] > 0
    assert (kept / "mine/place/a/repository/.git").is_dir()
    assert "| mine" in report.markdown(found)
    assert cto_chaos("--keep", str(kept)).returncode == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"die" }], [{ do = "work" }]]', '"die" }]]'), "B is failed_terminal (worker_tool"),
        (("[[task]]", "waiting = { A = 'denied' }\n[[task]]"), "A is done (), not waiting: denied"),
        (('after = "execution.started"', "count = 999"), "the fault never happened"),
        (("[[task]]", "attempts_failed = 9\n[[task]]"), "only 1 attempts failed"),
    ],
)
def test_what_did_not_end_as_expected_is_failed(
    scenario: Path, change: tuple[str, str], said: str
) -> None:
    scenario.write_text(scenario.read_text().replace(*change, 1))
    done = cto_chaos("--scenario", str(scenario))
    assert done.returncode == 1, done.stdout
    assert "FAILED" in done.stdout
    assert said in done.stdout


def test_a_task_may_be_meant_to_wait_for_a_person(scenario: Path) -> None:
    text = scenario.read_text().replace('"die" }], [{ do = "work" }]]', '"die" }]]')
    wanted = "waiting = { B = 'worker_tool' }\nattempts_failed = 3\n[[task]]"
    scenario.write_text(text.replace("[[task]]", wanted, 1))
    done = cto_chaos("--scenario", str(scenario))
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """A play that went well; what a test does to it must not keep others from seeing theirs."""
    root = tmp_path_factory.mktemp("play")
    path = root / "mine.toml"
    path.write_text(DELETED)
    result = play(load(path), root / "mine", seed=1)
    assert result["verdict"] == "met", result
    yield Scratch.of(root / "mine")
    end_all(root)


def test_work_that_no_ref_reaches_is_lost(played: Scratch) -> None:
    assert verdict.look(played).lost == ()
    clone = played.clones[0]
    kept = clone.git("for-each-ref", "--format=%(refname)", "refs/cto/teams/main/preserved")
    oid = clone.git("rev-parse", kept)
    clone.git("update-ref", "-d", kept)
    assert verdict.look(played).lost == ("work/B.txt of B, attempt 1",)
    clone.git("update-ref", kept, oid)
    assert verdict.look(played).lost == ()


def test_a_task_on_the_branch_twice_is_a_double_landing(played: Scratch) -> None:
    clone = played.clones[0]
    tip = clone.git("rev-parse", BRANCH)
    text = clone.git("log", "-1", "--format=%B", tip)
    twice = clone.git("commit-tree", f"{tip}^{{tree}}", "-p", tip, stdin=text)
    clone.git("update-ref", f"refs/heads/{BRANCH}", twice)
    assert verdict.look(played).doubled == ("B",)
    clone.git("update-ref", f"refs/heads/{BRANCH}", tip)
    assert verdict.look(played).doubled == ()


def test_a_task_that_is_done_and_not_on_the_branch_is_false(played: Scratch) -> None:
    clone = played.clones[0]
    tip = clone.git("rev-parse", BRANCH)
    clone.git("update-ref", f"refs/heads/{BRANCH}", f"{tip}~1")
    assert verdict.look(played).false == ("B is done and not on the branch",)
    text = clone.git("log", "-1", "--format=%B", tip)
    empty = clone.git("commit-tree", f"{tip}~1^{{tree}}", "-p", f"{tip}~1", stdin=text)
    clone.git("update-ref", f"refs/heads/{BRANCH}", empty)
    [said] = verdict.look(played).false
    assert said.startswith("B is done, and its commit")
    clone.git("update-ref", f"refs/heads/{BRANCH}", tip)


def test_a_process_that_is_left_is_seen_and_ended(played: Scratch) -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("only Linux shows the environment of other processes")
    clone = played.clones[0]
    argv = [sys.executable, "-c", "print(flush=True); import time; time.sleep(60)"]
    with subprocess.Popen(argv, env=clone.environ, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        assert list(strays(played.place)) == [process.pid]
        assert verdict.look(played).wrong == (f"process {process.pid} of an ended run is alive",)
        end_all(played.place)
    assert strays(played.place) == {}


def test_a_file_system_of_its_own_needs_no_root() -> None:
    if subprocess.run(("unshare", "-Urm", "true"), capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    done = cto_chaos("--scenario", "read-only", "--json")
    assert json.loads(done.stdout)["counts"] == {"met": 1, "failed": 0, "not run": 0}, done.stdout


def test_a_scenario_that_cannot_be_played_is_not_met(tmp_path: Path, monkeypatch: Any) -> None:
    """Without namespaces there is no file system of its own: that is said, and never green."""
    (tmp_path / "unshare").write_text("#!/bin/sh\necho 'unshare: not permitted' >&2\nexit 1\n")
    (tmp_path / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    done = cto_chaos("--scenario", "disk-full")
    assert done.returncode == 1
    assert "NOT RUN" in done.stdout
    assert "disk-full: no file system of its own: unshare: not permitted" in done.stdout
