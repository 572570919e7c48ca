"""Power loss: an operation on every disk that may be left when the power goes while it runs.

The operation's calls are recorded with ``strace``. At each moment the disk holds what was synced,
and any part of the rest (:mod:`gitcto.testing.disk`). Each such disk is made, and the next ordinary
command must recover from it: what was acknowledged is there, the ledger is sound, git finds nothing
wrong, and the operation succeeds.

``python -m gitcto.testing.power_loss [--json] [--operation NAME ...] [--most N]``
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.testing import sound
from gitcto.testing.disk import Tree, tree_of
from gitcto.testing.recording import OPTIONS, NotUnderstoodError, Recording
from gitcto.testing.scene import Stage, age
from gitcto.testing.tracing import Target, Tracer, why_not

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitcto.testing.disk import Change
    from gitcto.testing.scene import Operation

_MEMORY = ("-shm",)
"""Ends of the names of files that SQLite keeps in memory and makes anew; they may hold anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A power cut: the moment, which changes the disk holds then, and what was promised by then.

    ``promise`` tells whether the last of that was promised at that very moment.
    """

    moment: int
    kept: str
    promised: tuple[str, ...]
    promise: bool
    changes: tuple[Change, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one cut; ``seconds`` is how long the next command took to be consistent."""

    operation: str
    cut: Cut
    seconds: float
    problems: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        """Return a line for each problem."""
        head = f"{self.operation}, cut at {self.cut.moment} ({self.cut.kept})"
        return "\n".join(f"{head}: {kind}: {text}" for kind, text in self.problems)


class PowerLoss:
    """Tries one operation in a directory of its own, on at most ``most`` disks."""

    def __init__(self, operation: Operation, place: Path, most: int | None = None) -> None:
        self._operation = operation
        (place / "bin").mkdir(parents=True)
        self._tracer = Tracer(place / "bin")
        self._stage = Stage.make(place, operation)
        self._most = most

    def outcomes(self) -> Iterator[Outcome]:
        """Recover from every disk. Raises ``NotUnderstoodError`` for a recording with a gap."""
        before = _contents(self._stage.template)
        seen: set[bytes] = set()
        for cut in self._chosen(self._cuts(before)):
            tree = tree_of(before)
            for change in cut.changes:
                tree.take(change)
            digest = _digest(cut, tree)
            if digest not in seen:
                seen.add(digest)
                self._make(before, tree)
                yield self._outcome(cut)

    def _chosen(self, cuts: list[Cut]) -> list[Cut]:
        """Return the cuts to try: most of them when something was just promised.

        Half of all let one change be missing then, which is how most mistakes show.
        """
        if self._most is None:
            return cuts
        promises = [cut for cut in cuts if cut.promise]
        one_less = [cut for cut in promises if cut.kept.startswith("all but")]
        promises = [cut for cut in promises if not cut.kept.startswith("all but")]
        others = [cut for cut in cuts if not cut.promise]
        shares = ((one_less, 2), (promises, 4), (others, 4))
        return [cut for each, share in shares for cut in _spread(each, self._most // share)]

    def _cuts(self, before: dict[str, bytes]) -> list[Cut]:
        """Return every cut that differs in what is on the disk or in what was promised."""
        journal = self._record(before).journal
        found: dict[object, Cut] = {}
        for moment in range(journal.moment + 1):
            promised = journal.promised(moment)
            for kept, made in journal.states(moment):
                key = (promised, tuple((id(change), len(change.data)) for change in made))
                cut = Cut(
                    moment=moment,
                    kept=kept,
                    promised=promised,
                    promise=journal.is_promise(moment),
                    changes=tuple(made),
                )
                found.setdefault(key, cut)
        return list(found.values())

    def _record(self, before: dict[str, bytes]) -> Recording:
        stage, act, path = self._stage, self._operation.act, self._tracer.path
        stage.reset()
        ended = self._tracer.run(
            lambda acknowledge: act(stage.heard(acknowledge, path)), Target("ours", 0), OPTIONS
        )
        if ended.how != "done":
            raise RuntimeError(f"{self._operation.name} fails by itself: {ended.said}")
        recording = Recording(str(stage.scene.root), tree_of(before), self._operation.elsewhere)
        recording.read(ended.trace)
        there, told = _contents(stage.scene.root), recording.tree.contents()
        wrong = [name for name in there.keys() | told.keys() if there.get(name) != told.get(name)]
        wrong = [name for name in wrong if not name.endswith(_MEMORY)]
        if wrong:
            raise NotUnderstoodError(f"{self._operation.name}: {sorted(wrong)}")
        return recording

    def _make(self, before: dict[str, bytes], tree: Tree) -> None:
        """Make the scene what is on a disk."""
        self._stage.reset()
        root = self._stage.scene.root
        wanted = {
            name: data for name, data in tree.contents().items() if not name.endswith(_MEMORY)
        }
        for name in sorted(before.keys() - wanted.keys(), reverse=True):
            path = root / name
            if name.endswith("/"):
                path.rmdir()
            else:
                path.unlink()
        for name in sorted(wanted.keys() - before.keys()):
            if name.endswith("/"):
                (root / name).mkdir()
        for name, data in wanted.items():
            if not name.endswith("/") and before.get(name) != data:
                (root / name).unlink(missing_ok=True)
                (root / name).write_bytes(data)
        for first, *others in _twins(tree):
            for other in others:
                (root / other).unlink()
                os.link(root / first, root / other)

    def _outcome(self, cut: Cut) -> Outcome:
        operation, scene = self._operation, self._stage.scene
        kept = operation.kept or (lambda _scene, _what: True)
        gone = [("lost", what) for what in cut.promised if not kept(scene, what)]
        age(scene)
        started = time.monotonic()
        problems = sound.recovered(scene, operation, cut.promised if not operation.kept else ())
        return Outcome(
            operation=operation.name,
            cut=cut,
            seconds=time.monotonic() - started,
            problems=(*gone, *problems),
        )


def _contents(root: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for directory, folders, files in os.walk(root):
        above = f"{directory}/".removeprefix(f"{root}/")
        found |= {f"{above}{name}/": b"" for name in folders}
        found |= {f"{above}{name}": Path(directory, name).read_bytes() for name in files}
    return found


def _spread(cuts: list[Cut], most: int) -> list[Cut]:
    step = max(1.0, len(cuts) / max(1, most))
    return [cuts[int(number * step)] for number in range(int(len(cuts) / step))]


def _twins(tree: Tree) -> tuple[tuple[str, ...], ...]:
    """Return the names of files that have several."""
    names: dict[int, list[str]] = {}
    for path, node in tree.paths().items():
        names.setdefault(node, []).append(path)
    return tuple(tuple(sorted(each)) for each in names.values() if len(each) > 1)


def _digest(cut: Cut, tree: Tree) -> bytes:
    state = hashlib.sha256(repr((cut.promised, _twins(tree))).encode())
    for name, data in sorted(tree.contents().items()):
        if not name.endswith(_MEMORY):
            state.update(f"{name}\0{len(data)}\0".encode())
            state.update(data)
    return state.digest()


def figures(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Count disks and what was wrong, by operation; ``seconds`` is the longest recovery."""
    table: dict[str, dict[str, float]] = {}
    for each in outcomes:
        row = table.setdefault(each.operation, {"disks": 0, "seconds": 0.0})
        row["disks"] += 1
        row["seconds"] = round(max(row["seconds"], each.seconds), 3)
        for kind in {kind for kind, _ in each.problems}:
            row[kind] = row.get(kind, 0) + 1
    return table


def main(arguments: Sequence[str]) -> int:
    """Try the product's own operations; return 1 when something was wrong on a disk."""
    import argparse
    import json

    from gitcto.testing.own_operations import OWN

    lasting = [operation for operation in OWN if not operation.until_reboot]
    parser = argparse.ArgumentParser(prog="python -m gitcto.testing.power_loss")
    parser.add_argument("--json", action="store_true", help="print figures as one JSON object")
    parser.add_argument("--operation", action="append", choices=[each.name for each in lasting])
    parser.add_argument("--most", type=int, help="disks of each operation at most")
    chosen = parser.parse_args(arguments)
    reason = why_not()
    outcomes: list[Outcome] = []
    for operation in lasting if not reason else ():
        if chosen.operation and operation.name not in chosen.operation:
            continue
        with tempfile.TemporaryDirectory(prefix="gitcto-power-") as place:
            for each in PowerLoss(operation, Path(place) / "loop", chosen.most).outcomes():
                outcomes.append(each)
                if each.problems:
                    sys.stderr.write(f"{each}\n")
    table = figures(outcomes)
    if chosen.json:
        sys.stdout.write(json.dumps({"skipped": reason, "operations": table}) + "\n")
    else:
        lines = [f"{name:24}{row}\n" for name, row in table.items()]
        sys.stdout.write(f"skipped: {reason}\n" if reason else "".join(lines))
    return int(any(each.problems for each in outcomes))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
