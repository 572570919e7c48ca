"""``git cto doctor --escape``: let real attackers loose in this machine's sandboxes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from gitcto.cli.app import App
    from gitcto.escape.suite import Result, Suite


def escape(app: App, levels: tuple[str, ...], *, as_json: bool) -> int:
    """Run the suite in every sandbox of the ``levels``, or of all that work here.

    Exit 1 when one lets something through that its level promises to stop, or when a level that
    was asked for does not work here.
    """
    from gitcto.escape.suite import suite

    found: dict[str, list[Result]] = {}
    failed: dict[str, str] = {}
    with suite(Path(app.host.temporary), app.plugins, app.host.environ) as made:
        for name in _sandboxes(app, levels):
            try:
                found[name] = _run(app, made, name)
            except CtoError as error:
                failed[name] = error.message
                app.output.warn(f"sandbox {name}: {error.message}")
    if as_json:
        app.output.json(_plain(found, failed))
    else:
        _show(app, found)
    broken = any(each.broken for results in found.values() for each in results)
    return ExitCode.REFUSED if broken or not found or (levels and failed) else ExitCode.OK


def _sandboxes(app: App, levels: tuple[str, ...]) -> list[str]:
    """Return the sandboxes of these levels, the strongest first."""
    from gitcto.model.isolation import STRENGTH

    offered = app.plugins.sandboxes()
    named = [
        name for name, each in offered.items() if each.descriptor.level in levels or not levels
    ]
    return sorted(named, key=lambda name: -STRENGTH[offered[name].descriptor.level])


def _run(app: App, made: Suite, name: str) -> list[Result]:
    isolation = made.isolation(name)
    app.output.talk(f"attacking sandbox {name}, which takes a minute or two")
    return list(made.run(isolation))


def _show(app: App, found: dict[str, list[Result]]) -> None:
    if not found:
        return
    rows = [
        (results[0].attack.name, *(_cell(each) for each in results), results[0].attack.summary)
        for results in zip(*found.values(), strict=True)
    ]
    app.output.table(("ATTACK", *(name.upper() for name in found), "WHAT THE WORKER DOES"), rows)
    for name, results in found.items():
        counts = Counter(each.outcome for each in results)
        told = ", ".join(
            f"{counts[key]} {key}" for key in ("stopped", "noticed", "open", "skipped")
        )
        app.output.data(f"{name}: {told}")
        for each in results:
            if each.broken:
                app.output.data(f"  WRONG {each.attack.name}: {'; '.join(each.found[:3])}")


def _cell(result: Result) -> str:
    return f"{result.outcome}!" if result.broken else result.outcome


def _plain(found: dict[str, list[Result]], failed: dict[str, str]) -> dict[str, object]:
    return {
        "holds": not any(each.broken for results in found.values() for each in results),
        "failed": failed,
        "sandboxes": {
            name: [
                {
                    "attack": each.attack.name,
                    "summary": each.attack.summary,
                    "outcome": each.outcome,
                    "expected": each.expected,
                    "found": list(each.found),
                    "skipped": each.skipped,
                }
                for each in results
            ]
            for name, results in found.items()
        },
    }
