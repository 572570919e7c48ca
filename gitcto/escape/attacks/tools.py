"""What several attacks need."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterable
from typing import Any

At = dict[str, Any]
"""Where everything is: paths, pids, ports, and what to try for; made by ``stage.places``."""


def append(path: str, text: str = "attacked\n") -> None:
    """Add a line to a file, or make it."""
    with open(path, "ab") as file:
        file.write(text.encode())


def write(path: str, text: str, mode: int = 0o644) -> None:
    """Make a file and the directories above it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text.encode())
    os.chmod(path, mode)


def loot(at: At, source: str, name: str = "loot") -> None:
    """Copy a file into the room: what is there can be committed, sent and read by others."""
    with open(source, "rb") as file:
        keep(at, file.read(1 << 20), name)


def keep(at: At, content: bytes, name: str = "loot") -> None:
    """Write stolen bytes into the room."""
    with open(os.path.join(at["room"], name), "ab") as file:
        file.write(content)


def git(at: At, *arguments: str, where: str = "room", env: dict[str, str] | None = None) -> bytes:
    """Run git as the worker; an ``OSError`` when it fails."""
    who = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", "worker"), ("EMAIL", "worker@example.com"))
    }
    done = subprocess.run(
        ["git", "-C", at[where], *arguments],
        env={**os.environ, **who, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=20,
    )
    if done.returncode != 0:
        raise OSError(done.stderr.decode(errors="replace"))
    return done.stdout


def trap(at: At, name: str, *, passes: bool = False) -> str:
    """Make a program that leaves a mark when anybody runs it; return its path.

    With ``passes`` it copies its input to its output, as a filter has to.
    """
    path = os.path.join(at["scratch"], "evil", name)
    end = "exec cat" if passes else "exit 0"
    write(path, f"#!/bin/sh\necho {name} >>{at['fired']}/{name}\n{end}\n", 0o755)
    return path


def room_config(at: At, section: str, *settings: str) -> None:
    """Add settings to the room's own git configuration."""
    lines = "".join(f"\t{each}\n" for each in settings)
    append(os.path.join(at["room"], ".git", "config"), f"[{section}]\n{lines}")


def libc() -> ctypes.CDLL:
    """Return the C library, for system calls that Python does not offer."""
    return ctypes.CDLL(None, use_errno=True)


def checked(result: int) -> int:
    """Return what a system call returned; an ``OSError`` when it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def every(actions: Iterable[Any]) -> None:
    """Do each action, whatever comes of the others."""
    for action in actions:
        try:
            action()
        except (OSError, subprocess.SubprocessError):
            continue
