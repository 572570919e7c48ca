"""Two hundred kills while twelve workers make a mess: not a byte of theirs is lost.

Orchestrators, supervisors and workers are killed at random moments, one or two at a time, and the
run is started again, until the campaign has had its kills; then everything is left to finish. What
a worker had written is known from its journal, which lies outside of its room. See ``worker`` for
what they do, ``journal`` for what counts as written, ``arena`` for who is killed and when.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from gitcto.runtime.workspace.pool import LEAST_FILES
from tests.acceptance.dirty.arena import TASKS, Arena, Killer, assert_all_gone
from tests.acceptance.dirty.worker import State

KILLS = 20
CAMPAIGNS = [("none", seed) for seed in range(7)] + [("strict", seed) for seed in range(3)]
ROOMS_KEPT_WARM = ("none", 2)
"""The campaign with so many files that rooms are made from trees kept warm."""

MANY_FILES = LEAST_FILES + 100

BRANCH = "cto/main/integration"


def tree(arena: Arena, revision: str, *below: str) -> State:
    """Return the files of a commit or tree as git has them."""
    found = {}
    for line in arena.git("ls-tree", "-r", "-z", revision, "--", *below).split("\0")[:-1]:
        meta, path = line.split("\t")
        mode, _, oid = meta.split()
        found[path] = (mode, oid)
    return found


def reachable(arena: Arena) -> set[str]:
    """Return every object that a ref leads to."""
    lines = arena.git("rev-list", "--objects", "--all").splitlines()
    return {line.partition(" ")[0] for line in lines}


def user_files(arena: Arena) -> dict[Path, bytes]:
    """Return what belongs to the user: the checkout, and git's files about it."""
    ours = {"cto", "objects", "refs", "logs", "worktrees"}
    found = {}
    for path in arena.path.rglob("*"):
        parts = path.relative_to(arena.path).parts
        if path.is_file() and not (parts[0] == ".git" and parts[1] in ours):
            found[path] = path.read_bytes()
    found[arena.path / "main"] = arena.git("rev-parse", "main").encode()
    return found


def kept_as(arena: Arena) -> dict[str, str]:
    """Return by execution the tree or commit that keeps its files: preserved, or landed."""
    kept = {}
    told = json.loads(arena.cto("log", "--json", "-n", "100000").stdout)
    for event in (each["event"]["body"] for each in told["events"]):
        if event["kind"] == "work.harvested":
            kept[event["execution"]] = event["tree"]
    prefix = "refs/cto/teams/main/preserved/"
    for ref in arena.git("for-each-ref", "--format=%(refname)", prefix).splitlines():
        execution = ref.removeprefix(prefix)
        if "/" not in execution:
            kept[execution] = ref
    return kept


def lost(arena: Arena) -> list[str]:
    """Return what any worker had written and no ref leads to."""
    there, kept = reachable(arena), kept_as(arena)

    def read(oid: str) -> bytes:
        return arena.git_bytes("cat-file", "blob", oid)

    problems = []
    for execution, streams in arena.journal.streams.items():
        revision = kept.get(execution, "main")
        if arena.git("rev-parse", f"{revision}^{{tree}}") not in there:
            problems.append(f"{execution}: no ref leads to its files")
        for name, stream in streams.items():
            found = tree(arena, revision, stream.root)
            problem = stream.problem(found, there, read)
            gone = [commit for commit in stream.commits if commit not in there]
            problems += [f"{execution} {name}: {problem}"] if problem else []
            problems += [f"{execution} {name}: commits {gone}"] if gone else []
    return problems


def assert_landed_once(arena: Arena) -> None:
    shown = ("log", "--format=%(trailers:key=Cto-Task,valueonly,separator=%x2C)")
    assert sorted(arena.git(*shown, f"main..{BRANCH}").splitlines()) == sorted(TASKS)
    shown = ("log", "--format=%(trailers:key=Cto-Execution,valueonly,separator=%x2C)")
    for execution in arena.git(*shown, f"main..{BRANCH}").splitlines():
        for stream in arena.journal.streams[execution].values():
            assert tree(arena, BRANCH, stream.root) == tree(
                arena, kept_as(arena)[execution], stream.root
            )


def assert_nothing_left(arena: Arena) -> None:
    assert_all_gone(arena.root)
    clean = json.loads(arena.cto("clean", "--json").stdout)["items"]
    assert [item for item in clean if not item["safe"]] == []
    assert arena.cto("clean", "--apply").returncode == 0  # what a run had no time to delete
    for place in (arena.rooms / "main", arena.rooms / ".gates/main", arena.records, arena.tmp):
        assert list(place.iterdir()) == []
    known = {"main", ".gates", ".pool", ".probe-lock", ".trash"}
    assert {path.name for path in arena.rooms.iterdir()} - known == set()
    assert [path for path in arena.rooms.glob(".trash/*") if path.is_dir()] == []
    assert arena.git("for-each-ref", "refs/cto/teams/main/executions") == ""
    assert arena.git("fsck", "--full", "--strict", "--no-dangling") == ""


def figures(arena: Arena, killer: Killer) -> str:
    streams = [stream for each in arena.journal.streams.values() for stream in each.values()]
    return (
        f"{killer.total()} kills {dict(killer.kills)} at {dict(killer.moments)}; "
        f"{len(arena.journal.streams)} attempts, {arena.journal.lines} lines of journal, "
        f"{sum(len(stream.state) for stream in streams)} files and "
        f"{sum(len(stream.commits) for stream in streams)} commits known, all reachable"
    )


@pytest.mark.slow
@pytest.mark.timeout(600)  # forty seconds on a quiet machine
@pytest.mark.parametrize(("level", "seed"), CAMPAIGNS)
def test_what_workers_wrote_is_reachable_whoever_is_killed(
    tmp_path: Path,
    level: str,
    seed: int,
    record_property: Callable[[str, object], None],
    request: pytest.FixtureRequest,
) -> None:
    if level == "strict":
        request.getfixturevalue("bwrap")
    arena = Arena(tmp_path, level, bulk=MANY_FILES if (level, seed) == ROOMS_KEPT_WARM else 0)
    before = user_files(arena)
    killer = Killer(arena, random.Random(seed))
    killer.campaign(KILLS)
    arena.run_to_the_end()
    assert_all_gone(arena.root)
    arena.journal.close()
    problems = lost(arena)
    assert not problems, "\n".join(problems)
    assert_landed_once(arena)
    assert_nothing_left(arena)
    assert user_files(arena) == before
    assert killer.total() >= KILLS
    record_property("figures", figures(arena, killer))


def test_the_campaigns_together_make_two_hundred_kills() -> None:
    assert KILLS * len(CAMPAIGNS) >= 200
