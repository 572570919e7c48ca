"""The worker of one attack: ``python -I -S program.py NAME JSON``.

It leaves a mark in its scratch space before it begins, so that a sandbox which starts nothing is
found out, and reports nothing else: what came of it is looked at from outside.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import types
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable

BROKEN = 70
"""Exit code of an attack with a mistake in it; being held back is no mistake."""

GROUPS = (
    "files",
    "repository",
    "traps",
    "processes",
    "channels",
    "exhaustion",
    "forgery",
    "privileges",
)
"""The modules that hold attacks, in the order of the table."""


def control(at: dict[str, Any]) -> None:
    """Do what a worker is there for: change a file, and commit it in its room."""
    from gitcto.escape.attacks.tools import append, git

    append(os.path.join(at["room"], "app.py"), f"# {at['nonce']}\n")
    if os.path.isdir(os.path.join(at["room"], ".git")):
        git(at, "commit", "--quiet", "--all", "--no-verify", "-m", "work")


def main() -> int:
    """Carry out the attack of the given name."""
    _find_package()
    name, at = sys.argv[1], json.loads(sys.argv[2])
    with open(os.path.join(at["scratch"], "tmp", "began"), "w", encoding="ascii") as file:
        file.write(at["nonce"])
    try:
        find(name)(at)
    except (OSError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"held: {error}\n")
        return 1
    return 0


def _find_package() -> None:
    """Make our package known by its own directory: a sandbox need not show what is beside it."""
    if "gitcto" not in sys.modules:
        package = types.ModuleType("gitcto")
        package.__path__ = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
        sys.modules["gitcto"] = package


def find(name: str) -> Callable[[dict[str, Any]], None]:
    """Return the function of an attack; ``LookupError`` when there is none."""
    if name == "control":
        return control
    for group in GROUPS:
        module = importlib.import_module(f"gitcto.escape.attacks.{group}")
        found = getattr(module, name, None)
        if found is not None and found.__module__ == module.__name__:
            return cast("Callable[[dict[str, Any]], None]", found)
    raise LookupError(name)


def guarded() -> int:
    """Turn a mistake of ours into an exit code that cannot be taken for being held back."""
    try:
        return main()
    except Exception:  # noqa: BLE001 - told to the suite, which stops at it
        import traceback

        traceback.print_exc()
        return BROKEN


if __name__ == "__main__":
    sys.exit(guarded())
