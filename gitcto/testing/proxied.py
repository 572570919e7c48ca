"""A proxy for tests, in a process of its own as a worker has one."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gitcto.testing.kit import must

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PROGRAM = """
import os, sys
from gitcto.proxying import serve
from gitcto.runtime.worker.helper import listen
listener = listen(sys.argv[1])
os.write(1, b"+")
serve(listener, tuple(sys.argv[2:]))
"""


@contextmanager
def proxied(socket: Path, *destinations: str) -> Iterator[subprocess.Popen[bytes]]:
    """Serve at a unix socket while the context is open; its standard error says what it refuses."""
    argv = [sys.executable, "-I", "-c", _PROGRAM, str(socket), *destinations]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            must(process.stdout and process.stdout.read(1) == b"+", "the proxy did not start")
            yield process
        finally:
            process.kill()
