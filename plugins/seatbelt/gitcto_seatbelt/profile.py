"""The profile that macOS's sandbox reads: what a program may do, as text and named paths.

Paths are parameters (``sandbox-exec -D name=path``), never part of the text, so that no character
in a path can mean anything. Of several rules that fit, the last one counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PORT = "PORT"
"""The parameter that holds the one loopback port which a program with a network may reach."""

SYSTEM = tuple(
    map(Path, ("/System", "/Library", "/bin", "/dev", "/opt", "/private/etc", "/sbin", "/usr"))
)
"""Where the system's programs are; never hidden altogether, whatever lies in them."""

_DEVICES = ("dtracehelper", "null", "random", "tty", "urandom", "zero")

_BROKERS = (
    "com.apple.SecurityServer",
    "com.apple.coreservices.appleevents",
    "com.apple.coreservices.launchservicesd",
)
"""Services that open keychains, or start programs outside the sandbox."""

_BEGINNING = (
    "(version 1)",
    "(allow default)",
    "(deny signal)",
    "(allow signal (target same-sandbox))",
    "(deny process-info*)",
    "(allow process-info* (target same-sandbox))",
    "(deny appleevent-send)",
    "(deny lsopen)",
    "(deny job-creation)",
    "(deny mach-lookup " + " ".join(f'(global-name "{name}")' for name in _BROKERS) + ")",
    "(deny network*)",
    "(deny file-write*)",
    "(allow file-write* " + " ".join(f'(literal "/dev/{name}")' for name in _DEVICES) + ")",
)
_ONE_PORT = f'(allow network-outbound (remote ip (string-append "localhost:" (param "{PORT}"))))'


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What a program may touch, as ``ConfineRequest`` has it; no path has a symbolic link in it."""

    writes: tuple[Path, ...]
    reads: tuple[Path, ...]
    fixed: tuple[Path, ...]
    hides: tuple[Path, ...]


@dataclass(slots=True)
class Profile:
    """A profile as it grows: ``lines`` of text, and the ``paths`` that its parameters stand for."""

    lines: list[str] = field(default_factory=lambda: list(_BEGINNING))
    paths: dict[str, str] = field(default_factory=dict)

    def add(self, rule: str, filter_: str, name: str, paths: Iterable[Path]) -> None:
        """Add one rule for several paths, or nothing when there are none."""
        filters = []
        for number, path in enumerate(paths):
            self.paths[f"{name}_{number}"] = str(path)
            filters.append(f'({filter_} (param "{name}_{number}"))')
        if filters:
            self.lines.append(f"({rule} {' '.join(filters)})")


def profile(places: Places, *, one_port: bool) -> Profile:
    """Return the profile; with ``one_port`` the loopback port of :data:`PORT` may be reached."""
    made = Profile()
    hides = [path for path in places.hides if not _holds_system(path)]
    shown = (*places.reads, *places.writes)
    # the more specific path comes later and wins: a hidden one in a shown one stays hidden
    sights = [(hide, "deny", "HIDDEN") for hide in hides] + [
        (one, "allow", "READ") for one in shown
    ]
    for number, (path, verdict, name) in enumerate(sorted(sights, key=lambda s: len(s[0].parts))):
        made.add(f"{verdict} file-read*", "subpath", f"{name}_{number}", (path,))
    made.add("allow file-read-metadata", "literal", "WAY", _way_to(shown, hides))
    made.add("allow file-write*", "subpath", "WRITE", places.writes)
    made.add("deny file-write-create file-write-unlink", "literal", "ROOT", places.writes)
    made.add("deny file-write*", "subpath", "FIXED", places.fixed)
    if one_port:
        made.lines.append(_ONE_PORT)
    return made


def _holds_system(path: Path) -> bool:
    return any(path == place or path in place.parents for place in SYSTEM)


def _way_to(shown: Iterable[Path], hides: Iterable[Path]) -> list[Path]:
    """Return the hidden directories on the way to what is shown: they can be passed, not listed."""
    way = {
        parent
        for path in shown
        for parent in path.parents
        if any(hide == parent or hide in parent.parents for hide in hides)
    }
    return sorted(way)
