"""Git objects: a durable writer of our own, and a reader that never starts a process."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from gitcto.errors import CtoError, ExitCode
from gitcto.git.durable import storage_errors
from gitcto.git.loose import CorruptObject, LooseObjects

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dulwich.object_store import DiskObjectStore

    from gitcto.git.repository import Repository

TREE_MODE = "40000"

_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_DEEPEST_ALTERNATE = 5  # git's own limit
_FEW, _WRITERS = 3, 8
_OID = re.compile("[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PERSON = re.compile(rb"(.*?) ?<([^>]*)> (-?[0-9]+)(?: [+-][0-9]{4})?")
_TRAILER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)")
_UNFIT = str.maketrans("", "", "<>\n\r\0")


class MissingObject(CtoError):  # noqa: N818  # named for what happened
    """The repository does not have this object."""

    def __init__(self, oid: str) -> None:
        super().__init__(
            f"object {oid} is missing from the repository",
            "fetch it from a copy that has it; `git fsck --full` lists what is missing",
            ExitCode.GIT,
        )
        self.oid = oid


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """One name in a tree; ``mode`` is git's octal text without a leading zero (``40000``)."""

    mode: str
    name: str
    oid: str


class Objects:
    """The objects of one repository. Threads may share it; a forked child must make its own."""

    def __init__(self, repository: Repository) -> None:
        self._root = str(repository.objects)
        self._format = repository.object_format
        self._empty_tree = repository.empty_tree
        self._loose = LooseObjects(self._root, self._format)
        self._store: DiskObjectStore | None = None
        self._guard = threading.Lock()

    def __del__(self) -> None:
        """Close the packs, which dulwich wants said."""
        store = getattr(self, "_store", None)
        if store is not None:
            store.close()

    def read(self, oid: str) -> tuple[str, bytes]:
        """Return kind and content; raises ``MissingObject`` or ``CorruptObject``."""
        if oid == self._empty_tree:
            return "tree", b""  # git knows it without a file
        found = self._loose.read(oid) if _OID.fullmatch(oid) else None
        found = found or self._read_stored(oid)
        if found is None:
            raise MissingObject(oid)
        return found

    def has(self, oid: str) -> bool:
        """Tell whether the object exists, loose, packed or in an alternate."""
        if not _OID.fullmatch(oid):
            return False
        return oid == self._empty_tree or self._loose.has(oid) or self._read_stored(oid) is not None

    def write(self, kind: str, data: bytes) -> str:
        """Store an object durably and return its id; storing it again is harmless."""
        return self._loose.write(kind, data)

    def write_blob(self, data: bytes) -> str:
        """Store a blob and return its id."""
        return self.write("blob", data)

    def write_blobs(self, contents: Sequence[bytes]) -> list[str]:
        """Store blobs and return their ids in order.

        They are written at the same time: the disk then makes many durable for the price of few.
        """
        if len(contents) < _FEW:
            return [self.write_blob(data) for data in contents]
        from concurrent.futures import ThreadPoolExecutor

        distinct = list(dict.fromkeys(contents))  # two threads must not write one object
        with ThreadPoolExecutor(_WRITERS) as pool:
            written = dict(zip(distinct, pool.map(self.write_blob, distinct), strict=True))
        return [written[data] for data in contents]

    def write_tree(self, entries: Iterable[tuple[str, str | bytes, str]]) -> str:
        """Store a tree of ``(mode, name, oid)`` entries in any order and return its id.

        Raises ``ValueError`` for a name no tree may hold and for a name given twice.
        """
        rows = sorted((_sort_key(mode, _name(name)), mode, oid) for mode, name, oid in entries)
        names = [key.rstrip(b"/") for key, _, _ in rows]
        if len(set(names)) != len(names):
            raise ValueError("a name stands twice in a tree")
        parts = (
            b"%s %s\0" % (mode.encode(), name) + bytes.fromhex(oid)
            for name, (_, mode, oid) in zip(names, rows, strict=True)
        )
        return self.write("tree", b"".join(parts))

    def tree(self, oid: str) -> tuple[TreeEntry, ...]:
        """Return the entries of a tree in git's order."""
        kind, data = self.read(oid)
        if kind != "tree":
            raise CorruptObject(oid, f"a tree was expected, this is a {kind}")
        width = len(oid) // 2
        entries, at = [], 0
        while at < len(data):
            space, end = data.find(b" ", at), data.find(b"\0", at)
            if not at < space < end or end + 1 + width > len(data):
                raise CorruptObject(oid, "the list of entries is cut off")
            entries.append(
                TreeEntry(
                    mode=data[at:space].decode("ascii", "replace").lstrip("0"),
                    name=data[space + 1 : end].decode("utf-8", "surrogateescape"),
                    oid=data[end + 1 : end + 1 + width].hex(),
                )
            )
            at = end + 1 + width
        return tuple(entries)

    def _read_stored(self, oid: str) -> tuple[str, bytes] | None:
        if not _OID.fullmatch(oid):
            return None
        with self._guard, storage_errors(f"read object {oid}"):
            for _ in range(2):  # a spurious miss while somebody packs is seen once in 40,000
                try:
                    number, data = self._opened().get_raw(oid.encode())  # type: ignore[arg-type]
                except KeyError:
                    continue
                except OSError:
                    raise
                except Exception as error:
                    # dulwich raises many types, AssertionError among them, for a broken pack
                    raise CorruptObject(oid, f"its pack cannot be read ({error})") from error
                return _KINDS[number], data
        return None

    def _opened(self) -> DiskObjectStore:
        if self._store is None:
            from dulwich.object_format import SHA1, SHA256
            from dulwich.object_store import DiskObjectStore

            object_format = SHA256 if self._format == "sha256" else SHA1
            self._store = DiskObjectStore(self._root, object_format=object_format)
            layer = [self._store]
            for _ in range(_DEEPEST_ALTERNATE):  # dulwich takes every alternate for sha1
                layer = [a for s in layer for a in s.alternates if isinstance(a, DiskObjectStore)]
                for alternate in layer:
                    alternate.object_format = object_format
        return self._store


@dataclass(frozen=True, slots=True)
class Signature:
    """Who and when; ``seconds`` since the epoch, always written as UTC."""

    name: str
    email: str
    seconds: int

    def encode(self) -> bytes:
        """Return git's form; what would end a field early is left out of name and address."""
        name = self.name.translate(_UNFIT).strip(" .,:;\"'\\") or "unknown"
        email = self.email.translate(_UNFIT).strip()
        text = f"{name} <{email}> {self.seconds} +0000"
        return text.encode("utf-8", "surrogateescape")

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read git's form; raises ``ValueError``. The time zone is not kept."""
        found = _PERSON.fullmatch(raw)
        if not found:
            raise ValueError(f"not a name, address and time: {raw!r}")
        name, email, seconds = found.groups()
        return cls(_text(name), _text(email), int(seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What git-cto writes into a commit, and what it reads of anybody's.

    ``decode`` then ``encode`` returns the same bytes for commits made here; signatures, encodings
    and other headers of foreign commits are not kept.
    """

    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str

    def encode(self) -> bytes:
        """Return the object's content, without git's header."""
        lines = [b"tree " + self.tree.encode()]
        lines += [b"parent " + parent.encode() for parent in self.parents]
        lines += [b"author " + self.author.encode(), b"committer " + self.committer.encode()]
        message = self.message.replace("\0", "\ufffd").encode("utf-8", "surrogateescape")
        return b"\n".join(lines) + b"\n\n" + message

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read a commit object's content; raises ``ValueError`` when it is none."""
        head, _, message = raw.partition(b"\n\n")
        fields: dict[bytes, list[bytes]] = {}
        for line in head.split(b"\n"):
            key, _, value = line.partition(b" ")
            fields.setdefault(key, []).append(value)
        try:
            return cls(
                tree=fields[b"tree"][0].decode("ascii"),
                parents=tuple(parent.decode("ascii") for parent in fields.get(b"parent", [])),
                author=Signature.decode(fields[b"author"][0]),
                committer=Signature.decode(fields[b"committer"][0]),
                message=_text(message),
            )
        except KeyError as error:
            raise ValueError(f"a commit without {error.args[0]!r}") from error

    def trailers(self) -> dict[str, list[str]]:
        """Return the trailers: the ``Key: value`` lines of the last paragraph, in order."""
        paragraphs = re.split(r"\n[ \t]*\n", self.message.strip())
        found: dict[str, list[str]] = {}
        if len(paragraphs) == 1:
            return found
        last = ""
        for line in paragraphs[-1].split("\n"):
            if line[:1].isspace() and last:
                found[last][-1] += " " + line.strip()
                continue
            trailer = _TRAILER.fullmatch(line)
            if not trailer:
                return {}
            last = trailer[1]
            found.setdefault(last, []).append(trailer[2].strip())
        return found


def _name(name: str | bytes) -> bytes:
    raw = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
    if raw in {b"", b".", b".."} or raw.lower() == b".git" or b"/" in raw or b"\0" in raw:
        raise ValueError(f"a tree cannot hold the name {name!r}")
    return raw


def _sort_key(mode: str, name: bytes) -> bytes:
    return name + b"/" if mode == TREE_MODE else name


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
