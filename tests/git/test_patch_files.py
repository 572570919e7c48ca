"""Patches as git writes them, read back: what they add, whatever the files hold or are called."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from gitcto.git.binary_patch import BinaryPatch
from gitcto.git.patch_error import PatchError
from gitcto.git.patch_files import AddedLine, FilePatch, read_patch
from gitcto.git.trees import patch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.git.conftest import Repo

TRICKY = [
    "",
    "+++ b/other",
    "--- a/other",
    "@@ -1,2 +1,2 @@",
    "diff --git a/x b/x",
    "GIT binary patch",
    "\\ No newline at end of file",
    " indented",
    "-- ",
    "ordinary",
    "\r",
    "ü\x0c",
]
LIMIT = 1 << 20


def commit(repo: Repo, files: Mapping[str, bytes]) -> str:
    """Commit exactly these files."""
    repo.git("rm", "-rqf", "--ignore-unmatch", ".")
    for path, content in files.items():
        file = repo.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return repo.commit()


def read(repo: Repo, old: Mapping[str, bytes], new: Mapping[str, bytes]) -> dict[str, FilePatch]:
    before, after = commit(repo, old), commit(repo, new)
    files = read_patch(patch(repo.trusted, before, after))
    assert len({file.path for file in files}) == len(files)
    return {file.path: file for file in files}


@pytest.mark.parametrize("seed", range(12))
def test_what_git_counts_is_what_is_read(repo: Repo, seed: int) -> None:
    draw = random.Random(seed)
    old, new = (
        {
            f"{name}.txt": "\n".join(draw.choices(TRICKY, k=draw.randrange(1, 30))).encode()
            for name in draw.sample("abcdef", 4)
        }
        for _ in range(2)
    )
    before, after = commit(repo, old), commit(repo, new)
    counted = {}
    for row in repo.git("diff-tree", "-r", "--no-renames", "--numstat", before, after).splitlines():
        plus, minus, path = row.split("\t")
        counted[path] = (int(plus), int(minus))

    files = read_patch(patch(repo.trusted, before, after))

    assert {file.path: (len(file.added), file.removed) for file in files} == counted
    for file in files:
        lines = new.get(file.path, b"").split(b"\n")
        assert [(each.number, each.text) for each in file.added] == [
            (each.number, lines[each.number - 1]) for each in file.added
        ]


@pytest.mark.parametrize(
    "name",
    ["plain", "with space", "ü", 'quo"te', "back\\slash", "new\nline", "a b/a b", "b/x", "\udcff"],
)
def test_every_path_is_read_as_it_is(repo: Repo, name: str) -> None:
    files = read(repo, {"base": b""}, {"base": b"", name: b"x\n"})
    assert files == {
        name: FilePatch(path=name, added=(AddedLine(1, b"x"),), removed=0, binary=None)
    }


def test_binary_content_has_a_size_and_can_be_read(repo: Repo) -> None:
    draw = random.Random(1)
    old = draw.randbytes(5000)
    inserted = draw.randbytes(300)
    files = read(
        repo,
        {"new.bin": b"text\n", "grown.bin": old, "gone.bin": b"\0"},
        {"new.bin": b"\0" * 70_000, "grown.bin": old[:2500] + inserted + old[2500:]},
    )
    sizes = {path: file.binary.new_size() for path, file in files.items() if file.binary}
    assert sizes == {"gone.bin": 0, "grown.bin": 5300, "new.bin": 70_000}
    assert files["grown.bin"].binary.kind == "delta"
    assert inserted in files["grown.bin"].binary.added(LIMIT)
    assert old[:2500] not in files["grown.bin"].binary.added(LIMIT)
    assert files["new.bin"].binary.added(LIMIT) == b"\0" * 70_000
    with pytest.raises(PatchError, match="larger than 69999"):
        files["new.bin"].binary.added(69_999)


def test_the_pieces_that_a_binary_file_gains_stay_apart(repo: Repo) -> None:
    noise = [random.Random(seed).randbytes(1000) for seed in range(3)]
    new = noise[0] + b"one" * 20 + noise[1] + b"two" * 20 + noise[2]
    (file,) = read(repo, {"a": b"".join(noise)}, {"a": new}).values()
    assert file.binary.kind == "delta"
    added = file.binary.added(LIMIT)
    assert b"one" * 20 in added
    assert b"two" * 20 in added
    assert b"onetwo" not in added


def test_what_is_neither_text_nor_binary(repo: Repo) -> None:
    before = commit(repo, {"run": b"x\n", "kind": b"a\n", "empty": b""})
    (repo.path / "run").chmod(0o755)
    (repo.path / "kind").unlink()
    (repo.path / "kind").symlink_to("elsewhere")
    (repo.path / "void").touch()
    (repo.path / "empty").unlink()
    after = repo.commit()
    files = read_patch(patch(repo.trusted, before, after))
    assert [(file.path, len(file.added), file.removed) for file in files] == [
        ("empty", 0, 0),
        ("kind", 0, 1),
        ("kind", 1, 0),
        ("run", 0, 0),
        ("void", 0, 0),
    ]
    assert files[2].added == (AddedLine(1, b"elsewhere"),)


def test_nothing_is_nothing() -> None:
    assert read_patch(b"") == ()


HEAD = b"diff --git a/x b/x\n"


@pytest.mark.parametrize(
    "bad",
    [
        b"hello\n",
        b"diff --git a/x b/y\n",
        b"diff --git x x\n",
        HEAD + b"rename from x\n",
        HEAD + b"Binary files a/x and b/x differ\n",
        HEAD + b"@@ -1 +1,2 @@\n-a\n+b\n",
        HEAD + b"@@ -1 +1 @@\n+a\n+b\n",
        HEAD + b"@@ nonsense @@\n",
        HEAD + b"@@ -1 +1 @@\nx\n",
        HEAD + b"GIT binary patch\nliteral x\n",
        HEAD + b"GIT binary patch\nliteral 1\n",
    ],
)
def test_what_git_does_not_write_is_refused(bad: bytes) -> None:
    with pytest.raises(PatchError):
        read_patch(bad)


@pytest.mark.parametrize(
    "binary",
    [
        BinaryPatch(kind="literal", size=9, lines=(b"Bxx",)),
        BinaryPatch(kind="literal", size=9, lines=(b"zHello~World",)),
        BinaryPatch(kind="delta", size=2, lines=()),
    ],
)
def test_binary_content_that_is_not_there_is_refused(binary: BinaryPatch) -> None:
    with pytest.raises(PatchError):
        binary.added(LIMIT)
