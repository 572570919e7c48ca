"""A task stays in its scope, and nobody touches what is protected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import CtoError, ExitCode, GateResult, covers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import GateContext

_KEYS = ("allowed", "protected")
_SHOWN = 5


class PathsGate:
    """Judges each changed path; ``allowed`` holds for tasks that name no paths of their own."""

    def judge(self, context: GateContext) -> GateResult:
        """Refuse protected paths first, then those outside the scope."""
        allowed, protected = _settings(context.settings)
        scope = context.task.paths or allowed
        paths = [change.path for change in context.changes]
        touched = [path for path in paths if _any(protected, path.casefold(), fold=True)]
        if touched:
            return _refused("protected_path", touched, "is protected by policy")
        outside = [path for path in paths if not _any(scope, path)] if scope else []
        if outside:
            return _refused("out_of_scope", outside, f"is outside {', '.join(scope)}")
        return GateResult(status="pass", reason="in_scope", detail=f"{len(paths)} in scope")


def _any(patterns: tuple[str, ...], path: str, *, fold: bool = False) -> bool:
    # Folded: on a file system that ignores case, POLICY.toml is policy.toml.
    return any(covers(each.casefold() if fold else each, path) for each in patterns)


def _refused(reason: str, paths: list[str], why: str) -> GateResult:
    shown = ", ".join(ascii(path) for path in paths[:_SHOWN])
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    log = "".join(f"{path!a}\n" for path in paths).encode()
    return GateResult(status="fail", reason=reason, detail=f"{shown}{more} {why}", log=log)


def _settings(table: Mapping[str, object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    for key in table:
        if key not in _KEYS:
            raise _bad(f"unknown key {key!r}", f"it takes {' and '.join(_KEYS)}")
    return _globs(table, "allowed"), _globs(table, "protected")


def _globs(table: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = table.get(key, ())
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise _bad(f"{key} must be a list of globs", f'write {key} = ["src/**"]')
    return tuple(value)


def _bad(message: str, hint: str) -> CtoError:
    return CtoError(f"gate paths: {message}", hint, ExitCode.POLICY)
