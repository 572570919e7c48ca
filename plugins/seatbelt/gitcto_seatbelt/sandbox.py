"""Lets macOS keep programs in their rooms, with ``sandbox-exec``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.api import Confined, Probe, forwarded
from gitcto_seatbelt.profile import Places, profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.api import ConfineRequest

SANDBOX_EXEC = Path("/usr/bin/sandbox-exec")

_WITH_PORT = f'exec {SANDBOX_EXEC} -D "PORT=${{HTTP_PROXY##*:}}" "$@"'


class Seatbelt:
    """Confines writes, reads and the network of a program and of all that it starts."""

    def available(self, host_env: Mapping[str, str]) -> Probe:
        """Tell whether this is a Mac that can still do it."""
        del host_env
        if sys.platform != "darwin":
            return Probe(available=False, hint="seatbelt is part of macOS; Linux has landlock")
        if not SANDBOX_EXEC.exists():
            return Probe(available=False, hint=f"this macOS has no {SANDBOX_EXEC} any more")
        return Probe(available=True)

    def confine(self, request: ConfineRequest) -> Confined:
        """Return the program behind ``sandbox-exec`` and a profile made for it."""
        made = profile(_places(request), one_port=request.proxy is not None)
        arguments = ["-p", "\n".join(made.lines)]
        for name, path in made.paths.items():
            arguments += ["-D", f"{name}={path}"]
        arguments += ["--", *request.argv]
        if request.proxy is None:
            return Confined(argv=(str(SANDBOX_EXEC), *arguments), env=request.env)
        shell = ("/bin/sh", "-c", _WITH_PORT, "sh", *arguments)
        # relative, because an absolute path may be too long for a socket
        socket = os.path.relpath(request.proxy.resolve(), request.cwd.resolve())
        return Confined(argv=forwarded(shell, socket), env=request.env)


def _places(request: ConfineRequest) -> Places:
    hides = tuple(path.resolve() for path in (*request.hides, request.run_dir))
    tools = (path for path in request.tools() if not set(hides).isdisjoint(path.parents))
    return Places(
        writes=tuple(path.parent.resolve() / path.name for path in request.writes),
        reads=(*(path.resolve() for path in request.reads), *tools),
        fixed=tuple(path.parent.resolve() / path.name for path in request.fixed),
        hides=hides,
    )
