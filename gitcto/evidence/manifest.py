"""The list of a bundle's files, and the one digest that stands for all of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitcto.evidence.canonical import canonical, digest

MANIFEST = "manifest.json"
VERSION = 1
FILE_MODE = "100644"

_SYMLINK = "120000"
_MEDIA_TYPES = {
    "diff": "text/x-diff",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "log": "text/plain",
    "md": "text/markdown",
    "sarif": "application/sarif+json",
    "txt": "text/plain",
    "xml": "application/xml",
}


@dataclass(frozen=True, slots=True)
class Found:
    """One file of a bundle as it was found; ``mode`` is git's."""

    path: str
    mode: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a bundle is no evidence: a stable ``code``, and what exactly."""

    code: str
    detail: str


def describe(path: str, data: bytes) -> dict[str, Any]:
    """Return a file's line in the manifest."""
    suffix = path.rpartition(".")[2] if "." in path else ""
    return {
        "media_type": _MEDIA_TYPES.get(suffix, "application/octet-stream"),
        "path": path,
        "sha256": digest(data),
        "size": len(data),
    }


def listing(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return the lines of files, sorted by path."""
    return [describe(path, data) for path, data in sorted(files.items())]


def root(files: object) -> str:
    """Return the digest of a list of files."""
    return digest(canonical(files))


def manifest(files: Mapping[str, bytes]) -> bytes:
    """Return the manifest of files. Raises ``ValueError`` for a path that no bundle can hold."""
    for path in files:
        check_path(path)
    listed = listing(files)
    return canonical({"files": listed, "root": root(listed), "v": VERSION}) + b"\n"


def with_manifest(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return files and their manifest: a whole bundle. Raises ``ValueError`` as above."""
    return {**files, MANIFEST: manifest(files)}


def check_path(path: str) -> None:
    """Refuse what is no plain relative path, with ``ValueError``."""
    parts = path.split("/")
    wrong = path == MANIFEST or not path.isprintable()
    if wrong or any(part in {"", ".", ".."} for part in parts):
        raise ValueError(f"a bundle cannot hold the path {path!r}")


def verify_files(found: Iterable[Found]) -> list[Refusal]:
    """Return everything about a bundle's files that is not as its manifest says."""
    found = list(found)
    refused = [_wrong_mode(file) for file in found if file.mode != FILE_MODE]
    files = {file.path: file.data for file in found if file.mode == FILE_MODE}
    raw = files.pop(MANIFEST, None)
    if raw is None:
        return [*refused, Refusal("manifest_missing", f"there is no {MANIFEST}")]
    entries, trouble = _entries(raw)
    if trouble:
        return [*refused, trouble]
    refused += _order(entries)
    listed = {entry["path"]: entry for entry in entries}
    refused += [Refusal("missing", path) for path in sorted(listed.keys() - files.keys())]
    refused += [Refusal("extra", path) for path in sorted(files.keys() - listed.keys())]
    for path in sorted(listed.keys() & files.keys()):
        refused += _compare(listed[path], files[path])
    return refused or _whole(raw, entries, files)


def _wrong_mode(file: Found) -> Refusal:
    code = "symlink" if file.mode == _SYMLINK else "mode"
    return Refusal(code, f"{file.path} is no plain file (mode {file.mode})")


def _entries(raw: bytes) -> tuple[list[dict[str, Any]], Refusal | None]:
    try:
        content = json.loads(raw)
        version, files = content["v"], content["files"]
        if version != VERSION or isinstance(version, bool):
            said = f"{MANIFEST} has version {version!r}, this git-cto knows {VERSION}"
            return [], Refusal("manifest_version", said)
        entries = [
            {
                "media_type": str(entry["media_type"]),
                "path": str(entry["path"]),
                "sha256": str(entry["sha256"]),
                "size": int(entry["size"]),
            }
            for entry in files
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        return [], Refusal("manifest_malformed", f"{MANIFEST} is none")
    return entries, None


def _order(entries: list[dict[str, Any]]) -> Iterator[Refusal]:
    paths = [entry["path"] for entry in entries]
    if len(set(paths)) != len(paths):
        yield Refusal("manifest_duplicate", f"{MANIFEST} names a file twice")
    elif paths != sorted(paths):
        yield Refusal("manifest_order", f"the files of {MANIFEST} are not in order")


def _compare(stated: Mapping[str, Any], data: bytes) -> Iterator[Refusal]:
    path, size = stated["path"], stated["size"]
    actual = describe(path, data)
    if actual["size"] != size:
        code = "larger" if actual["size"] > size else "smaller"
        said = f"{path} has {actual['size']} bytes, its line says {size}"
        yield Refusal(code, said)
    elif actual["sha256"] != stated["sha256"]:
        yield Refusal("digest", f"{path} is another file than its line says")
    if actual["media_type"] != stated["media_type"]:
        yield Refusal("media_type", f"{path} is {actual['media_type']}")


def _whole(raw: bytes, entries: list[dict[str, Any]], files: Mapping[str, bytes]) -> list[Refusal]:
    """Compare what is left: the root, and every byte that is neither."""
    if raw == manifest(files):
        return []
    said = json.loads(raw).get("root")
    if said != root(entries):
        return [Refusal("manifest_root", f"the root of {MANIFEST} is not that of its files")]
    return [Refusal("manifest_malformed", f"{MANIFEST} is not in canonical form")]
