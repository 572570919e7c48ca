"""A scenario as data: what the team has to do, what goes wrong when, and what must follow."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitcto.errors import CtoError, ExitCode
from gitcto.model.records import MAX_WORKERS
from gitcto.testing.chaos.faults import FAULTS

Step = Mapping[str, Any]

_TOP = ("summary", "clones", "workers", "filesystem_mib", "policy", "task", "fault", "expect")
_FAULT = ("what", "after", "count", "times", "offsets_s")
_EXPECT = ("exit", "said", "recovered", "goal_s", "waiting", "attempts_failed")
_TASK = ("id", "attempts", "depends_on", "copies")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A task whose worker follows a script, attempt by attempt; the last attempt repeats."""

    id: str
    attempts: tuple[tuple[Step, ...], ...]
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """``what`` happens after the n-th event of kind ``after`` of a run, ``times`` times.

    n is drawn from ``count`` (first, last) with the seed. ``offsets_s`` are the steps of a clock in
    seconds, one for each time.
    """

    what: str
    after: str
    count: tuple[int, int]
    times: int
    offsets_s: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must follow.

    ``exit`` and ``said`` belong to the process that the fault makes refuse; ``recovered`` are the
    kinds of events that end an outage, ``goal_s`` how long it should last at most; ``waiting`` are
    the tasks that wait for a person, with the reason. All others must be done.
    ``attempts_failed`` is the least number of attempts that must fail.
    """

    exit: int | None = None
    said: str = ""
    recovered: tuple[str, ...] = ()
    goal_s: float | None = None
    waiting: Mapping[str, str] = field(default_factory=dict)
    attempts_failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario.

    ``workers`` limits the runs of the first clone, ``filesystem_mib`` asks for a file system of its
    own, of that size.
    """

    name: str
    summary: str
    jobs: tuple[Job, ...]
    trouble: Trouble
    expected: Expected
    policy: Mapping[str, Any]
    clones: int = 1
    workers: int = MAX_WORKERS
    filesystem_mib: int = 0


def shipped() -> Path:
    """Return the directory of the scenarios that come with git-cto.

    A wheel has them beside this file, a checkout in ``reliability/scenarios``.
    """
    here = Path(__file__).resolve()
    beside = here.with_name("scenarios")
    return beside if beside.is_dir() else here.parents[3] / "reliability" / "scenarios"


def find(names: Iterable[str]) -> list[Path]:
    """Return the files of the scenarios with these names or paths, of all shipped ones for none.

    Raises ``CtoError`` (exit 2) for one that is not there.
    """
    ours = {path.stem: path for path in sorted(shipped().glob("*.toml"))}
    found = []
    for name in names:
        path = Path(name) if name.endswith(".toml") else ours.get(name)
        if path is None or not path.is_file():
            raise CtoError(
                f"there is no scenario {name!r}",
                f"name a .toml file, or one of: {', '.join(ours)}",
                ExitCode.USAGE,
            )
        found.append(path)
    return found or list(ours.values())


def load(path: Path) -> Scenario:
    """Read a scenario. Raises ``CtoError`` (exit 2) that names what is wrong with it."""
    try:
        with path.open("rb") as file:
            return _scenario(path.stem, tomllib.load(file))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise CtoError(
            f"{path} is no scenario: {what}",
            "compare it with those of reliability/scenarios",
            ExitCode.USAGE,
        ) from error


def draw(seed: int, what: str, first: int, last: int) -> int:
    """Return a number from ``first`` to ``last`` that follows from the seed and what it is for."""
    digest = hashlib.sha256(f"{seed}/{what}".encode()).digest()
    return first + int.from_bytes(digest[:8], "big") % (last - first + 1)


def _scenario(name: str, read: dict[str, Any]) -> Scenario:
    _only(read, _TOP, "the file")
    jobs = tuple(job for one in read["task"] for job in _jobs(one))
    return Scenario(
        name=name,
        summary=str(read["summary"]),
        jobs=jobs,
        trouble=_trouble(read["fault"]),
        expected=_expected(read.get("expect", {})),
        policy=dict(read.get("policy", {})),
        clones=int(read.get("clones", 1)),
        workers=int(read.get("workers", MAX_WORKERS)),
        filesystem_mib=int(read.get("filesystem_mib", 0)),
    )


def _jobs(one: dict[str, Any]) -> list[Job]:
    _only(one, _TASK, "[[task]]")
    attempts = tuple(tuple(steps) for steps in one.get("attempts", [[{"do": "work"}]]))
    copies = [str(number) for number in range(1, one["copies"] + 1)] if "copies" in one else [""]
    needs = tuple(one.get("depends_on", ()))
    return [Job(id=f"{one['id']}{n}", attempts=attempts, depends_on=needs) for n in copies]


def _trouble(read: dict[str, Any]) -> Trouble:
    _only(read, _FAULT, "[fault]")
    if read["what"] not in FAULTS:
        raise ValueError(f"no fault is called {read['what']!r}; there are {', '.join(FAULTS)}")
    count = read.get("count", 1)
    first, last = count if isinstance(count, list) else (count, count)
    if not 0 < first <= last:
        raise ValueError("count must be a number above 0, or the first and last of a range")
    return Trouble(
        what=read["what"],
        after=str(read.get("after", "")),
        count=(first, last),
        times=int(read.get("times", 1)),
        offsets_s=tuple(map(int, read.get("offsets_s", ()))),
    )


def _expected(read: dict[str, Any]) -> Expected:
    _only(read, _EXPECT, "[expect]")
    kinds = {"recovered": tuple(read.get("recovered", ()))}
    return Expected(**{**read, **kinds})


def _only(read: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    unknown = sorted(set(read) - set(known))
    if unknown:
        raise ValueError(f"{where} has {unknown[0]!r}; known are {', '.join(known)}")
