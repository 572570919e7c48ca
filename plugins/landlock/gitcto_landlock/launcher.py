"""The program that confines itself and then becomes the worker.

``python -I -S launcher.py <rule>... -- <argv>...`` is started without site-packages. This file only
finds the package, and stays small because a program file is compiled anew at every start.
"""
# No pathlib, which costs as much as the rest of a start:
# ruff: noqa: PTH100, PTH120

from __future__ import annotations

import os
import sys


def main() -> int:
    """Become the worker, or return the exit code that says why not."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.append(os.path.dirname(here))
    from gitcto_landlock.confinement import become

    at = sys.argv.index("--")
    return become(sys.argv[1:at], sys.argv[at + 1 :])


if __name__ == "__main__":
    sys.exit(main())
