"""What a sandbox is put to the test with: a harmless deed, and attacks that leave traces.

``python -I -S probe_program.py <room> <victim> <pid> <port> <nonce>`` runs inside the sandbox. It
reports nothing: whether an attack came through is looked at from outside, so that a sandbox cannot
be praised by its inmate.
"""
# Runs without site-packages, wherever the sandbox puts it, before every run: each import counts.
# ruff: noqa: PTH101, PTH104, PTH107, PTH118, PTH119, PTH123, PTH211

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_DAEMON_S = 60


def _append(path: str) -> None:
    with open(path, "ab") as file:
        file.write(b"attacked\n")


def _write_absolute(at: dict[str, str]) -> None:
    _append(os.path.join(at["victim"], "absolute"))


def _write_parent(at: dict[str, str]) -> None:
    _append(os.path.join(at["room"], "..", os.path.basename(at["victim"]), "parent"))


def _write_symlink(at: dict[str, str]) -> None:
    link = os.path.join(at["room"], "link")
    os.symlink(os.path.join(at["victim"], "symlink"), link)
    _append(link)


def _write_hardlink(at: dict[str, str]) -> None:
    link = os.path.join(at["room"], "twin")
    os.link(os.path.join(at["victim"], "hardlink"), link)
    _append(link)


def _git_config(at: dict[str, str]) -> None:
    _append(os.path.join(at["victim"], ".git", "config"))


def _truncate(at: dict[str, str]) -> None:
    os.truncate(os.path.join(at["victim"], "truncate"), 0)


def _delete(at: dict[str, str]) -> None:
    os.remove(os.path.join(at["victim"], "delete"))


def _rename_out(at: dict[str, str]) -> None:
    os.rename(os.path.join(at["victim"], "rename"), os.path.join(at["room"], "renamed"))


def _chmod(at: dict[str, str]) -> None:
    os.chmod(os.path.join(at["victim"], "chmod"), 0o700)


def _read_secret(at: dict[str, str]) -> None:
    _copy(os.path.join(at["victim"], "secret"), os.path.join(at["room"], "secret"))


def _proc_root(at: dict[str, str]) -> None:
    secret = at["victim"].lstrip("/")
    path = f"/proc/{at['pid']}/root/{secret}/secret"
    _copy(path, os.path.join(at["room"], "through-proc"))


def _proc_environ(at: dict[str, str]) -> None:
    _copy(f"/proc/{at['pid']}/environ", os.path.join(at["room"], "environ"))


def _tcp(at: dict[str, str]) -> None:
    import _socket  # a tenth of what `socket` costs

    peer = _socket.socket()
    peer.settimeout(2)
    peer.connect(("127.0.0.1", int(at["port"])))


def _daemon(_at: dict[str, str]) -> None:
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    for fd in range(3):
        os.close(fd)
    os.execv("/bin/sleep", ["sleep", str(_DAEMON_S)])  # noqa: S606


def _copy(source: str, target: str) -> None:
    with open(source, "rb") as file:
        content = file.read()
    with open(target, "wb") as file:
        file.write(content)


ATTACKS: dict[str, Callable[[dict[str, str]], None]] = {
    "write_absolute": _write_absolute,
    "write_parent": _write_parent,
    "write_symlink": _write_symlink,
    "write_hardlink": _write_hardlink,
    "git_config": _git_config,
    "truncate": _truncate,
    "delete": _delete,
    "rename_out": _rename_out,
    "chmod": _chmod,
    "read_secret": _read_secret,
    "proc_root": _proc_root,
    "proc_environ": _proc_environ,
    "tcp": _tcp,
    "daemon": _daemon,
}
"""Every attack by name."""


def main() -> None:
    """Do the harmless deed, then every attack, whatever comes of it."""
    at = dict(zip(("room", "victim", "pid", "port", "nonce"), sys.argv[1:], strict=True))
    with open(os.path.join(at["room"], "control"), "w", encoding="ascii") as file:
        file.write(at["nonce"])
    for attack in ATTACKS.values():
        try:  # noqa: SIM105  (contextlib costs more than all attacks)
            attack(at)
        except OSError:
            pass


if __name__ == "__main__":
    main()
