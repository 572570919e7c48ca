"""All scenarios, each in a process of its own, two at a time."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitcto.testing.chaos.faults import NEEDS_OWN_FILESYSTEM
from gitcto.testing.chaos.scenario import Scenario, load
from gitcto.testing.chaos.strays import end_all
from gitcto.testing.machine import machine

AT_ONCE = 2
DEADLINE_S = 240.0
"""How long one scenario may take at most (seconds); then it has failed."""

_MOUNT = 'mount -t tmpfs -o size="$1"m tmpfs "$2" && shift 2 && exec "$@"'
_ALONE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _MOUNT, "sh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to play and how. ``keep`` is where the scratch repositories stay; None removes them.

    ``told`` hears of each scenario when it has ended.
    """

    scenarios: Sequence[Path]
    seed: int
    temporary: Path
    environ: Mapping[str, str]
    keep: Path | None = None
    told: Callable[[Mapping[str, Any]], None] = lambda _result: None


def run(order: Order) -> dict[str, Any]:
    """Play every scenario and return the report as plain values.

    Raises ``CtoError`` (exit 2) for a file that is no scenario, before anything is played.
    """
    read = [(path, load(path)) for path in order.scenarios]
    with ExitStack() as stack:
        root = order.keep or Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(
                    prefix="git-cto-chaos-", dir=order.temporary, ignore_cleanup_errors=True
                )
            )
        )
        root = root.resolve()
        stack.callback(end_all, root)  # interrupted, a play leaves its processes
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        results = list(pool.map(lambda each: _played(order, root, *each), read))
    counts = {
        name: sum(each["verdict"] == name for each in results)
        for name in ("met", "failed", "not run")
    }
    return {
        "version": 1,
        "seed": order.seed,
        "machine": machine(),
        "counts": counts,
        "scenarios": results,
    }


def _played(order: Order, root: Path, path: Path, scenario: Scenario) -> dict[str, Any]:
    result = _play(order, root / scenario.name, path, scenario)
    order.told(result)
    return result


def _play(order: Order, root: Path, path: Path, scenario: Scenario) -> dict[str, Any]:
    place = root / "place"
    try:
        place.mkdir(parents=True)
    except OSError as error:
        return _without(scenario, "not run", f"{place}: {error.strerror}")
    prefix: tuple[str, ...] = ()
    if scenario.filesystem_mib:
        prefix = (*_ALONE, str(scenario.filesystem_mib), str(place))
        problem = _cannot(order, prefix)
        if problem:
            return _without(scenario, "not run", f"no file system of its own: {problem}")
    elif scenario.trouble.what in NEEDS_OWN_FILESYSTEM:
        return _without(scenario, "not run", "it needs `filesystem_mib`")
    argv = (sys.executable, "-m", "gitcto.testing.chaos.one", str(path.resolve()), str(root))
    kept = (str(root / "kept"),) if order.keep and prefix else ()
    return _finished(order, (*prefix, *argv, str(order.seed), *kept), root, scenario)


def _cannot(order: Order, prefix: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            (*prefix, "true"), env=order.environ, capture_output=True, text=True, check=False
        )
    except OSError as error:
        return f"{prefix[0]}: {error.strerror}"
    return done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else ""


def _finished(order: Order, argv: Sequence[str], root: Path, scenario: Scenario) -> dict[str, Any]:
    with subprocess.Popen(
        argv,
        env=order.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            end_all(root)
            return _without(scenario, "failed", f"it did not end within {DEADLINE_S:.0f} s")
    try:
        return dict(json.loads(out))
    except ValueError:
        return _without(scenario, "failed", err.strip() or f"exit code {process.returncode}")


def _without(scenario: Scenario, verdict: str, why: str) -> dict[str, Any]:
    return {
        "scenario": scenario.name,
        "summary": scenario.summary,
        "verdict": verdict,
        "why": [why],
    }
