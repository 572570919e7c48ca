"""What an attacker is told: where everything is, and what this machine has to be attacked."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from gitcto.escape.building import loose_object, older
from gitcto.escape.bystanders import Bystanders
from gitcto.escape.world import GOALS, IDLE, SIBLING, TEAM, World

_HANDLE_BYTES = 128
_AT_FDCWD = -100
_CHOWN, _OVERRIDE, _SEARCH, _CHROOT, _TRACE, _ADMIN = 0, 1, 2, 18, 19, 21
_CREATE_RULESET, _VERSION = 444, 1


def places(world: World, there: Bystanders, place: Path, records: Path) -> dict[str, object]:
    """Return everything an attack may need; what this machine lacks is None.

    ``place`` holds the attacker's room and scratch space.
    """
    layout, sibling = world.layout(), there.started.pid
    return {
        "room": str(place / "room"),
        "scratch": str(place / "scratch"),
        "place": str(place),
        "records": str(records),
        "home": str(world.home),
        "project": str(world.project),
        "git": str(world.git_dir),
        "second": str(world.second),
        "fired": str(world.fired),
        "common_note": str(world.root / "tmp" / "note"),
        "older": older(world),
        "object": str(loose_object(world)),
        "team": TEAM,
        "ledger": f"refs/cto/teams/{TEAM}/ledger",
        "sidecar": str(layout.repository.cto_dir / "sidecar.db"),
        "sibling_room": str(layout.room(SIBLING)),
        "idle_room": str(layout.room(IDLE)),
        "sibling_records": str(there.records),
        "sibling": sibling,
        "orchestrator": os.getpid(),
        "secret_address": there.secret_address,
        **_channels(world, there),
        **_limits(),
        "other_group": _other_group(),
        "handle": _handle(world.home / ".ssh" / "id_ed25519"),
        "mount_namespace": _namespace("mnt"),
        "user_namespace": _namespace("user"),
    }


def _channels(world: World, there: Bystanders) -> dict[str, object]:
    return {
        "user_socket": str(world.home / "docker.sock"),
        "sibling_socket": str(world.layout().room(SIBLING) / "agent.sock"),
        "tcp_port": there.port("tcp"),
        "wide_port": there.port("wide"),
        "udp_port": there.port("udp"),
        "address": there.address,
        "terminal": os.ttyname(there.terminal[1]) if there.terminal else None,
        "segment": there.segment,
        "shared_memory": str(there.shared_memory) if there.shared_memory else None,
    }


def _limits() -> dict[str, object]:
    return {
        "processes": GOALS.processes,
        "memory": GOALS.memory,
        "file": GOALS.file,
        "disk": GOALS.disk,
        "lines": GOALS.lines,
    }


def lacking(at: Mapping[str, object], home: Path) -> dict[str, str]:
    """Return what this machine or user lacks, with the reason; attacks that need it are left out.

    ``home`` is a file system like the one that is attacked.
    """
    known = {
        "linux": "" if sys.platform == "linux" else "only Linux has this",
        "user": "whoever may override permissions is held by none" if _may(_OVERRIDE) else "",
        "mounting": "" if _may(_ADMIN) else "this user may not mount anything",
        "chroot": "" if _may(_CHROOT) else "this user may not change its root directory",
        "handle": "" if at["handle"] and _may(_SEARCH) else "this user may not open by number",
        "tracing": "" if _may_trace() else "the kernel lets this user trace children only",
        "group": "" if at["other_group"] is not None else "the user is in one group only",
        "address": "" if at["address"] else "the machine has no network address",
        "terminal": "" if at["terminal"] else "no terminal can be made",
        "typing": "" if _may(_ADMIN) else "this user may not type into terminals of others",
        "segment": "" if at["segment"] is not None else "no System V shared memory",
        "shared": "" if at["shared_memory"] else "no directory for shared memory",
        "xattr": "" if _has_xattr(home) else "the file system has no extended attributes",
    }
    return {name: reason for name, reason in known.items() if reason}


def landlock_abi() -> int:
    """Return the version of Landlock that the kernel has, 0 for none."""
    if sys.platform != "linux":
        return 0
    try:
        return max(0, int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, _VERSION)))
    except (OSError, AttributeError):
        return 0


def _other_group() -> int | None:
    if _may(_CHOWN):
        return os.getegid() + 1
    others = [group for group in os.getgroups() if group != os.getegid()]
    return others[0] if others else None


def _namespace(kind: str) -> str:
    try:
        return str(Path(f"/proc/self/ns/{kind}").readlink())
    except OSError:
        return ""


def _handle(path: Path) -> str | None:
    """Return the number of a file as its file system knows it."""
    buffer = ctypes.create_string_buffer(8 + _HANDLE_BYTES)
    ctypes.c_uint.from_buffer(buffer).value = _HANDLE_BYTES
    mount = ctypes.c_int()
    try:
        name = os.fsencode(path)
        done = ctypes.CDLL(None).name_to_handle_at(_AT_FDCWD, name, buffer, ctypes.byref(mount), 0)
    except (OSError, AttributeError):
        return None
    return buffer.raw.hex() if done == 0 else None


def _has_xattr(directory: Path) -> bool:
    if not hasattr(os, "setxattr"):
        return False
    probe = directory / ".probe"
    probe.touch()
    try:
        os.setxattr(probe, "user.probe", b"1")
    except OSError:
        return False
    finally:
        probe.unlink()
    return True


def _may_trace() -> bool:
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    try:
        return _may(_TRACE) or scope.read_text(encoding="ascii").strip() == "0"
    except OSError:
        return True


def _may(capability: int) -> bool:
    """Tell whether this process has a capability of Linux; elsewhere, whether it is root."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return os.geteuid() == 0
    held = next((line for line in lines if line.startswith("CapEff:")), "CapEff: 0")
    return bool(int(held.split()[1], 16) >> capability & 1)
