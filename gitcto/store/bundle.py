"""Evidence bundles as git trees: written at once, read back as they were found.

What a bundle says and whether it holds is decided in :mod:`gitcto.evidence`. A bundle is bound to
an attempt by the event that cites it and is reachable from that event's ledger commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.errors import CtoError
from gitcto.evidence.manifest import FILE_MODE, Found, Refusal, verify_files, with_manifest
from gitcto.git.objects import TREE_MODE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.git.objects import Objects

_BLOBS = frozenset({FILE_MODE, "100755", "120000"})
_DEEPEST = 16


def write(objects: Objects, files: Mapping[str, bytes]) -> str:
    """Store files and their manifest as a bundle, and return its tree's oid.

    The same files give the same oid. Raises ``ValueError`` for a path that no bundle can hold,
    and ``CtoError`` when the disk does not take it.
    """
    whole = with_manifest(files)
    oids = objects.write_blobs(list(whole.values()))
    return _tree(objects, dict(zip(whole, oids, strict=True)))


def _tree(objects: Objects, oids: Mapping[str, str]) -> str:
    rows: list[tuple[str, str | bytes, str]] = []
    below: dict[str, dict[str, str]] = {}
    for path, oid in oids.items():
        name, _, rest = path.partition("/")
        if rest:
            below.setdefault(name, {})[rest] = oid
        else:
            rows.append((FILE_MODE, name, oid))
    rows += [(TREE_MODE, name, _tree(objects, inside)) for name, inside in below.items()]
    return objects.write_tree(rows)


def found(objects: Objects, tree: str) -> list[Found]:
    """Return everything that a bundle's tree holds, of whatever mode; raises ``CtoError``.

    Nothing is checked but that git can read it.
    """
    return [
        Found(path, mode, objects.read(oid)[1] if mode in _BLOBS else b"")
        for path, mode, oid in entries(objects, tree)
    ]


def entries(objects: Objects, tree: str, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield path, mode and oid of everything below a tree; raises ``CtoError``."""
    if prefix.count("/") > _DEEPEST:
        raise CtoError(
            f"the evidence has directories below {prefix}, deeper than any bundle",
            "it was not written by git-cto",
        )
    for entry in objects.tree(tree):
        path = prefix + entry.name
        if entry.mode == TREE_MODE:
            yield from entries(objects, entry.oid, f"{path}/")
        else:
            yield path, entry.mode, entry.oid


def read(objects: Objects, tree: str) -> dict[str, bytes]:
    """Return every plain file of a bundle by path, the manifest too; raises ``CtoError``."""
    return {file.path: file.data for file in found(objects, tree) if file.mode == FILE_MODE}


def read_file(objects: Objects, tree: str, path: str) -> bytes:
    """Return one file of a bundle; raises ``CtoError`` when the bundle has no such file."""
    for name, mode, oid in entries(objects, tree):
        if name == path and mode == FILE_MODE:
            return objects.read(oid)[1]
    raise CtoError(
        f"the evidence has no file {path}", "`git cto evidence show TASK` lists its files"
    )


def verify(objects: Objects, tree: str) -> list[Refusal]:
    """Return everything about a bundle's files that is not as its manifest says."""
    try:
        return verify_files(found(objects, tree))
    except CtoError as error:
        return [Refusal("unreadable", error.message)]
