"""The fault loop: each durable call of an operation fails once, until none is left.

After every fault the next ordinary command must recover, whatever was acknowledged must be there,
git must find nothing wrong, no lock may be left, and the operation must succeed when it is done
again. As SQLite's loops do for I/O errors, with ``strace`` in the place of a test VFS.

``python -m gitcto.testing.fault_loop [--json] [--operation NAME ...] [--most N]``
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.errors import ExitCode
from gitcto.testing import sound
from gitcto.testing.scene import Stage, age
from gitcto.testing.tracing import Target, Tracer, calls, why_not

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitcto.testing.scene import Operation
    from gitcto.testing.tracing import Ended

FAULTS = ("kill", "kill git alone", "EIO", "ENOSPC", "EIO for good", "ENOSPC for good")
"""What happens at a call: the process dies, or the call fails, once or from then on."""

_LASTING = " for good"
_NAMES = (
    ("openat", "openat"),
    ("write", "write"),
    ("pwrite64", "pwrite64"),
    ("rename", "?rename,?renameat,?renameat2"),
    ("link", "?link,?linkat"),
    ("unlink", "?unlink,?unlinkat"),
    ("mkdir", "?mkdir,?mkdirat"),
    ("rmdir", "?rmdir"),
    ("fsync", "fsync"),
    ("fdatasync", "fdatasync"),
    ("ftruncate", "ftruncate"),
)
_FREES_SPACE = frozenset({"unlink", "unlinkat", "rmdir"})
_OPENS_TO_WRITE = ("O_CREAT", "O_TRUNC", "O_WRONLY", "O_RDWR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The ``number``-th ``call`` (from 1) that a target makes; ``detail`` is what it asks for."""

    target: Target
    call: str
    number: int
    detail: str = ""

    def __str__(self) -> str:
        """Return where it is, for a person."""
        return f"{self.call} {self.number} of {self.target}: {self.detail[:160]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One fault at one point. ``problems`` are pairs of kind and text; ``healed`` counts locks."""

    operation: str
    fault: str
    point: Point
    how: str
    healed: int
    problems: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """Return a line for each problem."""
        head = f"{self.operation}, {self.fault} at {self.point} ({self.how})"
        return "\n".join(f"{head}: {kind}: {text}" for kind, text in self.problems)


class FaultLoop:
    """Tries one operation in a directory of its own; ``most`` points of each kind at most."""

    def __init__(self, operation: Operation, place: Path, most: int | None = None) -> None:
        self._operation = operation
        (place / "bin").mkdir(parents=True)
        self._tracer = Tracer(place / "bin")
        self._stage = Stage.make(place, operation)
        self._most = most

    def rounds(self, faults: Sequence[str] = FAULTS, call: str = "") -> Iterator[Round]:
        """Run every round, or all of one ``call`` of the system.

        Raises ``RuntimeError`` when the operation fails without a fault.
        """
        for point in self.points():
            for fault in faults:
                if _applies(fault, point) and call in {"", point.call}:
                    yield self._round(fault, point)

    def sample(self) -> Iterator[Round]:
        """Run one round for each point, with the faults in turn."""
        for number, point in enumerate(self.points()):
            fitting = [fault for fault in FAULTS if _applies(fault, point)]
            yield self._round(fitting[number % len(fitting)], point)

    def points(self) -> list[Point]:
        """Return every durable call of the operation, of all its threads and git processes."""
        first = self._record(Target("ours", 0))
        targets = [Target("ours", number) for number in range(first.threads)]
        targets += [Target("git", number) for number in range(first.gits)]
        found: list[Point] = []
        for target in targets:
            trace = first.trace if target == targets[0] else self._record(target).trace
            found += _spread(_points(target, trace, str(self._stage.scene.root)), self._most)
        return found

    def _record(self, target: Target) -> Ended:
        names = ",".join(spec for _, spec in _NAMES)
        ended = self._act(target, ["-y", "-e", f"trace={names}"])
        if ended.how != "done":
            raise RuntimeError(f"{self._operation.name} fails by itself: {ended.said}")
        return ended

    def _act(self, target: Target, options: Sequence[str], *, alone: bool = False) -> Ended:
        stage, act, path = self._stage, self._operation.act, self._tracer.path
        stage.reset()
        return self._tracer.run(
            lambda acknowledge: act(stage.heard(acknowledge, path)), target, options, alone=alone
        )

    def _round(self, fault: str, point: Point) -> Round:
        number = f"{point.number}{'+' if fault.endswith(_LASTING) else ''}"
        what = (
            "signal=KILL" if fault.startswith("kill") else f"error={fault.removesuffix(_LASTING)}"
        )
        inject = f"inject={point.call}:{what}:when={number}"
        options = ["-e", f"trace={point.call}", "-e", inject]
        ended = self._act(point.target, options, alone=fault == "kill git alone")
        scene, operation = self._stage.scene, self._operation
        locks = age(scene)
        events = () if operation.kept else ended.acknowledged
        gone = [x for x in ended.acknowledged if operation.kept and not operation.kept(scene, x)]
        after = [("lost", what) for what in gone] + sound.recovered(scene, operation, events)
        found = [*_told(ended), *after]
        left = sum(kind == "lock" for kind, _ in found)
        return Round(
            operation=operation.name,
            fault=fault,
            point=point,
            how=ended.how if _struck(fault, ended) else "missed",
            healed=max(0, locks - left),
            problems=tuple(found),
        )


def _struck(fault: str, ended: Ended) -> bool:
    """Tell whether the call was made: threads do not always share their work alike."""
    return ("killed by SIGKILL" if fault.startswith("kill") else "(INJECTED)") in ended.trace


def _told(ended: Ended) -> Iterator[tuple[str, str]]:
    """Check what a person was told."""
    if ended.how == "broke":
        yield "broke", ended.said
    if ended.how == "refused":
        one_line = "\n" not in ended.said + ended.hint
        if not ended.said or not ended.hint or not one_line or ended.code == ExitCode.INTERNAL:
            yield "words", f"{ended.said!r}, {ended.hint!r}, exit {ended.code}"


def _applies(fault: str, point: Point) -> bool:
    if fault.startswith("ENOSPC"):
        return point.call not in _FREES_SPACE
    return fault != "kill git alone" or point.target.kind == "git"


def _points(target: Target, trace: str, root: str) -> list[Point]:
    counted: Counter[str] = Counter()
    found = []
    for name, detail in calls(trace):
        counted[name] += 1
        writes = name != "openat" or any(flag in detail for flag in _OPENS_TO_WRITE)
        if root in detail and writes and " = -1 " not in detail:
            found.append(Point(target=target, call=name, number=counted[name], detail=detail))
    return found


def _spread(points: list[Point], most: int | None) -> list[Point]:
    """Return at most ``most`` points of each call, the first and the last among them."""
    if most is None:
        return points
    kept = []
    for call in dict.fromkeys(point.call for point in points):
        same = [point for point in points if point.call == call]
        step = max(1.0, (len(same) - 1) / max(1, most - 1))
        kept += [same[round(step * n)] for n in range(min(most, len(same)))]
    return kept


def figures(rounds: Sequence[Round]) -> dict[str, dict[str, dict[str, int]]]:
    """Count rounds and what went wrong in them, by operation and fault."""
    kinds = ("lost", "fsck", "chain", "lock", "retry", "broke", "words", "check")
    table: dict[str, dict[str, dict[str, int]]] = {}
    for each in rounds:
        empty = dict.fromkeys(("rounds", "missed", "healed", *kinds), 0)
        row = table.setdefault(each.operation, {}).setdefault(each.fault, empty)
        row["rounds"] += 1
        row["missed"] += each.how == "missed"
        row["healed"] += each.healed
        for kind in {kind for kind, _ in each.problems}:
            row[kind] += 1
    return table


def main(arguments: Sequence[str]) -> int:
    """Run the product's own operations; return 1 when a round found something wrong."""
    import argparse
    import json

    from gitcto.testing.own_operations import OWN

    parser = argparse.ArgumentParser(prog="python -m gitcto.testing.fault_loop")
    parser.add_argument("--json", action="store_true", help="print figures as one JSON object")
    parser.add_argument("--operation", action="append", choices=[each.name for each in OWN])
    parser.add_argument("--fault", action="append", choices=FAULTS)
    parser.add_argument("--most", type=int, help="points of each call of a process at most")
    chosen = parser.parse_args(arguments)
    reason = why_not()
    rounds: list[Round] = []
    for operation in OWN if not reason else ():
        if chosen.operation and operation.name not in chosen.operation:
            continue
        with tempfile.TemporaryDirectory(prefix="gitcto-faults-") as place:
            loop = FaultLoop(operation, Path(place) / "loop", chosen.most)
            for each in loop.rounds(chosen.fault or FAULTS):
                rounds.append(each)
                if each.problems:
                    sys.stderr.write(f"{each}\n")
    table = figures(rounds)
    if chosen.json:
        sys.stdout.write(json.dumps({"skipped": reason, "operations": table}) + "\n")
    else:
        sys.stdout.write(f"skipped: {reason}\n" if reason else _shown(table))
    return int(any(each.problems for each in rounds))


def _shown(table: dict[str, dict[str, dict[str, int]]]) -> str:
    lines = []
    for operation, faults in table.items():
        for fault, row in faults.items():
            wrong = ", ".join(f"{kind} {n}" for kind, n in row.items() if n and kind != "rounds")
            lines.append(f"{operation:24}{fault:18}{row['rounds']:5} rounds  {wrong}\n")
    return "".join(lines)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
