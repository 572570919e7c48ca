"""Warm trees: what a worker left is gone, whatever it did to hide it; nothing half-made is used."""

from __future__ import annotations

import inspect
import json
import os
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gitcto.git.process import trusted
from gitcto.git.repository import discover
from gitcto.git.trees import checkout
from gitcto.runtime.workspace import pool, trash
from gitcto.runtime.workspace.pool import Pool
from gitcto.testing import CtoRepo
from gitcto.testing.kills import kills

FILES = ("a", "b", "src/c", "src/deep/d", "src/run.sh", "lib/e")


class Bay:
    """A repository, a pool, and rooms of it."""

    def __init__(self, repo: CtoRepo, root: Path) -> None:
        for name in FILES:
            repo.write(name, f"{name}\n")
        (repo.path / "src/run.sh").chmod(0o755)
        (repo.path / "src/link").symlink_to("c")
        self.repo, self.root = repo, root
        self.base = self.commit(**{".gitignore": "*.log\nbuild/\n"})
        self.git = trusted(discover(repo.path, repo.environment))
        self.pool = Pool(
            root=root / "pool", trash=root / "trash", git=self.git, capacity=2, least_files=1
        )

    def commit(self, **files: str) -> str:
        for name, text in files.items():
            self.repo.write(name, text)
        self.repo.git("add", "--all")
        self.repo.git("commit", "--quiet", "-m", "change")
        return self.repo.oid()

    def place(self, name: str) -> tuple[Path, Path, Path]:
        place = self.root / name
        place.mkdir(exist_ok=True)
        return place / "room", place / "room.index", place / "warm"

    def make(self, name: str = "one") -> Path:
        room, index, _ = self.place(name)
        checkout(self.git, self.base, room, index)
        return room

    def put(self, name: str = "one") -> str:
        aside = self.place(name)[2]
        if not self.pool.set_aside(*self.place(name)):
            return "not wanted"
        return self.pool.put(self.base, aside)

    def take(self, name: str = "two", base: str = "") -> bool:
        return self.pool.take(base or self.base, *self.place(name))

    def look(self, name: str) -> dict[str, tuple[int, bytes]]:
        """Return everything in a room: its mode, and its content or target."""
        room = self.root / name / "room"
        found = {}
        for path in (room, *room.rglob("*")):
            mode = path.lstat().st_mode
            content = bytes(path.readlink()) if path.is_symlink() else b""
            content = path.read_bytes() if stat.S_ISREG(mode) else content
            found[str(path.relative_to(room))] = (mode, content)
        return found


@pytest.fixture
def bay(tmp_path: Path) -> Bay:
    return Bay(CtoRepo(tmp_path / "world"), tmp_path)


def hide(path: Path, text: str) -> None:
    """Write other text of the same size, and make it look as if nothing had been written."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def bury(room: Path) -> None:
    (room / "src/deep/d").unlink()
    (room / "src/deep").rmdir()
    (room / "src/deep").symlink_to(room.parent)


def swap(room: Path) -> None:
    (room / "a").unlink()
    (room / "a").mkdir()
    (room / "a/x").write_text("x")
    (room / "src/link").unlink()
    (room / "src/link").write_text("c")


def name_twice(room: Path) -> None:
    os.link(room / "a", room.parent / "kept-outside")


def lend(room: Path) -> None:
    (room / "b").unlink()
    (room.parent / "foreign").write_text("b\n")
    os.link(room.parent / "foreign", room / "b")


MISCHIEF: dict[str, Callable[[Path], object]] = {
    "nothing": lambda room: None,
    "edits": lambda room: (room / "a").write_text("edited\n"),
    "hidden edit": lambda room: hide(room / "a", "A\n"),
    "new files": lambda room: (room / "src/new").write_text("x"),
    "ignored files": lambda room: (room / "x.log").write_text("x"),
    "ignored folder": lambda room: (room / "build/x").mkdir(parents=True),
    "empty folder": lambda room: (room / "src/empty").mkdir(),
    "deleted": lambda room: (room / "a").unlink(),
    "link over a folder": bury,
    "folder over a file": swap,
    "executable": lambda room: (room / "a").chmod(0o755),
    "world-writable file": lambda room: (room / "a").chmod(0o666),
    "attributes": lambda room: (room / ".gitattributes").write_text("* filter=evil\n"),
    "ignore rules": lambda room: (room / ".gitignore").write_text("*\n"),
    "pipe": lambda room: os.mkfifo(room / "src/pipe"),
    "nested repository": lambda room: (room / "src/.git/hooks").mkdir(parents=True),
    "second name": name_twice,
    "somebody else's file": lend,
}


@pytest.mark.parametrize("what", MISCHIEF)
def test_a_room_from_the_pool_is_like_a_new_one(bay: Bay, what: str) -> None:
    """Within a second of the checkout, when git has to compare contents."""
    used_is_like_new(bay, MISCHIEF[what])


@pytest.mark.parametrize(
    "what", ["nothing", "hidden edit", "world-writable file", "second name", "somebody else's file"]
)
def test_the_same_of_an_older_room(bay: Bay, until: Callable[..., None], what: str) -> None:
    """When git believes what an index says of a file."""

    def change(room: Path) -> None:
        until(lambda: int(time.time()) > (room / "a").stat().st_mtime)
        index = room.parent / "room.index"
        bay.git.run("update-index", "--force-write-index", work_tree=room, index=index)
        MISCHIEF[what](room)

    used_is_like_new(bay, change)


def used_is_like_new(bay: Bay, change: Callable[[Path], object]) -> None:
    room = bay.make()
    bay.make("new")
    change(room)
    assert bay.put() == ""
    assert not room.exists()
    assert bay.take()
    assert bay.look("two") == bay.look("new")
    for name in ("kept-outside", "foreign"):
        if (outside := bay.root / "one" / name).exists():
            outside.write_text("written through another name\n")
    assert bay.look("two") == bay.look("new")
    assert status_of(bay, "two") == ""


def status_of(bay: Bay, name: str) -> str:
    room, index, _ = bay.place(name)
    done = bay.git.run("status", "--porcelain", "--ignored", work_tree=room, index=index)
    staged = bay.git.run("diff-index", "--cached", bay.base, index=index)
    return "".join(line for line in done.out.decode().splitlines(True) if line[1] != " ") + (
        staged.out.decode()
    )


@pytest.mark.parametrize(
    "doubt",
    [
        lambda room: (room / "src").chmod(0o777),
        lambda room: room.chmod(0o700),
        lambda room: (room / "src").chmod(0o1755),
        lambda room: os.setxattr(room / "src", "user.evil", b"x"),
    ],
    ids=["open folder", "closed room", "sticky", "attribute"],
)
def test_in_doubt_a_room_is_not_kept(bay: Bay, doubt: Callable[[Path], object]) -> None:
    room = bay.make()
    try:
        doubt(room)
    except (OSError, AttributeError):
        pytest.skip("this file system has no such attributes")
    assert bay.put() != ""
    assert bay.pool.trees() == ()
    assert not bay.take()


def test_a_near_commit_costs_what_differs(bay: Bay) -> None:
    room = bay.make()
    assert bay.put() == ""
    (bay.repo.path / "a").write_text("2\n")
    (bay.repo.path / "lib/e").unlink()
    (bay.repo.path / "lib").rmdir()
    bay.base = bay.commit(lib="now a file\n", new="n\n")
    before = bay.pool.trees()[0].path / "tree"
    untouched = (before / "b").stat()
    assert bay.take()
    bay.make("new")
    assert bay.look("two") == bay.look("new")
    after = (bay.root / "two/room/b").stat()
    assert (after.st_ino, after.st_ctime_ns) == (untouched.st_ino, untouched.st_ctime_ns)
    assert status_of(bay, "two") == ""
    assert not room.exists()


def test_when_attributes_changed_no_file_may_be_what_it_was(bay: Bay) -> None:
    bay.make()
    assert bay.put() == ""
    bay.base = bay.commit(**{".gitattributes": "* text eol=crlf\n"})
    assert not bay.take()
    assert bay.pool.trees() == ()


def test_what_changed_in_the_pool_is_not_handed_out(bay: Bay) -> None:
    for number, change in enumerate(
        (
            lambda tree: hide(tree / "a", "A\n"),
            lambda tree: (tree / "src/new").write_text("x"),
            lambda tree: (tree / ".git").mkdir(),
            lambda tree: (tree.parent / "index").write_bytes(b"DIRC"),
            lambda tree: (tree.parent / "kept.json").write_text("{}"),
        )
    ):
        room = bay.make(f"room-{number}")
        assert bay.put(room.parent.name) == ""
        change(bay.pool.trees()[0].path / "tree")
        assert not bay.take(f"again-{number}")
        assert not (bay.root / f"again-{number}/room").exists()
        assert bay.pool.trees() == ()


def test_a_tree_of_another_boot_is_not_believed(bay: Bay) -> None:
    bay.make()
    assert bay.put() == ""
    marker = bay.pool.trees()[0].path / "kept.json"
    marker.write_text(json.dumps(json.loads(marker.read_text()) | {"boot": "another"}))
    assert not bay.take()


def test_no_more_are_kept_than_there_are_places(bay: Bay) -> None:
    for name in ("one", "two", "three"):
        bay.make(name)
    assert [bay.put(name) for name in ("one", "two", "three")] == ["", "", "not wanted"]
    assert len(bay.pool.trees()) == 2


def test_a_tree_is_taken_once(bay: Bay) -> None:
    for name in ("one", "two"):
        bay.make(name)
        assert bay.put(name) == ""
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(bay.take, [f"taker-{n}" for n in range(8)]))
    assert sum(taken) == 2
    assert len(list(bay.root.glob("taker-*/room"))) == 2


@pytest.mark.parametrize("what", ["put", "take"])
def test_a_kill_leaves_nothing_in_the_pool_that_is_not_whole(bay: Bay, what: str) -> None:
    """Killed before each line; the place goes afterwards, as a settled or failed attempt's does."""
    modules = [str(inspect.getfile(module)) for module in (pool, trash)]
    if what == "take":
        bay.make("first")
        assert bay.put("first") == ""
        bay.base = bay.commit(a="2\n")

    def action(number: int) -> None:
        if what == "put":
            (bay.make(f"killed-{number}") / "src/new").write_text("x")
            bay.put(f"killed-{number}")
        else:
            bay.take(f"killed-{number}")

    for number in kills(action, *modules):
        for tree in bay.pool.trees():
            assert (tree.path / "tree/src/c").read_text() == "src/c\n"
            assert not (tree.path / "tree/src/new").exists()
        taken = bay.take("after", bay.base)
        assert not taken or (bay.root / "after/room/src/c").read_text() == "src/c\n"
        trash.throw(bay.pool.trash, bay.root / "after")
        trash.throw(bay.pool.trash, bay.root / f"killed-{number}")
        trash.empty(bay.pool.trash)
        assert trash.waiting(bay.pool.trash) == ()
        if what == "take":
            bay.make("first")
            bay.put("first")
