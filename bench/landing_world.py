"""A real repository with real tests, and the branches of a made-up burst, each a real change.

Change ``x003`` sets the value of ``parts/x003.py``. One that shares a path with ``x017`` also
writes its word into ``shared/x003-x017.txt``, far enough from the other's to merge. A change that
is red sets a value which its test refuses; two that are red together choose the same word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.measure import run
from bench.queue_bursts import Burst
from bench.repositories import Place, fast_import

WAIT_S = 1.0
"""How long the tests wait, as they would for a service or a database (seconds)."""

RUN_TESTS = '''\
"""Run the tests of all parts, or those named; note in a tally what was run."""

import argparse
import os
import pathlib
import sys
import time
import unittest
from xml.sax.saxutils import quoteattr

WAIT_S = 0.0
HERE = pathlib.Path(__file__).resolve().parent


class Part(unittest.TestCase):
    def __init__(self, path):
        super().__init__("check")
        self.path = path

    def id(self):
        return str(self.path.relative_to(HERE))

    def check(self):
        names = {}
        exec(self.path.read_text(), names)
        self.assertGreaterEqual(names["VALUE"], 0)


class Shared(Part):
    def check(self):
        rows = [row.split(": ") for row in self.path.read_text().splitlines() if ": " in row]
        words = [word for _, word in rows if word != "none"]
        self.assertEqual(len(words), len(set(words)))


class Service(unittest.TestCase):
    def id(self):
        return "service"

    def runTest(self):
        time.sleep(WAIT_S)


def junit(tests, result):
    failed = {test.id() for test, _ in result.failures + result.errors}
    yield f'<testsuite name="parts" tests="{len(tests)}" failures="{len(failed)}">'
    for test in tests:
        inside = '<failure message="no"/>' if test.id() in failed else ""
        yield f'<testcase name={quoteattr(test.id())} classname="">{inside}</testcase>'
    yield "</testsuite>"


parser = argparse.ArgumentParser()
parser.add_argument("--tally")
parser.add_argument("--junit")
parser.add_argument("names", nargs="*")
options = parser.parse_args()
parts = [Part(path) for path in sorted(HERE.glob("parts/*.py"))]
tests = [*parts, *(Shared(path) for path in sorted(HERE.glob("shared/*.txt"))), Service()]
if options.names:
    tests = [test for test in tests if test.id() in options.names]
with open(options.tally, "a") as tally:
    tally.write("part\\n" if options.names else "whole\\n")
result = unittest.TextTestRunner(verbosity=0).run(unittest.TestSuite(tests))
if options.junit:
    pathlib.Path(options.junit).write_text("\\n".join(junit(tests, result)))
sys.exit(not (tests and result.wasSuccessful()))
'''
_BETWEEN = "\n".join(f"line {number}" for number in range(12))


def base(burst: Burst) -> dict[str, str]:
    """Return the files that every branch begins with."""
    files = {
        "run_tests.py": RUN_TESTS.replace("WAIT_S = 0.0", f"WAIT_S = {WAIT_S}"),
        ".gitignore": "__pycache__/\n",
    }
    for item in burst.items:
        files[f"parts/{item.id}.py"] = "VALUE = 0\n"
        files |= {_shared(path): _words(path) for path in item.paths if "-" in path}
    return files


def change(burst: Burst, name: str) -> dict[str, tuple[str, str]]:
    """Return which line a change replaces by which, by file."""
    item = next(item for item in burst.items if item.id == name)
    value = -1 if name in burst.bad else 1
    made = {f"parts/{name}.py": ("VALUE = 0", f"VALUE = {value}")}
    for path in sorted(item.paths):
        one, _, other = path.partition("-")
        if other:
            enemy = (other if one == name else one) in burst.enemies.get(name, ())
            made[_shared(path)] = (f"{name}: none", f"{name}: {'taken' if enemy else name}")
    return made


def build(place: Place, burst: Burst) -> None:
    """Make the repository: ``main``, and a branch for each change on it."""
    files = base(burst)
    fast_import(place, _commits(burst, files))
    place.git("reset", "--quiet", "--hard", "main")


def by_hand(place: Place, names: list[str], argv: tuple[str, ...]) -> list[str]:
    """Merge one branch after the other, run the tests, keep what is green; return what landed."""
    checkout = place.beside("by-hand")
    place.git("worktree", "add", "--quiet", "--detach", str(checkout), "main")
    there = Place(checkout, place.env)
    landed = []
    for name in names:
        there.git("merge", "--quiet", "--no-ff", "--no-edit", name)
        try:
            run(argv, checkout, place.env)
        except RuntimeError:
            there.git("reset", "--quiet", "--hard", "HEAD^")
            continue
        there.git("update-ref", "refs/heads/landed", "HEAD")
        landed.append(name)
    return landed


def tally(file: Path) -> Mapping[str, int]:
    """Return how often the tests were run, whole and in part."""
    lines = file.read_text().splitlines() if file.exists() else []
    return {kind: lines.count(kind) for kind in ("whole", "part")}


def _commits(burst: Burst, files: Mapping[str, str]) -> Iterator[bytes]:
    yield b"commit refs/heads/main\nmark :1\ncommitter Ada <ada@example.com> 1700000000 +0000\n"
    yield b"data 5\nstart\n"
    for path, text in files.items():
        yield _file(path, text)
    for item in burst.items:
        yield f"commit refs/heads/{item.id}\n".encode()
        yield b"committer Ada <ada@example.com> 1700000001 +0000\ndata 6\nchange\nfrom :1\n"
        for path, (old, new) in change(burst, item.id).items():
            yield _file(path, files[path].replace(old, new))


def _file(path: str, text: str) -> bytes:
    data = text.encode()
    return b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data)


def _shared(path: str) -> str:
    return f"shared/{path}.txt"


def _words(path: str) -> str:
    one, _, other = path.partition("-")
    return f"{one}: none\n{_BETWEEN}\n{other}: none\n"
