"""The console script: answer ``--version`` at once, hand everything else to the boundary."""

from __future__ import annotations

import sys


def main() -> int:
    """Run ``git cto`` with the process's arguments and return its exit code.

    ``--version`` is answered before anything is imported: git and editors ask it often.
    """
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        from gitcto import __version__

        sys.stdout.write(f"git cto {__version__}\n")
        return 0
    from gitcto.cli.boundary import run_in_process

    return run_in_process(arguments)
