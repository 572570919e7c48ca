"""The program that watches over one worker: ``python -I -S supervisor.py <run dir> <fds>``.

It is started without site-packages, so that a start costs milliseconds and nothing a worker or a
plugin installs can change it. What it does is in ``supervision``; this file only finds the package,
and stays small because a program file is compiled anew at every start.
"""
# No pathlib, see run_files:
# ruff: noqa: PTH100

from __future__ import annotations

import os
import sys


def main() -> None:
    """Supervise the worker of ``<run dir>``; arguments are the directory, its lock and a pipe."""
    sys.path.append(os.path.abspath(f"{__file__}/../../../.."))
    from gitcto.runtime.worker.supervision import supervise

    run_dir, alive_fd, ready_fd = sys.argv[1:]
    supervise(run_dir, int(alive_fd), int(ready_fd))
    os._exit(0)  # nothing is to be cleared up, see heartbeat.Pulse.end


if __name__ == "__main__":
    main()
