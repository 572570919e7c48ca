"""A repository with twelve dirty workers, and somebody who kills whoever makes them work.

Everything is done from outside: the run is the command line's, victims are found in the process
table and in the records that any later run would read.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gitcto.runtime.worker import processes, run_files
from tests.acceptance.dirty import worker
from tests.acceptance.dirty.journal import Journal

PROGRAM = (sys.executable, "-c", "import sys; from gitcto.cli.entry import main; sys.exit(main())")
TASKS = tuple(f"T{number}" for number in range(12))
POLICY = """\
version = 1
[concurrency]
max_workers = 6
[roles.developer]
provider = "dirty"
[providers.dirty]
plugin = "command"
argv = {argv}
[sandbox]
use = ["{level}"]
reads = {reads}
[retries]
max_attempts = 20
[gates.nonempty]
[gates.tests]
argv = ["sleep", "0.2"]
deadline_s = 60
[tiers.P1]
gates = ["nonempty", "tests"]
"""

GATE_COMMANDS = ".gates/main/*/command.*/run"
"""Where the processes of gates are recorded, below the rooms."""

PHASES = ("probe", "room", "work", "harvest", "tips", "gate", "removal")
"""Where a run is found in the middle of something; see :meth:`Arena.under_way`."""

Victim = tuple[str, processes.Process]
"""What a process is to the run, and the process."""


class Arena:
    """The repository ``root/repository`` and its workers' journal; ``bulk`` more files in it."""

    def __init__(self, root: Path, level: str, bulk: int) -> None:
        self.root, self.path = root, root / "repository"
        seen, self.tmp = root / "seen", root / "tmp"
        for directory in (self.path, seen, self.tmp):
            directory.mkdir()
        self.finish = seen / "finish"
        self.journal = Journal(seen / "journal")
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "TMPDIR": str(self.tmp),
            "XDG_STATE_HOME": str(root / "state"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        program = seen / "worker.py"
        program.write_bytes(Path(worker.__file__).read_bytes())
        argv = [sys.executable, "-I", "-S", str(program), str(self.journal.path), str(self.finish)]
        reads = sorted({str(seen), sys.prefix, sys.base_prefix})
        text = POLICY.format(argv=json.dumps(argv), level=level, reads=json.dumps(reads))
        (self.path / "policy.toml").write_text(text)
        (self.path / "plan.toml").write_text(
            "".join(f'[[task]]\nid = "{task}"\ntitle = "make a mess"\n' for task in TASKS)
        )
        for task in TASKS:
            for number in range(4):
                file = self.path / "work" / task / f"t{number}"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(worker.content([("base", task, number, 300)]))
        for number in range(bulk):
            file = self.path / "bulk" / f"{number % 30}" / f"{number}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{number}\n")
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("-c", "user.name=u", "-c", "user.email=u@x", "commit", "-qm", "start")
        for words in (("init",), ("plan", "import", "plan.toml")):
            assert self.cto(*words).returncode == 0

    @property
    def rooms(self) -> Path:
        """The directory with the rooms of all teams of the repository."""
        root = self.root / "state" / "git-cto" / "rooms"
        return next(root.glob("repository-*"), root / "none")

    @property
    def records(self) -> Path:
        return self.path / ".git" / "cto" / "teams" / "main" / "executions"

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        return self.git_bytes(*arguments, stdin=stdin).decode().strip()

    def git_bytes(self, *arguments: str, stdin: bytes = b"") -> bytes:
        done = subprocess.run(
            ("git", *arguments),
            cwd=self.path,
            env=self.environ,
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def cto(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (*PROGRAM, *words),
            cwd=self.path,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def start_run(self) -> subprocess.Popen[bytes]:
        with (self.root / "run.log").open("ab") as log:
            return subprocess.Popen(
                (*PROGRAM, "run"), cwd=self.path, env=self.environ, stdout=log, stderr=log
            )

    def retry_stuck(self) -> None:
        """Do what a person does with tasks that wait for one: try them again."""
        for task in json.loads(self.cto("status", "--json").stdout)["ended"]:
            if task["state"] in {"blocked", "failed_terminal"}:
                assert self.cto("retry", task["id"]).returncode == 0

    def done(self) -> bool:
        counts = json.loads(self.cto("status", "--json").stdout)["team"]["counts"]
        return bool(counts == {"done": len(TASKS)})

    def run_to_the_end(self) -> None:
        """Let the workers finish, and run as often as it takes without anybody being killed."""
        self.finish.touch()
        for _ in range(5):
            done = self.cto("run")
            assert done.returncode in {0, 1}, done.stdout + done.stderr
            if self.done():
                return
            self.retry_stuck()
        raise AssertionError(done.stdout + done.stderr)

    def under_way(self, phase: str) -> bool:
        """Tell whether the file system shows that a run is in the middle of a phase."""
        match phase:
            case "probe":
                return any(_seen(self.rooms, ".probe.*"))
            case "room":
                made = {path.parent.name for path in _seen(self.rooms, "main/*/room")}
                return bool(made - {path.parent.name for path in _seen(self.records, "*/alive")})
            case "work":
                return any(_seen(self.records, "*/alive"))
            case "harvest" | "tips":
                return any(_seen(self.rooms, f"main/*/{phase}.*"))
            case "gate":
                return any(_seen(self.rooms, GATE_COMMANDS))
            case _:
                return any(_seen(self.rooms, "main/.*.removing"))

    def victims(self) -> Iterator[Victim]:
        """Yield every living supervisor of a worker, gate or prober, and all that runs below it."""
        rows = processes.table()
        places = [*_seen(self.records, "*"), *_seen(self.rooms, ".probe.*/run")]
        commands = [*_seen(self.rooms, "main/*/command.*/run"), *_seen(self.rooms, GATE_COMMANDS)]
        for run_dir in [*places, *commands]:
            record = run_files.read_record(str(run_dir), run_files.STARTED) or {}
            row = rows.get(int(str(record.get("supervisor_pid", 0))))
            if row is not None and row.start == record["supervisor_start"]:
                yield "supervisor", row
            mark = f"{run_files.MARKER}={run_dir.resolve()}"
            marked = processes.marked(os.fsencode(mark), rows)
            below = processes.descendants(marked, rows)
            for pid in sorted(marked | set(below)):
                yield "worker", rows[pid]


@dataclass
class Killer:
    """Kills at random moments; ``kills`` counts by what was hit, ``moments`` by when."""

    arena: Arena
    random: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)

    def total(self) -> int:
        return self.kills.total()

    def campaign(self, kills: int) -> None:
        """Run again and again until so many processes were killed."""
        while self.total() < kills:
            run = self.arena.start_run()
            try:
                while run.poll() is None and self.total() < kills:
                    self.strike(run)
            finally:
                run.kill()
                run.wait()
            assert run.returncode in {0, 1, -9}, (self.arena.root / "run.log").read_text()[-3000:]
            if run.returncode == 1:
                self.arena.retry_stuck()

    def strike(self, run: subprocess.Popen[bytes]) -> None:
        """Wait for a random moment and kill one or two of those who are at work."""
        phase = self.random.choice((*PHASES, "work", "gate", "room"))
        pause_s = self.random.choice((0.0, 0.01, 0.03, 0.1, 0.3)) * self.random.random()
        seen = await_(lambda: run.poll() is not None or self.arena.under_way(phase), 0.7)
        await_(lambda: run.poll() is not None, pause_s)
        roles = ["orchestrator", "supervisor", "worker"]
        if not seen:  # perhaps it has only just begun: not always the same moment
            roles.remove("orchestrator")
        elif phase in {"room", "harvest", "tips", "removal"}:
            roles.append("orchestrator")
        # Who was hit less often: there is always an orchestrator, and not always somebody else.
        role = min(self.random.sample(roles, 2), key=lambda it: self.kills[it])
        twice = self.random.random() < 0.2
        second = [self.random.choice(("orchestrator", "supervisor"))] if twice else []
        for each in (role, *second):
            if self._kill(run, each):
                self.kills[each] += 1
                self.moments[phase if seen else "any"] += 1

    def _kill(self, run: subprocess.Popen[bytes], role: str) -> bool:
        if role == "orchestrator":
            alive = run.poll() is None
            run.kill()
            run.wait()
            return alive and run.returncode == -9
        found = [process for name, process in self.arena.victims() if name == role]
        return bool(found) and processes.send(self.random.choice(found), 9)


def _seen(root: Path, pattern: str) -> list[Path]:
    """Return what matches; nothing when a directory goes while it is looked at."""
    try:
        return list(root.glob(pattern))
    except FileNotFoundError:
        return []


def await_(condition: Callable[[], bool], limit_s: float) -> bool:
    """Look until a condition holds; False when it did not within the limit."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def still_there(root: Path) -> list[str]:
    """Return what runs and has to do with ``root``: workers, supervisors, runs, their helpers."""
    needle, found = os.fsencode(str(root)), []
    for pid, row in processes.table().items():
        try:
            argv = Path(f"/proc/{pid}/cmdline").read_bytes()
            environ = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        if pid != os.getpid() and needle in argv + environ:
            found.append(f"{pid} of {row.parent}: {argv.replace(bytes(1), b' ')!r}")
    return found


def assert_all_gone(root: Path) -> None:
    """Wait a moment for the last processes to end."""
    if not await_(lambda: still_there(root) == [], 10):
        raise AssertionError(still_there(root))
