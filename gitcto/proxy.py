"""Lets sandboxed workers reach what policy allows: ``proxy.py <socket> <host:port>...``.

It is started with ``python -I -S`` outside the sandbox, as a helper of the worker's supervisor;
what it does is in ``proxying``. This file stays small, because a program file is compiled anew at
every start.
"""
# Runs without site-packages, see runtime/worker/supervisor.py:
# ruff: noqa: PTH100, PTH120

from __future__ import annotations

import os
import sys


def main() -> None:
    """Serve on the socket named first to the destinations named after it, until killed."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.append(os.path.dirname(here))
    from gitcto.proxying import serve

    path, *destinations = sys.argv[1:]
    serve(path, tuple(destinations))


if __name__ == "__main__":
    main()
