"""Files of git-lfs are taken as pointers, and never as what they stand for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from gitcto.git.harvest import Harvested, HarvestRefused, harvest
from gitcto.git.lfs import Pointer, pointer_of
from gitcto.git.trees import checkout
from tests.git.conftest import Repo

BIG = b"large\n" * 1000
OID = hashlib.sha256(BIG).hexdigest()


def pointer(oid: str = OID, size: int = len(BIG)) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n".encode()


class Room:
    def __init__(self, repo: Repo, root: Path) -> None:
        self.repo, self.path, self.scratch = repo, root / "room", root / "scratch"
        self.base = repo.git("rev-parse", "HEAD")
        self.asked: list[str] = []
        self.says = pointer()
        checkout(repo.trusted, self.base, self.path, root / "index")

    def clean(self, workspace: Path, paths: Sequence[str]) -> Mapping[str, bytes]:
        assert workspace == self.path
        self.asked += paths
        return dict.fromkeys(paths, self.says)

    def take(self) -> Harvested:
        return harvest(self.repo.found, self.path, self.base, self.scratch, clean=self.clean)

    def show(self, taken: Harvested, path: str) -> bytes:
        return self.repo.git("cat-file", "blob", f"{taken.tree}:{path}").encode() + b"\n"

    def stored(self) -> Path:
        return self.repo.path / f".git/lfs/objects/{OID[:2]}/{OID[2:4]}/{OID}"


@pytest.fixture
def room(repo: Repo, tmp_path: Path) -> Room:
    attributes = "*.bin filter=lfs diff=lfs merge=lfs -text\n"
    repo.commit(**{".gitattributes": attributes, "old.bin": pointer().decode(), "a": "1\n"})
    return Room(repo, tmp_path)


@pytest.mark.parametrize("repo", ["sha1", "sha256"], indirect=True)
def test_a_large_file_becomes_a_pointer_and_its_content_is_kept(room: Room) -> None:
    (room.path / "new.bin").write_bytes(BIG)
    (room.path / "new.bin").chmod(0o755)
    (room.path / "plain.txt").write_bytes(BIG)
    taken = room.take()
    assert room.asked == ["new.bin"]
    assert room.show(taken, "new.bin") == pointer()
    assert room.show(taken, "plain.txt") == BIG
    assert room.stored().read_bytes() == BIG
    assert [(each.path, each.mode) for each in taken.changes] == [
        ("new.bin", "100755"),
        ("plain.txt", "100644"),
    ]
    assert room.take().tree == taken.tree


def test_pointers_empty_and_untouched_files_are_left_alone(room: Room) -> None:
    (room.path / "copy.bin").write_bytes(pointer())
    (room.path / "empty.bin").touch()
    taken = room.take()
    assert room.asked == []
    assert room.show(taken, "copy.bin") == pointer()


@pytest.mark.parametrize(
    "says", [b"", b"evil", BIG, pointer(oid="0" * 64), pointer(size=1), pointer() + b"x"]
)
def test_a_pointer_that_does_not_describe_its_file_is_refused(room: Room, says: bytes) -> None:
    (room.path / "new.bin").write_bytes(BIG)
    room.says = says
    with pytest.raises(HarvestRefused) as refused:
        room.take()
    assert (refused.value.reason, refused.value.paths) == ("lfs_failed", ("new.bin",))
    assert not [path for path in room.repo.path.glob(".git/lfs/**/*") if path.is_file()]


def test_with_nobody_to_clean_nothing_is_taken(room: Room) -> None:
    (room.path / "new.bin").write_bytes(BIG)
    with pytest.raises(HarvestRefused) as refused:
        harvest(room.repo.found, room.path, room.base, room.scratch)
    assert refused.value.reason == "lfs_missing"


def test_attributes_that_the_worker_wrote_count_as_git_counts_them(room: Room) -> None:
    (room.path / "sub").mkdir()
    (room.path / "sub/.gitattributes").write_text("*.dat filter=lfs\n")
    (room.path / "sub/x.dat").write_bytes(BIG)
    (room.path / ".gitattributes").unlink()
    (room.path / "y.bin").write_bytes(BIG)
    room.take()
    assert room.asked == ["sub/x.dat"]


def test_what_is_a_pointer() -> None:
    assert pointer_of(pointer()) == Pointer(OID, len(BIG))
    extended = pointer().replace(b"oid", b"ext-0-x sha256:" + b"1" * 64 + b"\noid")
    assert pointer_of(extended) == Pointer(OID, len(BIG))
    for bad in (b"", pointer()[:-1], b"\n" + pointer(), pointer() + b"\n" * 2000):
        assert pointer_of(bad) is None
