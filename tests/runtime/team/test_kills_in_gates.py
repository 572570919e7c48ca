"""A run killed while gates run: what they had started is over before they are run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gitcto.runtime.worker import run_files

GATE = """\
import fcntl, os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
descriptor = os.open({lock!r}, os.O_RDWR | os.O_CREAT)
os.set_inheritable(descriptor, True)
try:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit("the gate of the killed run goes on")
if not os.path.exists({once!r}):
    open({once!r}, "w").close()
    with open({ready!r}, "w") as ready:
        ready.write("ready")
    os.execv("/bin/sleep", ["sleep", "600"])
"""
"""Hangs the first time, deaf to signals; then says whether the first is over."""

SLOW_GIT = """\
#!/bin/sh
case "$GIT_INDEX_FILE:$*" in
*/.gates/*read-tree*)
    if mkdir '{once}' 2>/dev/null; then
        : >"$GIT_INDEX_FILE.lock"
        echo ready >'{ready}'
        read -r _ <'{release}'
    fi ;;
esac
exec '{git}' "$@"
"""
"""A git that takes its time over the first merged tree, having locked its index."""

RUN = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"


def start(team: Any) -> subprocess.Popen[bytes]:
    """Run the team in a process of its own."""
    program = Path(__file__).with_name("run_and_die.py")
    argv = [sys.executable, "-c", RUN, str(program), str(team.root), "never", "1"]
    return subprocess.Popen(argv, env=team.environ)


def one_task(team: Any) -> None:
    team.save_policy()
    team.plan(team.task("A", [{"do": "write", "path": "a", "text": "1\n"}]))


@pytest.mark.parametrize("victims", ["run", "run and supervisor"])
def test_a_gate_is_run_again_only_when_its_former_command_is_gone(team: Any, victims: str) -> None:
    gate = team.root / "gate.py"
    names = {name: str(team.root / name) for name in ("lock", "once", "ready")}
    os.mkfifo(names["ready"])
    gate.write_text(GATE.format(**names))
    argv = json.dumps([sys.executable, str(gate)])
    team.policy_text = team.policy_text.replace('["test", "-f", "base.txt"]', argv)
    one_task(team)
    with start(team) as run:
        assert Path(names["ready"]).read_text() == "ready"
        (run_dir,) = team.rooms.glob(".gates/main/*/command.*/run")
        record: Any = run_files.read_record(str(run_dir), run_files.STARTED)
        if victims != "run":
            run.send_signal(signal.SIGSTOP)
            os.kill(record["supervisor_pid"], signal.SIGKILL)
        run.kill()
    team.run()
    assert "execution.failed" not in team.told.kinds()
    assert team.landed() == ["A"]
    team.assert_clean()


def test_git_of_a_killed_run_may_still_be_writing_the_merged_tree(team: Any) -> None:
    names = {name: str(team.root / name) for name in ("once", "ready", "release")}
    for name in ("ready", "release"):
        os.mkfifo(names[name])
    programs = team.root / "programs"
    programs.mkdir()
    real = subprocess.check_output(("which", "git"), env=team.environ, text=True).strip()
    (programs / "git").write_text(SLOW_GIT.format(**names, git=real))
    (programs / "git").chmod(0o755)
    team.environ["PATH"] = f"{programs}:{team.environ['PATH']}"
    one_task(team)
    with start(team) as run:
        assert Path(names["ready"]).read_text() == "ready\n"
        run.kill()
    team.run()
    Path(names["release"]).write_text("go on\n")
    assert team.landed() == ["A"]
