"""Evidence bundles: git trees whose ``manifest.json`` names every file with its SHA-256.

A bundle is bound to a commit by the event that cites it, is reachable from that event's ledger
commit, and can be checked on any clone without trusting git's own object names.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from gitcto.errors import CtoError
from gitcto.model.codec import canonical
from gitcto.store.attach import attach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.git.objects import Objects

MANIFEST = "manifest.json"
VERSION = 1

_MEDIA_TYPES = {
    "diff": "text/x-diff",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "log": "text/plain",
    "md": "text/markdown",
    "txt": "text/plain",
}
_FILE_MODES = frozenset({"100644", "100755"})
_TREE_MODE = "40000"


def write(objects: Objects, files: Mapping[str, bytes | str]) -> str:
    """Store a bundle and return its tree's oid.

    ``files`` maps a relative path to content, or to the oid (``str``) of a blob that is stored
    already. The same files give the same oid. Raises ``ValueError`` for a path that no bundle can
    hold, and ``CtoError`` when a blob is missing or the disk is full.
    """
    oids: dict[str, str] = {}
    listed: list[dict[str, object]] = []
    for path, content in sorted(files.items()):
        _check_path(path)
        if isinstance(content, str):
            oids[path], data = content, objects.read(content)[1]
        else:
            oids[path], data = objects.write_blob(content), content
        listed.append(_describe(path, data))
    oids[MANIFEST] = objects.write_blob(canonical({"files": listed, "v": VERSION}) + b"\n")
    return attach(objects, oids)


def read(objects: Objects, tree: str) -> dict[str, bytes]:
    """Return every file of a bundle by path, the manifest too; raises ``CtoError``.

    Nothing is checked: ask :func:`verify` whether it is what was written.
    """
    return {
        path: objects.read(oid)[1]
        for path, mode, oid in _entries(objects, tree)
        if mode in _FILE_MODES
    }


def read_file(objects: Objects, tree: str, path: str) -> bytes:
    """Return one file of a bundle; raises ``CtoError`` when the bundle has no such file."""
    for found, mode, oid in _entries(objects, tree):
        if found == path and mode in _FILE_MODES:
            return objects.read(oid)[1]
    raise CtoError(
        f"the evidence has no file {path}", "`git cto evidence show TASK` lists its files"
    )


def verify(objects: Objects, tree: str) -> list[str]:
    """Return one line for everything about a bundle that is not as its manifest says."""
    try:
        entries = list(_entries(objects, tree))
    except CtoError as error:
        return [f"the bundle cannot be read: {error.message}"]
    problems = [
        f"{path}: not a plain file (mode {mode})"
        for path, mode, _ in entries
        if mode not in _FILE_MODES
    ]
    found = {path: oid for path, mode, oid in entries if mode in _FILE_MODES}
    listed, trouble = _listed(objects, found.pop(MANIFEST, None))
    problems += trouble
    problems += [f"{path}: missing" for path in sorted(listed.keys() - found.keys())]
    problems += [f"{path}: not in the manifest" for path in sorted(found.keys() - listed.keys())]
    for path in sorted(listed.keys() & found.keys()):
        problems += _compare(objects, found[path], listed[path])
    return problems


def _compare(objects: Objects, oid: str, expected: dict[str, Any]) -> list[str]:
    path = expected["path"]
    try:
        actual = _describe(path, objects.read(oid)[1])
    except CtoError as error:
        return [f"{path}: {error.message}"]
    return [
        f"{path}: {name} is {actual[name]}, the manifest says {expected.get(name)}"
        for name in ("size", "sha256")
        if actual[name] != expected.get(name)
    ]


def _listed(objects: Objects, manifest: str | None) -> tuple[dict[str, dict[str, Any]], list[str]]:
    import json

    if manifest is None:
        return {}, [f"{MANIFEST}: missing"]
    try:
        content = json.loads(objects.read(manifest)[1])
        files = content["files"]
        if content["v"] != VERSION:
            return {}, [f"{MANIFEST}: version {content['v']} is not known, upgrade git-cto"]
        listed = {str(entry["path"]): entry for entry in files}
    except CtoError as error:
        return {}, [f"{MANIFEST}: {error.message}"]
    except (ValueError, KeyError, TypeError):
        return {}, [f"{MANIFEST}: is not a manifest"]
    return listed, [] if len(listed) == len(files) else [f"{MANIFEST}: names a file twice"]


def _entries(objects: Objects, tree: str, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    for entry in objects.tree(tree):
        path = prefix + entry.name
        if entry.mode == _TREE_MODE:
            yield from _entries(objects, entry.oid, f"{path}/")
        else:
            yield path, entry.mode, entry.oid


def _describe(path: str, data: bytes) -> dict[str, object]:
    suffix = path.rpartition(".")[2] if "." in path else ""
    return {
        "media_type": _MEDIA_TYPES.get(suffix, "application/octet-stream"),
        "path": path,
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
    }


def _check_path(path: str) -> None:
    parts = path.split("/")
    wrong = path == MANIFEST or not path.isprintable()
    if wrong or any(part in {"", ".", ".."} for part in parts):
        raise ValueError(f"a bundle cannot hold the path {path!r}")
