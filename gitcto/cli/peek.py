"""Whether any plugin can have added a command, found out without importing one.

Loading every plugin's hooks costs 25 ms, and ``-h`` is asked often. A module that implements a hook
has to name it, so reading the sources answers the usual case: no plugin adds a command.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS_HOOK = "gitcto_register_commands"


def hooks_mention(hook: str, search_path: Sequence[str]) -> bool:
    """Tell whether some installed plugin may implement ``hook``; in doubt, yes."""
    from gitcto.entrypoints import scan

    return any(_may_mention(hook, each.module, search_path) for each in scan(search_path))


def _may_mention(hook: str, module: str, search_path: Sequence[str]) -> bool:
    stem = os.path.join(*module.split("."))  # noqa: PTH118 - pathlib costs more than the scan
    for folder in search_path:
        for end in (".py", f"{os.sep}__init__.py"):
            try:
                with open(f"{folder}{os.sep}{stem}{end}", "rb") as file:  # noqa: PTH123 - as above
                    text = file.read()
            except OSError:
                continue
            return hook.encode() in text or b"import *" in text
    return True
