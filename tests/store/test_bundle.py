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

FILES: dict[str, bytes | str] = {
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
    stored = objects.write_blob(b"3 passed\n")
    again = dict(reversed(FILES.items())) | {"gates/tests.log": stored}
    assert bundle.write(objects, again) == bundle.write(objects, FILES)


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
    """Return what verifying says about a bundle whose top tree was changed by hand."""
    entries = [(e.mode, e.name, e.oid) for e in objects.tree(bundle.write(objects, FILES))]
    return bundle.verify(objects, objects.write_tree(change(entries)))


def without(entries: Rows, name: str) -> Rows:
    return [entry for entry in entries if entry[1] != name]


def test_every_change_is_found(objects: Objects) -> None:
    forged = objects.write_blob(b"# Forged\n")
    longer = objects.write_blob(b"# Report, longer\n")
    assert changed(objects, lambda e: without(e, "report.md")) == ["report.md: missing"]
    assert changed(objects, lambda e: [*e, ("100644", "extra", forged)]) == [
        "extra: not in the manifest"
    ]
    problems = changed(
        objects, lambda e: [*without(e, "report.md"), ("100644", "report.md", forged)]
    )
    assert [line.split(" is ")[0] for line in problems] == ["report.md: sha256"]
    problems = changed(
        objects, lambda e: [*without(e, "report.md"), ("100644", "report.md", longer)]
    )
    assert [line.split(" is ")[0] for line in problems] == ["report.md: size", "report.md: sha256"]
    assert changed(
        objects, lambda e: [*without(e, "report.md"), ("120000", "report.md", forged)]
    ) == [
        "report.md: not a plain file (mode 120000)",
        "report.md: missing",
    ]
    assert changed(objects, lambda e: [*e, ("160000", "module", "1" * 40)]) == [
        "module: not a plain file (mode 160000)"
    ]
    lost = changed(objects, lambda e: [*without(e, "report.md"), ("100644", "report.md", "1" * 40)])
    assert len(lost) == 1
    assert "missing from the repository" in lost[0]


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (b"", "is not a manifest"),
        (b"[]", "is not a manifest"),
        (b'{"v":1,"files":[{}]}', "is not a manifest"),
        (b'{"v":2,"files":[]}', "version 2 is not known"),
        (b'{"v":1,"files":[{"path":"a"},{"path":"a"}]}', "names a file twice"),
    ],
)
def test_a_manifest_that_is_none_is_said(objects: Objects, manifest: bytes, said: str) -> None:
    blob = objects.write_blob(manifest)
    tree = objects.write_tree([("100644", "manifest.json", blob)])
    assert said in bundle.verify(objects, tree)[0]


def test_a_bundle_without_manifest_or_that_is_no_tree(objects: Objects) -> None:
    assert bundle.verify(objects, objects.write_tree(())) == ["manifest.json: missing"]
    blob = objects.write_blob(b"x")
    assert "cannot be read" in bundle.verify(objects, blob)[0]
