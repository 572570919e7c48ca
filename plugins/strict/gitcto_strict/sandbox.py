"""Starts programs under bubblewrap, in namespaces of their own."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import Confined, CtoError, ExitCode, Probe, forwarded
from gitcto_strict import seccomp, view

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gitcto.api import ConfineRequest

SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin"
"""Where bwrap is looked for first, so that a ``PATH`` of the worker's does not choose it."""

INSTALL = "install bubblewrap (apt-get install bubblewrap, or dnf install bubblewrap)"

_OPTIONS = (
    "--unshare-all",
    "--unshare-user",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    "--hostname",
    "room",
)
_NEWER = {"--disable-userns": b"--disable-userns", "--size": b"--size"}
_FILTER = "9"
_DEFAULT_SIGNALS = "--default-signal=INT,TERM"
_ADDED = ("PWD", "OLDPWD", "SHLVL", "_")
_SYSCTLS = {
    "kernel/unprivileged_userns_clone": ("0", "1"),
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "0"),
    "user/max_user_namespaces": ("0", "10000"),
}
"""What forbids user namespaces: the setting, its value that does, and one that does not."""


class Strict:
    """Keeps a program in namespaces of its own, with nothing but its room to write in."""

    def available(self, host_env: Mapping[str, str]) -> Probe:
        """Tell whether bwrap is installed; the hint names what forbids its namespaces."""
        if not sys.platform.startswith("linux"):
            return Probe(available=False, hint="it needs Linux; name another in [sandbox] use")
        bwrap = _find(host_env)
        if bwrap is None:
            return Probe(available=False, hint=INSTALL)
        found = re.search(rb"bubblewrap ([0-9.]{1,20})\0", _program(bwrap))
        return Probe(
            available=True,
            version=found[1].decode() if found else "",
            hint=_obstacle(Path("/proc/sys")),
        )

    def confine(self, request: ConfineRequest) -> Confined:
        """Return the program under bwrap. Raises ``CtoError`` when there is none."""
        bwrap = _find(request.env)
        if bwrap is None:
            raise CtoError("bwrap was not found", INSTALL, ExitCode.PLUGIN_MISSING)
        known = {option for option, text in _NEWER.items() if text in _program(bwrap)}
        options = [*_OPTIONS, *(known & {"--disable-userns"})]
        options += view.mounts(request, sized="--size" in known)
        options += ["--chdir", str(request.cwd)]
        rules = request.run_dir / "seccomp.bpf"
        rules.write_bytes(seccomp.program())
        if rules.stat().st_size:
            options += ["--seccomp", _FILTER]
        argv = request.argv
        if request.proxy is not None:
            argv = forwarded(argv, view.PROXY, request.ports)
        within, script = _within(argv, request.env)
        command = ("/bin/sh", "-c", script, str(rules), str(bwrap), *options, "--", *within)
        return Confined(argv=command, env=request.env)


def _within(argv: Sequence[str], env: Mapping[str, str]) -> tuple[list[str], str]:
    """Return what bwrap starts, and the script that starts bwrap.

    A supervisor signals every process. bwrap's own would end at once and take the worker with it,
    so it ignores what the worker is to decide on; that is inherited, and undone inside. Likewise
    undone is what the shell and bwrap put into the environment.
    """
    tool = shutil.which("env", path=SYSTEM_PATH) or "env"
    start = [tool]
    for name in _ADDED:
        start += [] if name in env else ["-u", name]
    script = f'exec "$@" {_FILTER}<"$0"'
    if b"default-signal" in _program(Path(tool)):  # GNU's
        script = f'trap "" INT TERM; {script}'
        start.append(_DEFAULT_SIGNALS)
    start += [f"{name}={env[name]}" for name in _ADDED if name in env]
    if "=" in argv[0]:  # env would take it for a variable
        start += ["/bin/sh", "-c", 'exec "$0" "$@"']
    return [*start, *argv], script


def _find(env: Mapping[str, str]) -> Path | None:
    found = shutil.which("bwrap", path=os.pathsep.join((SYSTEM_PATH, env.get("PATH", ""))))
    return Path(found) if found else None


def _obstacle(sysctls: Path) -> str:
    """Return which setting forbids user namespaces to whom is not root, or how to find out."""
    for name, (forbids, allows) in _SYSCTLS.items():
        try:
            value = (sysctls / name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if value == forbids:
            return f"allow user namespaces: sysctl {name.replace('/', '.')}={allows}"
    return "see what `bwrap --unshare-all --ro-bind / / --proc /proc true` says"


def _program(path: Path) -> bytes:
    """Return a program's own bytes, which tell what it can do: nothing may be started to ask it."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
