"""Another's scanner: it gets what a patch adds as files, and says so by code or by SARIF.

Nothing that it prints is kept or shown, because scanners like to print what they found.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from gitcto.api import (
    CtoError,
    Finding,
    PatchError,
    could_not_run,
    discard,
    fill_template,
    one_line,
    parse_sarif,
    read_untrusted,
)
from gitcto_secrets.own import MAX_BINARY_BYTES, finding
from gitcto_secrets.settings import WHO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitcto.api import FilePatch, GateContext
    from gitcto_secrets.settings import Settings

MAX_REPORT_BYTES = 16 << 20
"""Largest report of a scanner that is read."""


class CouldNotScanError(Exception):
    """The scanner came to no result; its arguments are a reason code and a detail."""


def scan(
    context: GateContext, settings: Settings, patch: bytes, files: Sequence[FilePatch]
) -> tuple[Finding, ...]:
    """Run the scanner and return what it found.

    Raises :class:`CouldNotScanError`, ``PatchError`` and ``ReportError``.
    """
    if context.scratch is None:
        raise CouldNotScanError("no_scratch", "there is no directory to give to the scanner")
    place = Path(mkdtemp(prefix="secrets.", dir=context.scratch))
    try:
        (place / "patch.diff").write_bytes(patch)
        for file in files:
            _write_added(place / "added", file)
        return _run(context, settings, place)
    finally:
        discard(place)


def _run(context: GateContext, settings: Settings, place: Path) -> tuple[Finding, ...]:
    places = {"added": place / "added", "patch": place / "patch.diff", "report": place / "report"}
    known = {name: str(path) for name, path in places.items()}
    argv = tuple(fill_template(word, known, who=WHO) for word in settings.argv)
    result = context.run(argv, context.deadline_s)
    why = could_not_run(result, argv[0], context.deadline_s)
    if why:
        raise CouldNotScanError(*why)
    told = result.code in settings.found_codes
    if result.code != 0 and not told:
        raise CouldNotScanError("scanner_failed", f"the scanner ended with code {result.code}")
    found = _reported(places["report"], place / "added", told=told) if settings.reports else ()
    return found or ((finding("scanner", "", 0, 1),) if told else ())


def _reported(report: Path, added: Path, *, told: bool) -> tuple[Finding, ...]:
    try:
        data = read_untrusted(report, MAX_REPORT_BYTES)
    except CtoError as error:
        raise CouldNotScanError("unreadable_report", one_line(error.message)) from error
    if data is None:
        if told:
            return ()
        raise CouldNotScanError("no_report", "the scanner wrote no report")
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for each in parse_sarif(data):
        path = each.path.removeprefix("file://").removeprefix(f"{added}/")
        seen[each.rule, path] += 1
        found.append(finding(each.rule, path, each.line, seen[each.rule, path]))
    return tuple(found)


def _write_added(root: Path, file: FilePatch) -> None:
    """Write what a path gains, each line under its own number, so that a report fits the file."""
    root.mkdir(exist_ok=True)
    parts = Path(file.path).parts
    if ".." in parts or Path(file.path).is_absolute():
        raise PatchError(f"{file.path!a} leads out of the tree")
    content = file.binary.added(MAX_BINARY_BYTES) if file.binary else _lines(file)
    if content:
        target = root.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(os.fsencode(target), "ab") as stream:  # noqa: PTH123  # a name may be no text
            stream.write(content)


def _lines(file: FilePatch) -> bytes:
    written = 0
    parts = []
    for line in file.added:
        parts.append(b"\n" * (line.number - 1 - written) + line.text + b"\n")
        written = line.number
    return b"".join(parts)
