"""Evidence bundles: what is written comes back, and whatever was changed is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest

from gitcto.errors import CtoError
from gitcto.git.objects import Objects
from gitcto.git.repository import Repository
from gitcto.store import bundle
from tests.store.conftest import git

FILES: dict[str, bytes] = {
    "report.md": b"# Report\n",
    "gates/tests.log": b"3 passed\n",
    "raw/stdout.log": b"\x00\xff",
    "report.json": b"{}",
}
Rows = list[tuple[str, str, str]]


@pytest.fixture
def objects(repository: Repository) -> Objects:
    return Objects(repository)


def test_a_bundle_says_what_it_holds(objects: Objects, repository: Repository) -> None:
    tree = bundle.write(objects, FILES)
    manifest = json.loads(bundle.read_file(objects, tree, "manifest.json"))
    assert [entry["path"] for entry in manifest["files"]] == sorted(FILES)
    assert manifest["files"][0] == {
        "media_type": "text/plain",
        "path": "gates/tests.log",
        "sha256": hashlib.sha256(b"3 passed\n").hexdigest(),
        "size": 9,
    }
    assert bundle.verify(objects, tree) == []
    read = bundle.read(objects, tree)
    assert {path: read[path] for path in FILES} == FILES
    assert read.keys() - FILES.keys() == {"manifest.json"}
    assert git(repository, "fsck", "--strict", "--no-dangling") == ""


def test_the_same_files_are_the_same_bundle(objects: Objects) -> None:
    assert bundle.write(objects, dict(reversed(FILES.items()))) == bundle.write(objects, FILES)


@pytest.mark.parametrize(
    "path", ["", "/a", "a//b", "../a", "a/./b", ".git/x", "a\nb", "manifest.json"]
)
def test_paths_that_no_bundle_can_hold_are_refused(objects: Objects, path: str) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        bundle.write(objects, {path: b""})


def test_a_file_that_is_not_there_is_said_with_a_hint(objects: Objects) -> None:
    tree = bundle.write(objects, FILES)
    with pytest.raises(CtoError, match=r"no file nope\.md"):
        bundle.read_file(objects, tree, "nope.md")


def changed(objects: Objects, change: Callable[[Rows], Rows]) -> list[str]:
    """Return the codes of what is wrong with a bundle whose top tree was changed by hand."""
    entries = [(e.mode, e.name, e.oid) for e in objects.tree(bundle.write(objects, FILES))]
    return [one.code for one in bundle.verify(objects, objects.write_tree(change(entries)))]


def without(entries: Rows, name: str) -> Rows:
    return [entry for entry in entries if entry[1] != name]


def test_every_change_is_found(objects: Objects) -> None:
    def put(mode: str, oid: str) -> Callable[[Rows], Rows]:
        return lambda entries: [*without(entries, "report.md"), (mode, "report.md", oid)]

    forged = objects.write_blob(b"# Forged\n")
    longer = objects.write_blob(b"# Report, longer\n")
    assert changed(objects, lambda e: without(e, "report.md")) == ["missing"]
    assert changed(objects, lambda e: [*e, ("100644", "extra", forged)]) == ["extra"]
    assert changed(objects, put("100644", forged)) == ["digest"]
    assert changed(objects, put("100644", longer)) == ["larger"]
    assert changed(objects, put("120000", forged)) == ["symlink", "missing"]
    assert changed(objects, lambda e: [*e, ("160000", "module", "1" * 40)]) == ["mode"]
    assert changed(objects, put("100644", "1" * 40)) == ["unreadable"]


def test_a_bundle_without_manifest_or_that_is_no_tree(objects: Objects) -> None:
    empty = objects.write_tree(())
    assert [one.code for one in bundle.verify(objects, empty)] == ["manifest_missing"]
    blob = objects.write_blob(b"x")
    assert [one.code for one in bundle.verify(objects, blob)] == ["unreadable"]


def test_a_tree_as_deep_as_no_bundle_is_refused(objects: Objects) -> None:
    tree = objects.write_tree(())
    for _ in range(40):
        tree = objects.write_tree([("40000", "d", tree)])
    assert [one.code for one in bundle.verify(objects, tree)] == ["unreadable"]


def test_many_blobs_are_written_as_one_by_one(objects: Objects) -> None:
    contents = [b"a", b"b", b"a", b"", *(b"%d" % n for n in range(20))]
    ids = objects.write_blobs(contents)
    assert ids == [objects.write_blob(data) for data in contents]
    assert [objects.read(oid) for oid in ids] == [("blob", data) for data in contents]


def test_a_disk_that_refuses_one_of_many_blobs_is_said(
    objects: Objects, repository: Repository
) -> None:
    kept = repository.objects.with_name("kept")
    repository.objects.rename(kept)
    repository.objects.write_text("no directory")
    with pytest.raises(CtoError, match="cannot write object"):
        objects.write_blobs([b"1", b"2", b"3", b"4"])
