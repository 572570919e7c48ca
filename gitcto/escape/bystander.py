"""Another worker, at work: it holds a secret in memory, in its environment and in an open file.

``python -I -S bystander.py READY`` writes the address of the secret in its memory to the pipe
``READY``, then waits to be ended.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

VARIABLE = "API_KEY"
"""Name of the variable with the secret."""


def main() -> None:
    """Hold the secret and wait."""
    secret = os.environ[VARIABLE].encode()
    held = ctypes.create_string_buffer(secret, 64)
    path = sys.argv[1]
    handle = os.open(path + ".held", os.O_RDWR | os.O_CREAT, 0o600)
    os.write(handle, secret)
    os.lseek(handle, 0, os.SEEK_SET)
    os.remove(path + ".held")
    with open(path, "w", encoding="ascii") as file:
        file.write(str(ctypes.addressof(held)))
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
