"""Every source file that a change touches says under which terms it stands."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.api import CtoError, ExitCode, GateResult, covers, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitcto.api import Change, GateContext

DEFAULT_WITHIN = 5
"""The header begins in one of so many first lines: a shebang or a coding line may be before it."""

_KEYS = ("files", "header", "within")
_REGULAR = "100"
_MAX_BYTES = 64 << 10
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    files: tuple[str, ...]
    header: tuple[str, ...]
    within: int


class LicenseHeaderGate:
    """Looks at the top of each file that was added or changed and that ``files`` covers.

    What is no regular file, and what is empty, has nothing to license.
    """

    def judge(self, context: GateContext) -> GateResult:
        """Refuse the change when a file lacks the header."""
        settings = _settings(context.settings)
        if not settings.files or not settings.header:
            detail = "files and header are not set"
            return GateResult(status="not_run", reason="no_header_set", detail=detail)
        if context.checkout is None:
            return GateResult(status="not_run", reason="no_checkout", detail="no files to look at")
        looked_at = [each for each in context.changes if _meant(each, settings.files)]
        missing = []
        for change in looked_at:
            try:
                top = _top(context.checkout, change.path)
            except OSError as error:
                detail = one_line(f"{change.path!a} cannot be read: {error.strerror}")
                return GateResult(status="not_run", reason="unreadable", detail=detail)
            if top and not _has_header(top, settings):
                missing.append(change.path)
        return _judged(len(looked_at), missing)


def _judged(count: int, missing: list[str]) -> GateResult:
    if not missing:
        return GateResult(status="pass", reason="all_have_it", detail=f"files looked at: {count}")
    shown = ", ".join(ascii(path) for path in missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    log = "".join(f"{path!a}\n" for path in missing).encode()
    detail = one_line(f"no header in {shown}{more}")
    return GateResult(status="fail", reason="no_header", detail=detail, log=log)


def _meant(change: Change, files: tuple[str, ...]) -> bool:
    present = change.status != "D" and change.mode.startswith(_REGULAR)
    return present and any(covers(pattern, change.path) for pattern in files)


def _top(checkout: Path, path: str) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(checkout / path, flags), "rb") as file:
        return file.read(_MAX_BYTES)


def _has_header(top: bytes, settings: _Settings) -> bool:
    """Tell whether the header's lines follow each other, whatever comment signs are around them."""
    lines = top.decode("utf-8", "replace").splitlines()
    return any(
        all(wanted in line for wanted, line in zip(settings.header, lines[at:], strict=False))
        for at in range(min(settings.within, len(lines) - len(settings.header) + 1))
    )


def _settings(table: Mapping[str, object]) -> _Settings:
    for key in table:
        if key not in _KEYS:
            raise _bad(f"unknown key {key!r}", f"it takes {', '.join(_KEYS)}")
    files, header = table.get("files", ()), table.get("header", "")
    within = table.get("within", DEFAULT_WITHIN)
    if not isinstance(files, list | tuple) or not all(isinstance(each, str) for each in files):
        raise _bad("files must be a list of globs", 'write files = ["src/**/*.py"]')
    if not isinstance(header, str):
        raise _bad("header must be a text", 'write header = "SPDX-License-Identifier: MIT"')
    if type(within) is not int or within < 1:
        raise _bad("within must be a number of lines", f"write within = {DEFAULT_WITHIN}")
    lines = tuple(line.strip() for line in header.strip().splitlines())
    return _Settings(files=tuple(files), header=lines, within=within)


def _bad(message: str, hint: str) -> CtoError:
    return CtoError(f"gate license-header: {message}", hint, ExitCode.POLICY)
