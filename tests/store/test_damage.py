"""What is not, or no longer, a ledger is refused in one line of what and one of what to do."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gitcto.errors import CtoError, ExitCode
from gitcto.git.objects import Objects
from gitcto.git.repository import Repository
from gitcto.model import commands as cmd
from gitcto.model.codec import GENESIS, digest
from gitcto.model.records import TeamMode
from gitcto.store.chain import ledger_ref, teams
from gitcto.store.commits import LedgerBroken
from gitcto.store.ledger import Ledger
from tests.store.conftest import ENVIRONMENT, TestEffects, git, make_repository, recorded

PAUSE = cmd.SetMode(mode=TeamMode.PAUSED)
CREATE = cmd.CreateTeam(team="demo", target="refs/heads/x")
EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def refused(action: Callable[[], object]) -> CtoError:
    with pytest.raises(CtoError) as caught:
        action()
    error = caught.value
    assert error.hint
    assert "\n" not in error.message + error.hint
    assert error.exit_code is ExitCode.GIT
    return error


def plant(repository: Repository, kind: str) -> str:
    """Put something that is no ledger where a ledger should be."""
    objects = Objects(repository)
    objects.write_tree(())
    text = f"tree {EMPTY}\nauthor a <a> 5 +0000\ncommitter a <a> 5 +0000\n"
    if kind == "blob":
        oid = objects.write_blob(b"hello")
    elif kind == "tag":
        target = objects.write_blob(b"hello")
        tag = f"object {target}\ntype blob\ntag x\ntagger a <a> 5 +0000\n\nx\n"
        oid = objects.write("tag", tag.encode())
    elif kind == "no events":
        oid = objects.write("commit", f"{text}\njust prose\n\nnot an event\n".encode())
    elif kind == "no event at all":
        oid = objects.write("commit", f'{text}\nx\n\n{{"id": 5}}\n'.encode())
    else:
        parents = [objects.write("commit", f"{text}\n{n}\n\n{{}}\n".encode()) for n in "ab"]
        lines = "".join(f"parent {p}\n" for p in parents)
        merge = text.replace("author", f"{lines}author", 1)
        oid = objects.write("commit", f"{merge}\nx\n\n{{}}\n".encode())
    git(repository, "update-ref", ledger_ref("demo"), oid)
    return oid


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("blob", "is a blob, not a ledger commit"),
        ("tag", "is a tag, not a ledger commit"),
        ("no events", "carries no events"),
        ("no event at all", "holds a line that is no event"),
        ("merge", "is a merge"),
    ],
)
def test_a_ref_that_is_not_ours_is_left_alone(
    repository: Repository, open_ledger: Callable[..., Ledger], kind: str, said: str
) -> None:
    oid = plant(repository, kind)
    ledger = open_ledger()
    for action in (lambda: ledger.transact(CREATE), ledger.summary, ledger.load):
        assert said in refused(action).message
    assert any(said in problem for problem in ledger.verify_chain())
    assert ledger.tip() == oid


def test_a_symbolic_ref_is_not_followed(
    repository: Repository, open_ledger: Callable[..., Ledger]
) -> None:
    git(repository, "symbolic-ref", ledger_ref("demo"), "refs/heads/main")
    assert "symbolic" in refused(lambda: open_ledger().transact(CREATE)).message


def loose(repository: Repository, oid: str) -> Path:
    return repository.objects / oid[:2] / oid[2:]


@pytest.mark.parametrize("how", ["missing", "truncated", "empty", "garbage"])
def test_a_damaged_object_is_refused_by_name_where_nobody_knows_it(
    ledger: Ledger, repository: Repository, open_ledger: Callable[..., Ledger], how: str
) -> None:
    oid = str(ledger.tip())
    ledger.close()
    (repository.cto_dir / "sidecar.db").unlink()
    damage(loose(repository, oid), how)
    again = open_ledger(using=TestEffects(seed=2))
    for action in (again.summary, lambda: again.transact(PAUSE)):
        assert oid[:12] in refused(action).message
    assert again.tip() == oid
    assert any(oid[:12] in problem for problem in again.verify_chain())


@pytest.mark.parametrize("how", ["missing", "truncated", "empty", "garbage"])
def test_a_damaged_object_that_the_sidecar_knows_is_written_again(
    ledger: Ledger, repository: Repository, how: str
) -> None:
    recorded(ledger.transact(PAUSE))
    oids = git(repository, "rev-list", ledger.ref).split()
    for oid in oids[1:]:
        damage(loose(repository, oid), how)
    assert ledger.verify_chain() != []
    assert ledger.heal() == 2
    assert ledger.heal() == 0
    assert ledger.verify_chain() == []
    assert git(repository, "fsck", "--strict") == ""
    assert git(repository, "rev-list", ledger.ref).split() == oids


def test_a_rebuild_heals_before_it_forgets(ledger: Ledger, repository: Repository) -> None:
    dump = ledger.sidecar().dump()
    damage(loose(repository, git(repository, "rev-parse", f"{ledger.ref}~1")), "missing")
    ledger.rebuild()
    assert ledger.sidecar().dump() == dump
    assert ledger.verify_chain() == []


def test_a_rebuild_says_in_one_line_what_of_the_objects_cannot_be_read(
    ledger: Ledger, repository: Repository
) -> None:
    (repository.objects / "zz").write_text("not a directory")
    error = refused(ledger.rebuild)
    assert error.message.startswith(f"cannot list {repository.objects}: Not a directory")
    (repository.objects / "zz").unlink()
    ledger.rebuild()


def test_strangers_commits_are_healed_to_their_own_bytes(
    ledger: Ledger, repository: Repository
) -> None:
    """A commit that another program formatted is kept whole, so its oid comes back too."""
    last = list(ledger.events())[-1]
    line = json.loads(last.line) | {"id": "0" * 26, "prev": digest(last.line)}
    line["body"] = {"kind": "team.mode_changed", "mode": "paused"}
    message = b"odd\n\nprose\n" + json.dumps(line).encode() + b"\n\nmore: prose\n"
    tip = git(repository, "commit-tree", EMPTY, "-p", str(ledger.tip()), stdin=message)
    git(repository, "update-ref", ledger.ref, tip)
    assert ledger.summary().cursor.tip == tip
    damage(loose(repository, tip), "missing")
    assert ledger.heal() == 1
    assert ledger.verify_chain() == []


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    path.chmod(0o644)
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes({"truncated": data[:-9], "empty": b"", "garbage": b"x" * 90}[how])


def rewritten(repository: Repository, ledger: Ledger, change: Callable[[list[str]], None]) -> None:
    """Write the ledger again with its messages changed, as a forger would."""
    oids = git(repository, "rev-list", "--reverse", ledger.ref).split()
    messages = [git(repository, "log", "-1", "--format=%B", oid) for oid in oids]
    change(messages)
    parent: list[str] = []
    for number, message in enumerate(messages):
        env = {"GIT_COMMITTER_DATE": f"{1_700_000_000 - number} +0000"}
        done = subprocess.run(
            ["git", "-C", str(repository.common_dir), "commit-tree", EMPTY, *parent],
            input=message.encode(),
            env=ENVIRONMENT | env,
            check=True,
            capture_output=True,
        )
        parent = ["-p", done.stdout.decode().strip()]
    git(repository, "update-ref", ledger.ref, parent[1])
    (repository.cto_dir / "sidecar.db").unlink()


def test_a_forged_event_breaks_the_chain(
    ledger: Ledger, repository: Repository, open_ledger: Callable[..., Ledger]
) -> None:
    def forge(messages: list[str]) -> None:
        messages[0] = messages[0].replace("integration", "production")

    recorded(ledger.transact(PAUSE))
    ledger.close()
    rewritten(repository, ledger, forge)
    again = open_ledger()
    assert "breaks the hash chain" in refused(again.summary).message
    problems = again.verify_chain()
    assert sum("breaks the hash chain" in problem for problem in problems) == 1
    assert sum("dated before its parent" in problem for problem in problems) == 2


def test_an_event_that_is_there_twice_is_told(
    ledger: Ledger, repository: Repository, open_ledger: Callable[..., Ledger]
) -> None:
    def repeat(messages: list[str]) -> None:
        subject, _, line = messages[0].partition("\n\n")
        assert GENESIS in line
        twice = line.replace(GENESIS, digest(line.strip().encode()))
        messages[:] = [f"{subject}\n\n{line.strip()}\n{twice.strip()}\n"]

    ledger.close()
    rewritten(repository, ledger, repeat)
    again = open_ledger()
    assert "repeats itself" in refused(again.summary).message
    assert any("is there twice" in problem for problem in again.verify_chain())


def test_a_ledger_cut_off_by_a_shallow_fetch_is_refused(
    ledger: Ledger, repository: Repository, tmp_path: Path, open_ledger: Callable[..., Ledger]
) -> None:
    for number in range(70):
        mode = (TeamMode.PAUSED, TeamMode.RUNNING)[number % 2]
        recorded(ledger.transact(cmd.SetMode(mode=mode)))
    for depth in (5, 68):
        clone = make_repository(tmp_path / f"clone{depth}")
        url = f"file://{repository.common_dir}"
        git(clone, "fetch", "-q", f"--depth={depth}", url, "refs/cto/*:refs/cto/*")
        refused(open_ledger(clone).summary)


def test_other_refs_of_ours_are_no_teams(ledger: Ledger, repository: Repository) -> None:
    tip = str(ledger.tip())
    for name in ("refs/cto/other", "refs/cto/teams/x/preserved/y", "refs/cto/teams/a/b/ledger"):
        git(repository, "update-ref", name, tip)
    assert teams(repository) == ["demo"]


FULL = """
import os, resource, sys
from pathlib import Path
from gitcto.effects import SystemEffects
from gitcto.errors import CtoError
from gitcto.git.repository import discover
from gitcto.model import commands as cmd
from gitcto.model.records import TaskSpec
from gitcto.store.ledger import Ledger, Recorded

with Ledger(discover(Path.cwd(), os.environ), "demo", SystemEffects(), "me") as ledger:
    ledger.catch_up()
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
    noise = [os.urandom(5_000).hex() for _ in range(40)]
    specs = tuple(TaskSpec(id=f"BIG{n}", title="big", prompt=text) for n, text in enumerate(noise))
    try:
        outcome = ledger.transact(cmd.ImportPlan(source="p", digest="d", tasks=specs))
        assert isinstance(outcome, Recorded), outcome
    except CtoError as error:
        print(error.message, error.hint, sep="\\n")
"""


@pytest.mark.parametrize("room", ["for nothing", "for the object"])
def test_a_full_disk_loses_nothing_and_leaves_nothing_half_made(
    ledger: Ledger, repository: Repository, open_ledger: Callable[..., Ledger], room: str
) -> None:
    """Too little room for the object is an error; too little for the tables alone is none."""
    kept = room == "for the object"
    limit = 400_000 if kept else 100_000
    before = ledger.tip()
    if kept:
        side = ledger.sidecar()
        side.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.close()
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(limit)],
        cwd=str(repository.work_tree),
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    said = done.stdout.splitlines()
    with closing(sqlite3.connect(repository.cto_dir / "sidecar.db")) as db:
        assert db.execute("SELECT tip FROM cursor").fetchall() == [(before,)]
    again = open_ledger(using=TestEffects(seed=2))
    assert (again.tip() != before) == kept
    assert len(said) == (0 if kept else 2), said
    left = [name for _, _, names in os.walk(repository.common_dir) for name in names]
    assert not [name for name in left if name.startswith("tmp_") or name.endswith(".lock")]
    assert git(repository, "fsck", "--strict", "--no-dangling") == ""
    assert (again.view().task("BIG39") is not None) == kept
    recorded(again.transact(PAUSE))
    assert again.verify_chain() == []


def test_a_broken_ledger_is_an_error_of_git() -> None:
    assert LedgerBroken("a", "b").exit_code is ExitCode.GIT
