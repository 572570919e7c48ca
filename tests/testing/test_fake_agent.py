from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gitcto.testing import fake_agent

if TYPE_CHECKING:
    from collections.abc import Iterator

Step = dict[str, Any]


class Agent:
    """The real program, in a room of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.room = root / "room"
        self.room.mkdir()
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *attempts: list[Step], attempt: int = 1) -> subprocess.Popen[bytes]:
        script = self.root / "script.json"
        script.write_text(json.dumps(attempts))
        process = subprocess.Popen(
            [sys.executable, "-I", fake_agent.__file__, str(script)],
            cwd=self.room,
            env={"PATH": os.environ["PATH"], "CTO_ATTEMPT": str(attempt)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.started.append(process)
        return process

    def run(self, *steps: Step) -> tuple[int, bytes, bytes]:
        process = self.start(list(steps))
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    made = Agent(tmp_path)
    yield made
    for process in made.started:
        process.kill()
        process.communicate()


def test_it_edits(agent: Agent) -> None:
    code, out, err = agent.run(
        {"do": "write", "path": "a/b.sh", "text": "one\n", "mode": "755"},
        {"do": "append", "path": "a/b.sh", "text": "two\n"},
        {"do": "replace", "path": "a/b.sh", "old": "two", "new": "2"},
        {"do": "move", "path": "a/b.sh", "to": "c/d.sh"},
        {"do": "symlink", "path": "link", "to": "/etc/passwd"},
        {"do": "write", "path": "gone"},
        {"do": "delete", "path": "gone"},
        {"do": "print", "text": "said"},
        {"do": "print", "text": "warned", "stream": "stderr"},
    )
    assert (code, out, err) == (0, b"said\n", b"warned\n")
    assert (agent.room / "c/d.sh").read_text() == "one\n2\n"
    assert os.access(agent.room / "c/d.sh", os.X_OK)
    assert (agent.room / "link").readlink() == Path("/etc/passwd")
    assert not (agent.room / "gone").exists()


@pytest.mark.parametrize(("attempt", "code"), [(0, 1), (1, 1), (2, 2), (3, 2), (9, 2)])
def test_attempts_differ_and_the_last_one_repeats(agent: Agent, attempt: int, code: int) -> None:
    first, second = [{"do": "exit", "code": 1}], [{"do": "exit", "code": 2}]
    assert agent.start(first, second, attempt=attempt).wait(30) == code


def test_it_lies(agent: Agent) -> None:
    code, out, _ = agent.run({"do": "lie"}, {"do": "write", "path": "never"})
    assert code == 0
    assert b"all tests pass" in out
    assert not (agent.room / "never").exists()


@pytest.mark.parametrize("name", ["KILL", "TERM", "SEGV"])
def test_it_dies(agent: Agent, name: str) -> None:
    code, _, _ = agent.run({"do": "die", "by": name})
    assert code == -signal.Signals[f"SIG{name}"]


def test_it_floods(agent: Agent) -> None:
    _, out, _ = agent.run({"do": "flood", "size": 1_000_003})
    assert len(out) == 1_000_003


def test_it_hangs_and_hears_only_what_cannot_be_ignored(agent: Agent) -> None:
    process = agent.start([{"do": "hang", "ignore": ["TERM", "INT"]}])
    assert process.stdout is not None
    assert process.stdout.readline() == b"hanging\n"
    process.terminate()
    process.send_signal(signal.SIGINT)
    assert process.poll() is None
    process.kill()
    assert process.wait(30) == -signal.SIGKILL


def test_it_waits_for_a_file(agent: Agent) -> None:
    process = agent.start([{"do": "print", "text": "ready"}, {"do": "wait_for", "path": "go"}])
    assert process.stdout is not None
    process.stdout.readline()
    assert process.poll() is None
    (agent.room / "go").touch()
    assert process.wait(30) == 0


def test_it_commits(agent: Agent) -> None:
    subprocess.run(["git", "init", "-q", "."], cwd=agent.room, check=True)
    steps = ({"do": "write", "path": "a"}, {"do": "commit", "message": "mine"})
    assert agent.run(*steps)[0] == 0
    log = subprocess.check_output(["git", "log", "--format=%s %an"], cwd=agent.room)
    assert log == b"mine Fake Agent\n"


def test_it_leaves_a_daemon(agent: Agent) -> None:
    process = agent.start([{"do": "daemon", "pid_file": "pid"}])
    assert process.wait(30) == 0
    pid = int((agent.room / "pid").read_text())
    assert os.getsid(pid) == pid
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}/cmdline").exists() and time.monotonic() < deadline:
        if not Path(f"/proc/{pid}/cmdline").read_bytes():
            break


@pytest.mark.parametrize(
    "step",
    [
        {"do": "nonsense"},
        {"do": "write"},
        {"do": "write", "path": "a", "nope": 1},
        {"path": "a"},
        {"do": "delete", "path": "not-there"},
        {"do": "wait_for", "path": "never", "seconds": 0},
        {"do": "replace", "path": "/dev/null", "old": "x", "new": "y"},
    ],
)
def test_a_script_nobody_can_follow_says_so(agent: Agent, step: Step) -> None:
    code, _, err = agent.run(step)
    assert code == fake_agent.BAD_SCRIPT
    assert err.startswith(b"fake agent: ")


def test_the_how_to_lists_every_step() -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-plugin.md"
    text = page.read_text(encoding="utf-8")
    assert [verb for verb in fake_agent.VERBS if f"| `{verb}` |" not in text] == []
