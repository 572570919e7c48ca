"""A change stays small enough for a person to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitcto.api import CtoError, ExitCode, GateResult, covers, one_line, read_patch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import FilePatch, GateContext

_LIMITS = ("max_files", "max_lines", "max_file_bytes")
_KEYS = (*_LIMITS, "exempt")

_Size = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settings:
    max_files: int | None
    max_lines: int | None
    max_file_bytes: int | None
    exempt: tuple[str, ...]


class DiffSizeGate:
    """Counts files, lines that come or go, and the bytes of binary files."""

    def judge(self, context: GateContext) -> GateResult:
        """Compare with each limit in turn: files, lines, bytes."""
        settings = _settings(context.settings)
        if settings.max_files is settings.max_lines is settings.max_file_bytes is None:
            detail = f"no limit is set: name one of {', '.join(_LIMITS)}"
            return GateResult(status="not_run", reason="no_limit", detail=detail)
        files = [
            file
            for file in read_patch(context.patch())
            if not any(covers(pattern, file.path) for pattern in settings.exempt)
        ]
        return _judged(files, settings)


def _judged(files: list[FilePatch], settings: _Settings) -> GateResult:
    count = len({file.path for file in files})
    by_lines = [(len(file.added) + file.removed, file.path) for file in files]
    by_bytes = [(file.binary.new_size(), file.path) for file in files if file.binary]
    lines = sum(size for size, _ in by_lines)
    log = _listed(by_lines, "lines") + _listed(by_bytes, "bytes")
    found = _too_much(count, by_lines, by_bytes, settings)
    if found is None:
        detail = f"{_counted(count, 'file')}, {_counted(lines, 'line')}"
        return GateResult(status="pass", reason="small", detail=detail, log=log)
    reason, detail = found
    return GateResult(status="fail", reason=reason, detail=one_line(detail), log=log)


def _too_much(
    count: int, by_lines: list[_Size], by_bytes: list[_Size], settings: _Settings
) -> tuple[str, str] | None:
    if settings.max_files is not None and count > settings.max_files:
        return "too_many_files", f"{_counted(count, 'file')}; {settings.max_files} allowed"
    lines = sum(size for size, _ in by_lines)
    if settings.max_lines is not None and lines > settings.max_lines:
        most, path = max(by_lines)
        detail = f"{_counted(lines, 'line')}; {settings.max_lines} allowed; {most} of {path!a}"
        return "too_many_lines", detail
    size, path = max(by_bytes, default=(0, ""))
    if settings.max_file_bytes is not None and size > settings.max_file_bytes:
        detail = f"{path!a} has {size} bytes; {settings.max_file_bytes} allowed"
        return "file_too_big", detail
    return None


def _listed(sizes: list[_Size], unit: str) -> bytes:
    return "".join(f"{size:>10} {unit} {path!a}\n" for size, path in sizes if size).encode()


def _counted(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _settings(table: Mapping[str, object]) -> _Settings:
    for key in table:
        if key not in _KEYS:
            raise _bad(f"unknown key {key!r}", f"it takes {', '.join(_KEYS)}")
    exempt = table.get("exempt", ())
    if not isinstance(exempt, list | tuple) or not all(isinstance(each, str) for each in exempt):
        raise _bad("exempt must be a list of globs", 'write exempt = ["package-lock.json"]')
    limits = {key: _limit(table, key) for key in _LIMITS}
    return _Settings(**limits, exempt=tuple(exempt))


def _limit(table: Mapping[str, object], key: str) -> int | None:
    value = table.get(key)
    if value is None:
        return None
    if type(value) is not int or value < 0:
        raise _bad(f"{key} must be a whole number", f"write {key} = 400, or leave it out")
    return value


def _bad(message: str, hint: str) -> CtoError:
    return CtoError(f"gate diff-size: {message}", hint, ExitCode.POLICY)
