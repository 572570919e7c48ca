"""Where gates work: in places of their own, at the same time, on the tree and nothing else."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gitcto.runtime.proving import gates as runtime_gates

MEET = """
import os, sys
with open({mine!r}, "w") as fifo:
    fifo.write("here")
with open({other!r}) as fifo:
    assert fifo.read() == "here"
"""
"""Waits until the other gate runs: alone it would never end."""

TAKES = """
import os, sys
os.close(os.open("mine", os.O_CREAT | os.O_EXCL))
os.close(os.open(os.environ["TMPDIR"] + "/mine", os.O_CREAT | os.O_EXCL))
print(os.getcwd())
"""


def test_gates_of_a_set_run_at_the_same_time(gates: Any) -> None:
    first, second = (str(gates.team.root / name) for name in ("first", "second"))
    os.mkfifo(first)
    os.mkfifo(second)
    writes_first = MEET.format(mine=first, other=second)
    reads_first = MEET.format(mine=second, other=first)
    lines = reads_first.strip().splitlines()
    gates.script("a", writes_first)
    gates.script("b", "\n".join([lines[0], *lines[3:5], *lines[1:3]]))
    found = gates.judge()
    assert gates.status(found) == {"a": ("pass", "exit_0"), "b": ("pass", "exit_0")}
    assert list(found) == ["a", "b"]


def test_no_two_questions_share_a_place(gates: Any) -> None:
    """Sixteen runs of two gates at once, half of them of the same execution."""
    gates.script("a", TAKES)
    gates.script("b", TAKES)
    same = gates.candidate(new="same\n")
    asked = [same] * 8 + [gates.candidate(new=f"{number}\n") for number in range(8)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(gates.judge, asked))
    found = [one for answer in answers for one in answer.values()]
    assert {one.verdict.status for one in found} == {"pass"}, [one.log for one in found]
    places = {one.log for one in found}
    assert len(places) == 32
    rooms = gates.team.rooms
    assert all(str(rooms / ".gates/main").encode() in place for place in places)
    assert gates.left() == []


def test_what_is_judged_is_the_tree(gates: Any) -> None:
    gates.gate("a", "sh", "-c", "cat base.txt new; ls -A")
    found = gates.judge(gates.candidate(new="candidate\n"))
    assert found["a"].log == b"base\ncandidate\nbase.txt\nnew\n"


HIDE = """
import os
before = os.stat("base.txt")
with open("base.txt", "w") as file:
    file.write("BASE\\n")
os.utime("base.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
"""


@pytest.mark.parametrize(
    "command",
    [
        "echo more >> base.txt",
        "rm base.txt",
        "chmod +x base.txt",
        "mv base.txt x && ln -s x base.txt",
        "hide",
        "mv base.txt x && cp x base.txt && echo y > base.txt && exit 1",
    ],
)
def test_a_command_that_changes_the_tree_has_judged_another(gates: Any, command: str) -> None:
    if command == "hide":
        gates.script("a", HIDE)
    else:
        gates.gate("a", "sh", "-c", command)
    (one,) = gates.judge().values()
    assert (one.verdict.status, one.verdict.reason) == ("not_run", "dirty_tree")
    assert one.verdict.detail.startswith("its command changed base.txt")


def test_what_a_command_adds_is_its_own(gates: Any) -> None:
    gates.gate("a", "sh", "-c", "mkdir -p build && echo x > build/out && touch base.txt")
    assert gates.status(gates.judge()) == {"a": ("pass", "exit_0")}


def test_a_change_outside_spoils_the_verdict(gates: Any) -> None:
    """At a level that confines nothing, what lies outside is compared as after a worker."""
    gates.gate("a", "sh", "-c", f"echo leaked >> '{gates.team.path}/base.txt'")
    gates.gate("b", "true")
    (one, _) = gates.judge().values()
    assert (one.verdict.status, one.verdict.reason) == ("not_run", "outside_changed")
    assert f"{gates.team.path}/base.txt was changed" in one.verdict.detail


def test_a_command_gets_the_declared_variables_and_no_other(gates: Any) -> None:
    gates.team.environ |= {"DECLARED": "yes", "SECRET": "no"}
    gates.gate("a", "env", more='env = ["DECLARED", "ABSENT"]')
    (one,) = gates.judge().values()
    seen = dict(line.split("=", 1) for line in one.log.decode().splitlines())
    assert seen.pop("DECLARED") == "yes"
    assert not {"SECRET", "ABSENT", "GIT_CONFIG_GLOBAL", "CTO_TASK"} & set(seen)
    assert seen["HOME"].startswith(str(gates.team.rooms / ".gates/main"))


def test_in_a_strict_sandbox_it_can_write_what_it_must_and_nothing_else(
    gates: Any, bwrap: None
) -> None:
    gates.sandbox = "strict"
    gates.team.environ["DECLARED"] = "yes"
    place = gates.gates_dir
    script = f"""
        test "$DECLARED" = yes
        echo '<testsuite><testcase name="t"/></testsuite>' > "$1"
        test "$(cat base.txt)" = base
        echo mine > mine; echo mine > "$HOME/mine"; echo mine > "$TMPDIR/mine"
        if test -e '{gates.team.path}/base.txt'; then exit 9; fi
        ls '{place}'
        echo 'not the index that we look into afterwards' > ../index || true
    """
    more = 'junit = "{scratch}/r.xml"\nenv = ["DECLARED"]'
    gates.gate("a", "sh", "-ec", script, "sh", "{scratch}/r.xml", more=more)
    gates.gate("b", "sh", "-ec", script, "sh", "{scratch}/r.xml", more=more)
    found = gates.judge()
    assert gates.status(found) == {"a": ("pass", "exit_0"), "b": ("pass", "exit_0")}, found["a"].log
    seen = [one.log.decode().splitlines()[0] for one in found.values()]
    assert len(set(seen)) == 2, "each sees its own place and no other"
    assert all(one.log.count(b"\n") == 1 for one in found.values())


# Warm trees

ENOUGH = 1100


@pytest.fixture
def large(gates: Any) -> Any:
    team = gates.team
    blob = team.git("hash-object", "-w", "--stdin", stdin="text\n")
    lines = [f"100644 {blob}\tmany/{number}\n" for number in range(ENOUGH)]
    team.git("update-index", "--index-info", stdin="".join(lines))
    team.git("-c", "user.name=u", "-c", "user.email=u@x", "commit", "-qm", "many")
    return gates


LOOK = "stat -c %i many/7; test ! -e junk; test ! -e build; echo x > junk; mkdir build"


def kept(gates: Any) -> list[str]:
    pool = gates.team.rooms / ".pool"
    return sorted(path.name for path in pool.iterdir()) if pool.is_dir() else []


def test_the_next_tree_is_made_of_the_last_and_clean(large: Any) -> None:
    large.gate("a", "sh", "-ec", LOOK)
    first = large.judge(large.candidate(new="1\n"))["a"]
    assert kept(large) == ["0"]
    second = large.judge(large.candidate(new="2\n"))["a"]
    assert (first.verdict.status, second.verdict.status) == ("pass", "pass"), second.log
    assert first.log == second.log, "the same file, so the same tree"


@pytest.mark.parametrize("command", ["sleep 60", "kill -9 $$"])
def test_a_tree_whose_command_was_ended_is_not_kept(large: Any, command: str) -> None:
    large.gate("a", "sh", "-c", f"echo x > many/7; {command}", more="deadline_s = 1")
    (one,) = large.judge().values()
    assert one.verdict.status == "not_run"
    assert kept(large) == ([] if command == "sleep 60" else ["0"])
    large.policy = ""
    large.gate("a", "sh", "-c", "cat many/7")
    large.again()
    assert large.judge()["a"].log == b"text\n"


def test_concurrent_gates_share_no_warm_tree(large: Any) -> None:
    large.gate("a", "sh", "-ec", LOOK)
    large.gate("b", "sh", "-ec", LOOK)
    large.judge()
    found = [large.judge(large.candidate(new=f"{number}\n")) for number in range(3)]
    assert {one.verdict.status for each in found for one in each.values()} == {"pass"}
    for each in found:
        assert len({one.log for one in each.values()}) == 2


# Ends

HOLDS = """
import fcntl, os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
descriptor = os.open({lock!r}, os.O_RDWR | os.O_CREAT)
os.set_inheritable(descriptor, True)
fcntl.flock(descriptor, fcntl.LOCK_EX)
if os.fork() == 0:
    os.setsid()
    os.execv("/bin/sleep", ["sleep", "600"])
with open({ready!r}, "w") as ready:
    ready.write("ready")
os.execv("/bin/sleep", ["sleep", "600"])
"""
"""Holds a lock with a child in a session of its own, deaf to all signals but the last."""


class Holding:
    """A gate that hangs, and whether anything of it still lives."""

    def __init__(self, gates: Any, more: str = "") -> None:
        self.lock, self.ready = gates.team.root / "lock", gates.team.root / "ready"
        os.mkfifo(self.ready)
        gates.script("holding", HOLDS.format(lock=str(self.lock), ready=str(self.ready)), more=more)

    def alive(self) -> bool:
        import fcntl

        with Path(self.lock).open("r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


def test_stopping_ends_every_process_of_a_gate(gates: Any) -> None:
    holding, stop = Holding(gates), threading.Event()
    gates.gate("done", "true")

    def cancel() -> None:
        assert holding.ready.read_text() == "ready"
        stop.set()

    thread = threading.Thread(target=cancel)
    thread.start()
    found = gates.judge(stop=stop)
    thread.join()
    assert gates.status(found)["holding"] == ("not_run", "cancelled")
    assert not holding.alive()


def test_what_is_stopped_before_it_began_runs_nothing(gates: Any) -> None:
    stop, proof = threading.Event(), gates.team.root / "proof"
    stop.set()
    gates.gate("a", "touch", str(proof))
    gates.gate("n", plugin="nobody")
    found = gates.judge(stop=stop)
    assert gates.status(found) == {"a": ("not_run", "cancelled"), "n": ("not_run", "cancelled")}
    assert not proof.exists()


def test_a_set_has_a_deadline_of_its_own(gates: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_gates, "SET_S", -897.0)  # and 900 is the gate's
    holding = Holding(gates)
    thread = threading.Thread(target=holding.ready.read_text)
    thread.start()
    found = gates.judge()
    thread.join()
    assert gates.status(found) == {"holding": ("not_run", "deadline")}
    assert not holding.alive()


def test_a_deadline_ends_every_process_of_a_gate(gates: Any) -> None:
    holding = Holding(gates, more="deadline_s = 3")
    thread = threading.Thread(target=holding.ready.read_text)
    thread.start()
    found = gates.judge()
    thread.join()
    assert gates.status(found) == {"holding": ("not_run", "deadline")}
    assert not holding.alive()


@pytest.mark.parametrize(
    ("command", "status", "reason"),
    [
        ("exit 126", "not_run", "cannot_run"),
        ("exit 127", "not_run", "cannot_run"),
        ("no-such-program", "not_run", "cannot_run"),
        ("kill -9 $$", "not_run", "killed"),
        ("exit 1", "fail", "tests_failed"),
    ],
)
def test_what_did_not_run_is_nobodys_fault(
    gates: Any, command: str, status: str, reason: str
) -> None:
    gates.gate("a", "sh", "-c", command)
    assert gates.status(gates.judge()) == {"a": (status, reason)}


def test_a_program_that_is_not_there_is_not_run(gates: Any) -> None:
    gates.gate("a", "no-such-program")
    gates.gate("b", "no-such-program", plugin="command")
    found = gates.judge()
    assert gates.status(found) == {"a": ("not_run", "cannot_run"), "b": ("not_run", "cannot_run")}


def test_a_gate_that_no_plugin_provides_is_not_run(gates: Any) -> None:
    gates.gate("a", plugin="nobody")
    assert gates.status(gates.judge()) == {"a": ("not_run", "no_plugin")}


def test_a_plugin_that_breaks_is_not_run(gates: Any) -> None:
    gates.gate("a", "true", more="no_such_setting = 1")
    assert gates.status(gates.judge()) == {"a": ("not_run", "crashed")}
