"""Limits, the ladder of signals, and what a flood may cost."""

from __future__ import annotations

import sys
from pathlib import Path

from gitcto.api import StopNote
from gitcto.runtime.worker import workers

MIB = 1 << 20


def test_the_wall_limit_ends_a_worker(bench):
    ended = bench.run("sleep", "600", wall_s=0.1)
    assert (ended.code, ended.cause) == (130, "wall")
    assert [rung.signal for rung in ended.ladder] == ["SIGINT"]
    assert 0.1 <= ended.ladder[0].at_s <= ended.wall_s < 20


def test_a_silent_worker_is_idle(bench):
    ended = bench.run("sleep", "600", idle_s=0.2)
    assert ended.cause == "idle"
    assert ended.wall_s >= 0.2


def test_a_worker_that_computes_without_a_word_is_not_idle(bench):
    burn = "import time\nwhile time.process_time() < 1.5: pass"
    ended = bench.run("sh", "-c", f"'{sys.executable}' -c '{burn}'", idle_s=0.6)
    assert (ended.code, ended.cause) == (0, "exited")


def test_a_stop_request_reaches_the_worker_as_an_interrupt(bench):
    ready = bench.fifo("ready")
    bench.spawn("sh", "-c", f"trap 'echo bye; exit 7' INT; echo > '{ready}'; while :; do :; done")
    ready.read_text()
    workers.request_stop(bench.run_dir)
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause) == (7, "stopped")
    assert bench.output() == b"bye\n"


def test_who_ignores_the_interrupt_is_terminated_and_then_killed(bench):
    ready = bench.fifo("ready")
    script = f"trap '' INT TERM; echo > '{ready}'; while :; do sleep 600; done"
    bench.spawn("sh", "-c", script, grace_s=0.1)
    ready.read_text()
    workers.request_stop(bench.run_dir)
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause, ended.survivors) == (137, "stopped", 0)
    assert [rung.signal for rung in ended.ladder] == ["SIGINT", "SIGTERM", "SIGKILL"]
    first, second, third = (rung.at_s for rung in ended.ladder)
    assert first + 0.1 <= second + 0.001
    assert second + 0.1 <= third + 0.001


def test_a_stop_asked_before_the_worker_ran_is_heeded(bench):
    bench.run_dir.mkdir()
    workers.request_stop(bench.run_dir)
    assert bench.run("sleep", "600").cause == "stopped"


def test_a_long_output_keeps_its_head_and_its_tail(bench):
    ended = bench.run(
        "sh", "-c", "printf %05000d 0 | tr 0 a; printf %05000d 0 | tr 0 b", output_bytes=100
    )
    note = b"\n[git-cto: 9900 bytes cut here, the limit is 100 bytes]\n"
    assert bench.output() == b"a" * 50 + note + b"b" * 50
    assert ended.cut_bytes == 9900


def test_a_flood_of_ten_million_lines_keeps_its_head_its_tail_and_its_last_word(bench):
    script = "echo first; seq 10000000; echo >&2 none; echo the final event"
    ended = bench.run("sh", "-c", script, output_bytes=64 * MIB, output_lines=1000)
    assert (ended.code, ended.cause) == (0, "exited")
    lines = bench.output().split(b"\n")
    head, cut, tail = lines[:500], lines[500:502], lines[502:]
    assert head == [b"first", *(b"%d" % number for number in range(1, 500))]
    assert cut == [
        b"",
        b"[git-cto: %d bytes cut here, the limit is %d bytes and 1000 lines]"
        % (ended.cut_bytes, 64 * MIB),
    ]
    last = [b"%d" % number for number in range(10_000_000 - 498, 10_000_001)]
    assert tail == [*last, b"the final event", b""]
    assert (bench.run_dir / "stderr.log").read_bytes() == b"none\n"


FLOOD = """
import os, sys, time
line = b"x" * 1023 + b"\\n"
for _ in range(300):
    os.write(1, line * 1024)
while os.fstat(1).st_blocks * 512 > 4 << 20:
    time.sleep(0.001)
with open(sys.argv[1], "w") as ready:
    ready.write("settled")
open(sys.argv[2]).read()
print("the final event")
"""


def test_a_flood_grows_neither_memory_nor_disk(bench):
    ready, gate = bench.fifo("ready"), bench.fifo("gate")
    started = bench.spawn(sys.executable, "-c", FLOOD, str(ready), str(gate), output_bytes=MIB)
    assert ready.read_text() == "settled"
    status = Path(f"/proc/{started.supervisor_pid}/status").read_text()
    peak_kib = next(int(row.split()[1]) for row in status.splitlines() if "VmHWM" in row)
    gate.write_text("go")
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause) == (0, "exited")
    assert peak_kib < 40 * 1024
    assert ended.cut_bytes > 298 * MIB
    assert MIB <= len(bench.output()) < MIB + 100
    assert bench.output().endswith(b"\nthe final event\n")


def test_a_worker_that_truncates_its_own_output_keeps_the_bound(bench):
    script = "seq 100000; : > /dev/stdout; seq 100000; echo end"
    bench.run("sh", "-c", script, output_bytes=1000)
    assert len(bench.output()) < 1100
    assert bench.output().endswith(b"\n100000\nend\n")


DRIVER = """
import pathlib, sys, time
told = pathlib.Path(sys.argv[1]) / "control" / "stop.json"
pathlib.Path(sys.argv[2]).write_text("ready")
while not told.exists():
    time.sleep(0.01)
if sys.argv[3] == "polite":
    print(told.read_text(), flush=True)
    sys.exit(0)
time.sleep(600)
"""


NOTE = StopNote(path="control/stop.json", text='{"op": "abort"}')


def driver(bench, how: str, **limits: float) -> Path:
    """Start a driver with a protocol of its own, and an old note; return where it is asked."""
    control = bench.tmp / "scratch" / "control"
    control.mkdir(parents=True)
    (control / "stop.json").write_text("an earlier run was asked")
    ready = bench.fifo("ready")
    argv = (sys.executable, "-c", DRIVER, str(control.parent), str(ready), how)
    bench.start(bench.program(*argv, interrupt=(control.parent, NOTE)), **limits)
    assert ready.read_text() == "ready"
    return control


def test_a_driver_is_asked_before_any_signal(bench):
    driver(bench, "polite")
    workers.request_stop(bench.run_dir)
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause) == (0, "stopped")
    assert [rung.signal for rung in ended.ladder] == ["protocol"]
    assert bench.output() == b'{"op": "abort"}\n'


def test_a_driver_is_asked_at_a_limit_too(bench):
    driver(bench, "polite", wall_s=1.0)
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause) == (0, "wall")
    assert [rung.signal for rung in ended.ladder] == ["protocol"]


def test_a_driver_that_does_nothing_about_it_gets_the_signals(bench):
    driver(bench, "deaf", grace_s=0.1)
    workers.request_stop(bench.run_dir)
    ended = workers.wait(bench.run_dir)
    assert (ended.code, ended.cause) == (130, "stopped")
    assert [rung.signal for rung in ended.ladder] == ["protocol", "SIGINT"]
    first, second = (rung.at_s for rung in ended.ladder)
    assert first + 0.1 <= second + 0.001


def test_a_place_that_leads_elsewhere_is_passed_over(bench):
    elsewhere = bench.tmp / "elsewhere"
    elsewhere.mkdir()
    control = driver(bench, "deaf", grace_s=0.1)
    control.rename(bench.tmp / "aside")
    control.symlink_to(elsewhere)
    workers.request_stop(bench.run_dir)
    ended = workers.wait(bench.run_dir)
    assert [rung.signal for rung in ended.ladder] == ["SIGINT"]
    assert list(elsewhere.iterdir()) == []
