"""Play one scenario in this process: ``python -m gitcto.testing.chaos.one FILE ROOT SEED``.

Prints the result as one line of JSON. The last word says where a copy of a file system goes that
ends with this process; without it there is none.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from gitcto.testing.chaos.engine import play
from gitcto.testing.chaos.scenario import load


def main() -> int:
    """Play it."""
    file, root, seed, *kept = sys.argv[1:]
    result = play(load(Path(file)), Path(root), int(seed))
    for where in kept:
        shutil.copytree(Path(root, "place"), where, symlinks=True, dirs_exist_ok=True)
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
