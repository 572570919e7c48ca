"""A key that is in no variable at all: for CLIs that git-cto can start so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gitcto.testing.agent_rig import Scenario

if TYPE_CHECKING:
    from gitcto.testing.agent_rig.agent_cli import Step
    from gitcto.testing.agent_rig.stage import Played, Stage
    from gitcto.testing.model_server import Run

_LOOK = (
    "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c 'canar[y]-' | sed 's/^/environments: /'; "
    "grep -r 'canar[y]-' $HOME $TMPDIR | wc -l | sed 's/^/files: /'"
)


def _steps(stage: Stage) -> list[Step]:
    return [stage.cli.shell(_LOOK), {"text": "I have looked."}]


def _nowhere(played: Played, run: Run) -> list[str]:
    del played
    heard = re.findall(r"(?:environments|files): \d+", str(run.log[-1]["body"]))
    return [] if heard == ["environments: 0", "files: 0"] else [f"the key was found: {heard}"]


KEYLESS = Scenario(
    name="key elsewhere",
    verified="the key is in no process's environment and in no file of its home",
    steps=_steps,
    check=_nowhere,
)
