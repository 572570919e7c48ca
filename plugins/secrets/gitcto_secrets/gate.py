"""No change brings a secret into the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.api import (
    GateResult,
    PatchError,
    ReportError,
    covers,
    emit_sarif,
    one_line,
    read_patch,
)
from gitcto_secrets.own import secrets_in
from gitcto_secrets.scanner import CouldNotScanError, scan
from gitcto_secrets.settings import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitcto.api import Finding, GateContext

REPORT = "secrets.sarif"
"""The artifact with every finding; none of them holds a secret."""


class SecretsGate:
    """Looks at what the change adds, with policy's scanner or else by formats of our own."""

    def judge(self, context: GateContext) -> GateResult:
        """Refuse a change in which something is found outside of what policy allows."""
        settings = read(context.settings)
        try:
            patch = context.patch()
            files = [file for file in read_patch(patch) if not _allowed(settings.allow, file.path)]
            scanned = scan(context, settings, patch, files) if settings.argv else secrets_in(files)
        except PatchError as error:
            return GateResult(status="not_run", reason="bad_patch", detail=one_line(str(error)))
        except ReportError as error:
            return GateResult(status="not_run", reason="bad_report", detail=one_line(error.message))
        except CouldNotScanError as error:
            reason, detail = error.args
            return GateResult(status="not_run", reason=reason, detail=detail)
        return _judged([each for each in scanned if not _allowed(settings.allow, each.path)])


def _judged(found: Sequence[Finding]) -> GateResult:
    artifacts = {REPORT: emit_sarif("gitcto-secrets", found)}
    if not found:
        return GateResult(status="pass", reason="no_secret", artifacts=artifacts)
    first, more = found[0], len(found) - 1
    line = f":{first.line}" if first.line else ""
    place = f" in {first.path!a}{line}" if first.path else ""
    said = f"{first.rule}{place} {first.message}{f', and {more} more' if more else ''}"
    log = "".join(f"{each.path!a}:{each.line}: {each.rule}\n" for each in found).encode()
    return GateResult(
        status="fail",
        reason="secret_found",
        detail=one_line(said),
        log=log,
        artifacts=artifacts,
    )


def _allowed(patterns: Sequence[str], path: str) -> bool:
    return any(covers(pattern, path) for pattern in patterns)
