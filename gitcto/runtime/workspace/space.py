"""How much disk the rooms of a repository take, and what may go when it is short.

Only what can be made again goes: warm trees and kept set-ups. Work never does.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitcto.errors import CtoError
from gitcto.runtime.workspace import trash
from gitcto.runtime.workspace.pool import MARKER as TREE_MARKER
from gitcto.runtime.workspace.setup import MARKER as SETUP_MARKER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from gitcto.runtime.host.context import Context
    from gitcto.runtime.host.layout import Layout

LOOK_S = 30.0
"""How old a measurement of the rooms may be before another is made beside the loop (seconds)."""

STALE_S = 300.0
"""How old it may be to be believed at all (seconds)."""

RETRY_S = 2.0
"""How long a shortage is believed without another look (seconds)."""

_BLOCK_BYTES = 512
_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuildable:
    """A directory that may go at any time; ``size`` is in bytes, ``used_ms`` when it was last used.

    ``size`` is what its marker says, 0 when it has none: then it is damaged.
    """

    path: Path
    what: Literal["warm tree", "kept set-up"]
    size: int
    used_ms: int


def rebuildable(layout: Layout) -> list[Rebuildable]:
    """Return the warm trees and kept set-ups of a repository, the longest unused first."""
    kinds: tuple[tuple[Path, Literal["warm tree", "kept set-up"], str], ...] = (
        (layout.pool, "warm tree", TREE_MARKER),
        (layout.setups, "kept set-up", SETUP_MARKER),
    )
    found = []
    for root, what, marker in kinds:
        for path in root.iterdir() if root.is_dir() else ():
            if path.is_dir():
                size, used_ms = _marked(path / marker)
                found.append(Rebuildable(path=path, what=what, size=size, used_ms=used_ms))
    return sorted(found, key=lambda one: (one.used_ms, one.path))


def is_old(one: Rebuildable, now_ms: int, max_age_days: int) -> bool:
    """Tell whether something was not used for longer than policy allows, or is damaged."""
    return now_ms - one.used_ms > max_age_days * _DAY_MS


def clear_old(context: Context) -> None:
    """Remove the warm trees and kept set-ups that are too old; deleting is for others."""
    now_ms = context.effects.now_ms()
    for one in rebuildable(context.layout):
        if is_old(one, now_ms, context.policy.rooms.max_age_days):
            with contextlib.suppress(CtoError):
                trash.throw(context.layout.trash, one.path)


def reclaim(context: Context, chosen: Iterable[Rebuildable]) -> list[str]:
    """Remove what was chosen, and delete all rubbish; return what could not be, in sentences."""
    problems = []
    for one in chosen:
        try:
            trash.throw(context.layout.trash, one.path)
        except CtoError as error:
            problems.append(error.message)
    try:
        trash.empty(context.layout.trash)
    except CtoError as error:
        problems.append(error.message)
    return problems


class Space:
    """The disk of one run, watched. For the thread of the loop."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._used = 0
        self._measured_s: float | None = None
        self._measuring: threading.Thread | None = None
        self._short = ""
        self._short_s = 0.0

    def shortage(self) -> str:
        """Return why nothing new may be started, in one sentence; nothing when there is space.

        When it is short, what can be made again goes first, the longest unused before all else.
        A shortage is believed for ``RETRY_S``.
        """
        if self._short and self._context.effects.monotonic_s() - self._short_s < RETRY_S:
            return self._short
        return self.look_again()

    def look_again(self) -> str:
        """Return the same, by what the disk holds now."""
        lacking = self._lacking()
        candidates = rebuildable(self._context.layout) if lacking else []
        while lacking:
            self._delete_rubbish()
            self._measure()
            lacking = self._lacking()
            if not lacking or not candidates:
                break
            with contextlib.suppress(CtoError):
                trash.throw(self._context.layout.trash, candidates.pop(0).path)
        self._short, self._short_s = lacking, self._context.effects.monotonic_s()
        return lacking

    def _delete_rubbish(self) -> None:
        with contextlib.suppress(CtoError):
            trash.empty(self._context.layout.trash)

    def _lacking(self) -> str:
        rooms, root = self._context.policy.rooms, self._context.layout.rooms_root
        free = _free_bytes(root) >> 20
        if free < rooms.free_mib:
            return (
                f"the disk of {root} has {free} MiB left, workspace.free_mib asks for "
                f"{rooms.free_mib}"
            )
        used = self._used_bytes() >> 20
        if used > rooms.disk_mib:
            return (
                f"the rooms in {root} take {used} MiB, workspace.disk_mib allows {rooms.disk_mib}"
            )
        return ""

    def _used_bytes(self) -> int:
        """Return what the rooms took when last looked at; look again when that is due."""
        now_s = self._context.effects.monotonic_s()
        if self._measured_s is None or now_s - self._measured_s > STALE_S:
            self._measure()
        elif now_s - self._measured_s > LOOK_S and not self._is_measuring():
            self._measuring = threading.Thread(target=self._measure, daemon=True)
            self._measuring.start()
        return self._used

    def _is_measuring(self) -> bool:
        return self._measuring is not None and self._measuring.is_alive()

    def _measure(self) -> None:
        self._used = used_bytes(self._context.layout)
        self._measured_s = self._context.effects.monotonic_s()


def used_bytes(layout: Layout) -> int:
    """Return what all rooms, warm trees, kept set-ups and rubbish of a repository take on disk."""
    known = {one.path: one.size for one in rebuildable(layout) if one.size}
    return sum(known.values()) + sum(_sizes(str(layout.rooms_root), {*map(str, known)}))


def _sizes(root: str, left_out: set[str]) -> Iterator[int]:
    """Yield the sizes of all that lies below a directory; what vanishes meanwhile is nothing."""
    pending = [root]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.path in left_out:
                        continue
                    status = entry.stat(follow_symlinks=False)
                    yield status.st_blocks * _BLOCK_BYTES
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except OSError:
            continue


def _free_bytes(root: Path) -> int:
    while not root.exists():
        root = root.parent
    found = os.statvfs(root)
    return found.f_bavail * found.f_frsize


def _marked(marker: Path) -> tuple[int, int]:
    try:
        size = int(json.loads(marker.read_bytes())["size"])
        return size, marker.stat().st_mtime_ns // 1_000_000
    except (OSError, ValueError, KeyError, TypeError):
        return 0, 0
