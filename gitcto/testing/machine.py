"""What figures were measured on, without names: enough to judge them, nothing to find it by."""

from __future__ import annotations

import os
import platform
import subprocess


def machine() -> dict[str, object]:
    """Return cores, how busy they are, system and versions as plain values."""
    git = subprocess.run(("git", "--version"), capture_output=True, text=True, check=False).stdout
    return {
        "cores": os.cpu_count() or 1,
        "load": round(os.getloadavg()[0], 1),
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "git": git.strip().removeprefix("git version "),
    }
