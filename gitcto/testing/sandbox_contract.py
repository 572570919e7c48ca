"""The contract of a sandbox, as tests with real workers under real supervisors."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from gitcto.contracts import Probe
from gitcto.model.isolation import Level, confines
from gitcto.room_contracts import Confined, ConfineRequest
from gitcto.runtime.host.isolation import own_programs
from gitcto.runtime.host.probing import MUST_STOP, put_to_the_test
from gitcto.runtime.worker import processes, workers
from gitcto.runtime.worker.run_files import MARKER
from gitcto.runtime.worker.worker_values import Exit, Limits, Program
from gitcto.testing.kit import Contract, must, must_be_a_line
from gitcto.testing.proxied import proxied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gitcto.room_contracts import Confiner

PATIENCE_S = 30.0
"""How long a worker may take before a test gives up (seconds)."""

GRACE_S = 5.0
"""How long a worker has to end when it is asked to (seconds)."""

_SHOW = "import json, os, sys; print(json.dumps({'argv': sys.argv[1:], 'env': dict(os.environ)}))"
_ASKED = """
trap 'echo asked >> "$1/asked"; exit 3' INT
echo ready > "$1/ready"
while :; do sleep 0.01; done
"""
_FAMILY = """
setsid sleep 600 &
echo ready > "$1/ready"
sleep 600
"""
_FETCH = """
import os, socket, sys, urllib.parse
at = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
with socket.create_connection((at.hostname, at.port), timeout=20) as peer:
    peer.sendall(f"CONNECT {sys.argv[1]} HTTP/1.1\\r\\n\\r\\n".encode())
    print(peer.recv(100).split()[1].decode())
"""


@dataclass(frozen=True)
class Scene:
    """A worker's surroundings: its room, and what lies around it."""

    sandbox: Confiner
    root: Path

    @property
    def room(self) -> Path:
        """The directory that the worker works in."""
        return self.root / "home" / "rooms" / "a room"

    @property
    def run_dir(self) -> Path:
        """Where the supervisor keeps its records."""
        return self.root / "run"

    def request(self, *argv: str, **changes: Any) -> ConfineRequest:
        """Return what the core would ask for, except for the ``changes``."""
        plain = ConfineRequest(
            argv=argv,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            cwd=self.room,
            writes=(self.room, self.root / "home" / "scratch"),
            reads=(*own_programs(), self.root / "home" / "borrowed"),
            fixed=(self.room / "fixed",),
            hides=(self.root / "home",),
            run_dir=self.root / "private",
        )
        return replace(plain, **changes)

    def program(self, request: ConfineRequest) -> Program:
        """Return the program that the sandbox makes of a request."""
        confined = self.sandbox.confine(request)
        return Program(argv=confined.argv, env=confined.env, cwd=request.cwd, writes=request.writes)

    def start(self, request: ConfineRequest) -> workers.Started:
        """Start a worker in the sandbox."""
        limits = Limits(wall_s=PATIENCE_S, idle_s=None, output_bytes=1 << 20, grace_s=GRACE_S)
        return workers.spawn(self.run_dir, self.program(request), limits)

    def run(self, *argv: str, **changes: Any) -> Exit:
        """Run a worker in the sandbox to its end."""
        self.start(self.request(*argv, **changes))
        return workers.wait(self.run_dir)

    def said(self) -> str:
        """Return what the worker printed."""
        return (self.run_dir / "stdout.log").read_text(encoding="utf-8", errors="replace")

    def until(self, condition: Callable[[], object]) -> bool:
        """Wait until a condition holds; False when the worker ended first."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if not workers.observe(self.run_dir).alive or time.monotonic() > deadline:
                return bool(condition())
            time.sleep(0.005)
        return True


class SandboxContract(Contract):
    """Subclass it, set :attr:`level` and override :meth:`sandbox`.

    Where the machine lacks what the sandbox needs, the fixture should skip.
    """

    level: ClassVar[Level]

    @pytest.fixture
    def sandbox(self) -> Confiner:
        """Return the sandbox under test."""
        raise NotImplementedError("override the fixture `sandbox`")

    @pytest.fixture
    def scene(self, sandbox: Confiner, tmp_path: Path) -> Iterator[Scene]:
        """Return the surroundings of a worker in the sandbox; it is ended with the test."""
        scene = Scene(sandbox, tmp_path)
        for name in ("home/scratch", "home/borrowed", "private"):
            (tmp_path / name).mkdir(parents=True)
        scene.room.mkdir(parents=True)
        (scene.room / "fixed").write_text("fixed", encoding="utf-8")
        (tmp_path / "home" / "borrowed" / "object").write_text("borrowed", encoding="utf-8")
        (tmp_path / "home" / "secret").write_text("secret", encoding="utf-8")
        yield scene
        if scene.run_dir.exists():
            if workers.observe(scene.run_dir).alive:
                workers.request_stop(scene.run_dir)
            workers.wait(scene.run_dir)

    def test_it_says_whether_it_can_work(self, sandbox: Confiner) -> None:
        """Here it can; a no, as on a machine with nothing installed, comes with a hint."""
        for path in (os.defpath, "/nonexistent"):
            answer = sandbox.available({"PATH": path})
            must(type(answer) is Probe, "`available` must return a Probe")
            must(answer.available or answer.hint, "a no must say what to do about it")
            must_be_a_line(answer.hint, "the hint")

    def test_confining_is_data(self, scene: Scene) -> None:
        """The same request gets the same answer, and nothing is started for it."""
        request = scene.request("true")
        answers = [scene.sandbox.confine(request) for _ in range(2)]
        must(type(answers[0]) is Confined, "`confine` must return a Confined")
        must(answers[0] == answers[1], "the same request must get the same answer")

    def test_a_harmless_worker_works(self, scene: Scene) -> None:
        """It starts in its room, reads what it needs, and what it writes is there afterwards."""
        script = 'pwd; cat fixed "$1"; echo in > new; echo in > "$2/new"; git --version >&2'
        home = scene.root / "home"
        ended = scene.run(
            "sh", "-c", script, "sh", str(home / "borrowed" / "object"), str(home / "scratch")
        )
        must(ended.cause == "exited" and ended.code == 0, f"a harmless worker ended with {ended}")
        must(scene.said() == f"{scene.room}\nfixedborrowed", f"it said {scene.said()!r}")
        for path in (scene.room / "new", home / "scratch" / "new"):
            must(path.is_file() and path.read_text("ascii") == "in\n", f"{path.name} is not there")

    def test_argv_and_environment_are_as_given(self, scene: Scene) -> None:
        """No word is split, dropped or added; the supervisor's mark is the only new variable."""
        words = ["two words", "zwei\nZeilen", "ü", "", "--", "-c", "$(id)", "a=b"]
        env = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PWD": "/given", "ODD": "ü\n= $HOME"}
        scene.run(sys.executable, "-I", "-c", _SHOW, *words, env=env)
        must(scene.said(), "a worker with odd arguments said nothing")
        seen = json.loads(scene.said())
        must(seen["argv"] == words, f"the arguments arrived as {seen['argv']}")
        seen["env"].pop(MARKER, None)
        must(seen["env"] == env, f"the environment arrived as {seen['env']}")

    @pytest.mark.parametrize(
        ("script", "code"), [("exit 7", 7), ("kill -TERM $$", 143), ("exec no-such-program", 127)]
    )
    def test_the_exit_code_is_the_workers(self, scene: Scene, script: str, code: int) -> None:
        """As a shell has it: 128 + n after signal n."""
        ended = scene.run("sh", "-c", script)
        must((ended.cause, ended.code) == ("exited", code), f"{script!r} ended with {ended}")

    def test_a_missing_program_is_told_apart(self, scene: Scene) -> None:
        """It is 127, not the sandbox's own failure."""
        ended = scene.run("no-such-program")
        must(ended.code == 127, f"a program that is missing ended with {ended}")  # noqa: PLR2004

    def test_fixed_paths_stay(self, scene: Scene) -> None:
        """A worker can neither change, replace nor remove what is fixed in its room."""
        if not confines(self.level):
            pytest.skip(f"level {self.level} confines nothing")
        self.needs("fixes")
        scene.run("sh", "-c", "echo x > fixed; rm -f fixed; echo y > other; mv other fixed; true")
        fixed = scene.room / "fixed"
        must(fixed.is_file() and fixed.read_text("utf-8") == "fixed", "a fixed path was changed")

    def test_what_its_level_must_stop_is_stopped(self, scene: Scene) -> None:
        """The attacks that are made before each run, after a harmless deed that must succeed."""
        results = put_to_the_test(scene.program, scene.root / "probe")
        must(results, "the harmless deed did not succeed, so no attack proves anything")
        missed = [name for name in MUST_STOP[self.level] if results[name] != "stopped"]
        must(not missed, f"level {self.level} must stop {', '.join(sorted(missed))}")

    def test_the_proxy_is_the_way_out(self, scene: Scene) -> None:
        """A worker reaches what the proxy lets through, and is refused the rest."""
        if not confines(self.level):
            pytest.skip(f"level {self.level} confines nothing")
        socket = scene.root / "private" / "proxy.sock"
        with _listening() as here, proxied(socket, here):
            fetch = (sys.executable, "-I", "-c", _FETCH)
            scene.run(*fetch, here, proxy=socket)
            must(scene.said() == "200\n", f"through the proxy a worker heard {scene.said()!r}")

    def test_an_interrupt_reaches_the_worker(self, scene: Scene) -> None:
        """It is asked before it is killed, once, and may decide how it ends."""
        scene.start(scene.request("sh", "-c", _ASKED, "sh", str(scene.room)))
        must(scene.until((scene.room / "ready").exists), "the worker did not get ready")
        workers.request_stop(scene.run_dir)
        ended = workers.wait(scene.run_dir)
        asked = scene.room / "asked"
        must(asked.exists(), f"the worker was not asked to end: {ended}")
        must(asked.read_text("ascii") == "asked\n", "the worker was asked more than once")
        must(ended.code == 3, f"the worker's own end was {ended}")  # noqa: PLR2004

    @pytest.mark.parametrize("victim", ["wrapper", "supervisor"])
    def test_nothing_is_left_after_a_kill(self, scene: Scene, victim: str) -> None:
        """Whichever process outside the sandbox is killed, worker and daemons go with it."""
        started = scene.start(scene.request("sh", "-c", _FAMILY, "sh", str(scene.room)))
        must(scene.until((scene.room / "ready").exists), "the worker did not get ready")
        os.kill(started.pid if victim == "wrapper" else started.supervisor_pid, signal.SIGKILL)
        ended = workers.wait(scene.run_dir)
        marker = f"{MARKER}={scene.run_dir.resolve()}"
        left = processes.marked(os.fsencode(marker), processes.table())
        must(not left and not ended.survivors, f"processes {sorted(left)} outlived the worker")


@contextmanager
def _listening() -> Iterator[str]:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"
