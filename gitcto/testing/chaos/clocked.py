"""``git cto`` by another clock: ``python -m gitcto.testing.chaos.clocked FILE ARGUMENT...``.

The wall clock is off by as many seconds as FILE says at that moment; a file that changes while a
run goes on is a clock that jumps. Monotonic time stays what it is, as on a real machine.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path

from gitcto import effects


class JumpingEffects(effects.SystemEffects):
    """The real world, with a wall clock that is off."""

    clock: Path

    def now_ms(self) -> int:
        """Return the wrong time in milliseconds since the epoch."""
        return super().now_ms() + 1000 * int(self.clock.read_text(encoding="ascii") or 0)


def main() -> int:
    """Run the installed program with that clock."""
    JumpingEffects.clock = Path(sys.argv.pop(1))
    effects.SystemEffects = JumpingEffects  # type: ignore[misc]
    (program,) = entry_points(group="console_scripts", name="git-cto")
    return int(program.load()())


if __name__ == "__main__":
    sys.exit(main())
