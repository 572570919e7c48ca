"""A report of our own bug, fit to be sent as it is: versions, arguments and the traceback."""

from __future__ import annotations

import os
import platform
import re
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitcto.cli.app import App

_SECRETS = (
    re.compile(r"(?<=://)[^/@\s]+(?=@)"),
    re.compile(r"(?i)(?<=bearer )\S+"),
    re.compile(
        r"(?i)((?:token|secret|passw(?:or)?d|api[-_]?key|authorization)['\"]?\s*[=:]\s*)\S+"
    ),
    re.compile(r"\b(?:sk|pk|gh[pousr]|github_pat|glpat|xox[abprs])[-_][A-Za-z0-9_-]{8,}"),
)


def redact(text: str, home: str) -> str:
    """Return ``text`` without what looks like a secret, and with the home directory as ``~``."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: f"{found.group(1) if found.groups() else ''}…", text)
    return text.replace(home, "~") if home.strip("/") else text


def report(error: BaseException, arguments: Sequence[str], app: App) -> str:
    """Return the report: no environment and no values of variables, only where the code was."""
    trace = "".join(traceback.format_exception(error))
    body = (
        f"## What happened\n\n`git cto {' '.join(arguments)}` ended with "
        f"`{type(error).__name__}`.\n\n"
        f"## Versions\n\n- git-cto {__version__}\n- Python {platform.python_version()}\n"
        f"- {platform.system()} {platform.release()} {platform.machine()}\n\n"
        f"## Traceback\n\n```\n{trace}```\n"
    )
    return redact(body, app.host.home)


def write_report(error: BaseException, arguments: Sequence[str], app: App) -> Path | None:
    """Write the report beside the repository's state, else among temporary files; say where."""
    content = report(error, arguments, app).encode("utf-8", "backslashreplace")
    for folder in _folders(app):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, path = tempfile.mkstemp(prefix="git-cto-", suffix=".md", dir=folder)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
        except OSError:
            continue
        return Path(path)
    return None


def _folders(app: App) -> list[Path]:
    fallback = Path(app.host.temporary)
    try:
        return [app.repository.cto_dir / "crash", fallback]
    except Exception:  # noqa: BLE001 - we report a bug already; this must not raise another
        return [fallback]
