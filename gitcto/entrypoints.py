"""Which plugins are installed: a hand scan of ``entry_points.txt`` files.

``importlib.metadata`` costs 23 ms at start-up; reading the same files by hand costs three.
"""

# Plain strings: pathlib would cost more than the scan itself.
# ruff: noqa: PTH117, PTH118, PTH123

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

GROUP = "gitcto"
FIRST_PARTY = "git-cto"
_INFO = (".dist-info", ".egg-info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a plugin comes from: its entry point and the distribution that declares it."""

    plugin: str
    module: str
    distribution: str
    version: str

    @property
    def first_party(self) -> bool:
        """Tell whether the plugin ships in git-cto's own distribution."""
        return self.distribution == FIRST_PARTY

    def __str__(self) -> str:
        """Return how messages call it: ``hello (git-cto-hello 0.1.0)``."""
        return f"{self.plugin} ({self.distribution} {self.version})"


def scan(search_path: Sequence[str]) -> tuple[Source, ...]:
    """Return every plugin declared on ``search_path``, first-party ones first, then by name.

    As in Python's own imports the first distribution of a name wins. Relative entries (the
    current directory among them) are not looked at: a repository must not bring plugins along.
    """
    seen: set[str] = set()
    found: list[Source] = []
    for folder in search_path:
        if not os.path.isabs(folder):
            continue
        for info in _infos(folder):
            found.extend(_declared(info, seen))
    return tuple(
        sorted(found, key=lambda each: (not each.first_party, each.plugin, each.distribution))
    )


def _infos(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.path for entry in entries if entry.name.endswith(_INFO)]
    except OSError:  # not a directory, a zip file, gone: nothing to find there
        return []
    return sorted(names)


def _declared(info: str, seen: set[str]) -> Iterator[Source]:
    text = _read(os.path.join(info, "entry_points.txt"))
    if f"[{GROUP}]" not in text:
        return
    metadata = _read(os.path.join(info, "METADATA")) or _read(os.path.join(info, "PKG-INFO"))
    fields = _fields(metadata)
    distribution = normalised(fields.get("name", ""))
    if distribution in seen:
        return
    seen.add(distribution)
    for name, module in _entries(text.splitlines()):
        yield Source(
            plugin=name,
            module=module,
            distribution=distribution,
            version=fields.get("version", ""),
        )


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _fields(metadata: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in metadata.splitlines():
        if not line:  # the headers end here; a description may say anything
            break
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _entries(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    section = ""
    for raw in lines:
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif section == GROUP and line and line[0] not in "#;":
            name, _, value = line.partition("=")
            yield name.strip(), value.partition("[")[0].strip()


def normalised(name: str) -> str:
    """Return a distribution's name as packaging tools compare it (``My_Pkg`` is ``my-pkg``)."""
    return "-".join(
        part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part
    )
