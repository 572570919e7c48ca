"""Start-up: CPU time of a command beside that of an interpreter which does nothing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from bench.measure import Row, cpu_seconds, environment, interleaved

BARE = "python -c pass"
LIMITS_MS = {"--version": 20.0, "-h": 65.0, "status": 100.0}
"""What a command may cost, interpreter included."""


def measure(rounds: int) -> list[Row]:
    """Return a row per command; the installed console script is what is run."""
    program = str(Path(sys.executable).parent / "git-cto")
    with tempfile.TemporaryDirectory() as scratch:
        repository = Path(scratch) / "repository"
        repository.mkdir()
        env = environment(Path(scratch))
        _prepare(repository, program, env)
        cases = {BARE: partial(cpu_seconds, (sys.executable, "-c", "pass"), repository, env)}
        for argument in LIMITS_MS:
            cases[argument] = partial(cpu_seconds, (program, argument), repository, env)
        samples = interleaved(cases, rounds)
    bare = samples[BARE].median * 1000
    return [
        Row(
            what=f"git cto {argument}",
            value=samples[argument].median * 1000,
            unit="ms CPU",
            baseline=bare,
            versus=BARE,
            limit=limit,
        )
        for argument, limit in LIMITS_MS.items()
    ]


def _prepare(repository: Path, program: str, env: dict[str, str]) -> None:
    """Make a repository with one commit and one team."""
    for command in (
        ("git", "init", "--quiet"),
        ("git", "commit", "--quiet", "--allow-empty", "--message", "start"),
        (program, "init"),
    ):
        subprocess.run(command, cwd=repository, env=env, check=True, capture_output=True)
