"""The commands of one gate: sandboxed, within its time, and ended as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gitcto.contracts import CommandResult
from gitcto.git.fingerprint import Fingerprint
from gitcto.model.isolation import confines
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.isolation import Inmate, confine, isolation_of
from gitcto.runtime.proving.gate_trees import GatePlace
from gitcto.runtime.worker import workers
from gitcto.runtime.worker.stopping import Stop
from gitcto.runtime.workspace import outside
from gitcto.runtime.workspace.taking_up import limits_of

OUTPUT_BYTES = 4 << 20
"""How much of a command's output is kept."""

BETWEEN_SIGNALS_S = 1.0
"""How long a command gets between the signals that end it (seconds)."""


@dataclass(slots=True, kw_only=True)
class GateCommands:
    """Runs commands in a place, all together within ``deadline_s`` seconds from now on.

    They get what every worker gets of the environment, and ``env``. ``files`` tells whether they
    run in the place's files; else they have only its scratch space. Afterwards, ``ran`` is whether
    one was started, and ``doubtful`` whether one did not end by itself.
    """

    context: Context
    place: GatePlace
    env: Mapping[str, str]
    files: bool
    deadline_s: float
    stop: Stop
    ran: bool = False
    doubtful: bool = False
    _began_s: float = field(init=False)
    _outside: Fingerprint | None = None

    def __post_init__(self) -> None:
        """Start the clock."""
        self._began_s = self.context.effects.monotonic_s()

    def run(self, argv: Sequence[str], deadline_s: float) -> CommandResult:
        """Run one command to its end. Raises ``CtoError`` when it cannot be started at all."""
        left_s = self._began_s + self.deadline_s - self.context.effects.monotonic_s()
        if self.stop.reason or left_s <= 0:
            cause = "stopped" if self.stop.reason else "wall"
            return CommandResult(code=None, output=b"[git-cto: not started]\n", cause=cause)
        self._look()
        self.ran = True
        program = confine(self.context, self._inmate(argv), self.place.private())
        limits = replace(
            limits_of(self.context.policy),
            wall_s=min(deadline_s, left_s),
            idle_s=None,
            output_bytes=OUTPUT_BYTES,
            grace_s=BETWEEN_SIGNALS_S,
        )
        result = workers.run_command(program, limits, self.place.root, self.stop)
        self.doubtful = self.doubtful or result.code is None
        return result

    def changes_outside(self) -> tuple[str, ...]:
        """Return what is different outside since the first command, where it could be theirs."""
        if self._outside is None:
            return ()
        return outside.compared(self.context, self._copies(), self._outside).changes

    def _look(self) -> None:
        """Look at what is outside before the first command, unless the sandbox confines writes."""
        if not self.ran and not confines(isolation_of(self.context).level):
            self._copies().mkdir(mode=0o700)
            self._outside = outside.look(self.context, self._copies())

    def _copies(self) -> Path:
        return self.place.root / "outside"

    def _inmate(self, argv: Sequence[str]) -> Inmate:
        place = self.place
        env = {
            **self.context.worker_env,
            **self.env,
            "HOME": str(place.scratch / "home"),
            "TMPDIR": str(place.scratch / "tmp"),
        }
        writes = (place.tree, place.scratch) if self.files else (place.scratch,)
        return Inmate(argv=tuple(argv), env=env, cwd=writes[0], writes=writes)
