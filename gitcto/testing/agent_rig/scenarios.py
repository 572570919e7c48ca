"""What every provider has to get through, whatever its CLI."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gitcto.runtime.worker import workers
from gitcto.testing.agent_rig.checks import (
    SAID,
    climbed,
    edited,
    flood_told,
    no_more,
    secret_kept,
    tool_called,
    went_on,
)
from gitcto.testing.agent_rig.pieces import PATIENCE_S, await_file
from gitcto.testing.agent_rig.tool_server import NAME, TOOL

if TYPE_CHECKING:
    from pathlib import Path

    from gitcto.runtime.worker.workers import Limits
    from gitcto.testing.agent_rig.agent_cli import AgentCli, Step
    from gitcto.testing.agent_rig.stage import Played, Stage
    from gitcto.testing.model_server import Run

MENDED = "def add(a, b):\n    return a + b\n"
FLOOD_BYTES = 3 << 20
KEPT_BYTES = 1 << 20
"""How much a model says in the flood, and how much of it may be kept."""

Steps = Callable[["Stage"], "list[Step]"]
Check = Callable[["Played", "Run"], list[str]]


def _usual(cli: AgentCli) -> Limits:
    del cli
    return workers.Limits(wall_s=PATIENCE_S, idle_s=None, output_bytes=16 << 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing that happens to an agent, and how its run must end.

    ``verified`` says in one line what holds when it was played without a problem. ``steps`` is the
    model's script; ``faults`` the classes of error that it may end with, "" for a success; with
    ``edits`` calc.py is changed, without nothing is but the ``words``. ``limits`` bound the run,
    ``meanwhile`` happens while it works, ``check`` finds problems of its own. A ``second`` run goes
    on in the session of the first. With ``hostile`` the repository brings configuration of its own.
    One that ``reads`` is to read only.
    """

    name: str
    verified: str
    steps: Steps
    faults: frozenset[str] = frozenset({""})
    edits: bool = False
    limits: Callable[[AgentCli], Limits] = _usual
    meanwhile: Callable[[Stage, Path], None] | None = None
    check: Check = no_more
    second: bool = False
    hostile: bool = False
    reads: bool = False
    words: tuple[str, ...] = field(default=())


def _edit(stage: Stage) -> list[Step]:
    return [*stage.cli.edit(stage.room / "calc.py", MENDED), {"text": SAID}]


def _tool(stage: Stage) -> list[Step]:
    return [stage.cli.call(NAME, TOOL, {"percent": 50, "note": "half"}), {"text": SAID}]


def _http(status: int) -> Steps:
    return lambda _stage: [{"http": status}]


def _flood(stage: Stage) -> list[Step]:
    flood = "".join(f"{number:07d} " for number in range(FLOOD_BYTES // 8))  # no loop to detect
    return [{**stage.cli.shell("true"), "preamble": flood}, {"text": SAID}]


def _flood_limits(cli: AgentCli) -> Limits:
    del cli
    return workers.Limits(wall_s=PATIENCE_S, idle_s=None, output_bytes=KEPT_BYTES)


def _short(cli: AgentCli) -> Limits:
    return workers.Limits(wall_s=cli.wall_s, idle_s=None, output_bytes=16 << 20, grace_s=0.5)


def _deaf(stage: Stage) -> list[Step]:
    loop = "trap '' TERM INT HUP; echo ready > ready; while :; do sleep 1; done"
    return [stage.cli.shell(f'sh -c "{loop}"'), {"text": SAID}]


def _interrupted(stage: Stage, run_dir: Path) -> None:
    await_file(stage.room / "ready", run_dir)
    workers.interrupt(run_dir)


def _daemon(stage: Stage) -> list[Step]:
    command = "nohup setsid sleep 600 >/dev/null 2>&1 & echo left one"
    return [stage.cli.shell(command), {"text": SAID}]


def _secret(stage: Stage) -> list[Step]:
    look = "env | sort"
    if stage.cli.hides_key:
        look = f"{look}; cat /proc/*/environ /proc/*/cmdline; grep -r canary- $HOME $TMPDIR"
    return [stage.cli.shell(look), {"text": SAID}]


def _escape(stage: Stage) -> list[Step]:
    places = (stage.repo, stage.repo / ".git", stage.root, stage.home)
    tries = "; ".join(f"echo x > {place}/{stage.cli.provider}-was-here" for place in places)
    shared = f"echo x > /tmp/{stage.cli.provider}-was-here"
    return [stage.cli.shell(f"{tries}; {shared}; true"), {"text": SAID}]


def _text(text: str) -> Steps:
    return lambda _stage: [{"text": text}]


def _any(*faults: str) -> frozenset[str]:
    return frozenset(faults)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="edit",
        verified="edits a file; message, session and tokens are reported, events while it works",
        steps=_edit,
        edits=True,
        check=edited,
    ),
    Scenario(
        name="read",
        verified="is to read only and tries to edit: nothing is changed",
        steps=_edit,
        faults=_any("", "refused"),
        reads=True,
    ),
    Scenario(
        name="tool",
        verified="calls a tool of an MCP server inside the sandbox and hears its answer",
        steps=_tool,
        check=tool_called,
    ),
    Scenario(
        name="refused",
        verified="a tool that it is not allowed is a fault, whatever its exit code",
        steps=lambda stage: [stage.cli.forbidden(stage.room), {"text": SAID}],
        faults=_any("refused"),
    ),
    Scenario(
        name="401",
        verified="a key that is refused is `auth`, which is not tried again",
        steps=_http(401),
        faults=_any("auth"),
    ),
    Scenario(
        name="429",
        verified="too many requests are `rate`",
        steps=_http(429),
        faults=_any("rate"),
    ),
    Scenario(
        name="500",
        verified="a server that fails is `model`",
        steps=_http(500),
        faults=_any("model"),
    ),
    Scenario(
        name="cut stream",
        verified="an answer that is cut is `protocol`, never a success",
        steps=lambda _stage: [{"text": SAID, "drop": True}],
        faults=_any("protocol"),
    ),
    Scenario(
        name="empty",
        verified="an answer without a word is `empty`",
        steps=_text(""),
        faults=_any("empty"),
    ),
    Scenario(
        name="flood",
        verified="3 MiB at once with 1 MiB kept: the last words stay, what was cut is said",
        steps=_flood,
        limits=_flood_limits,
        check=flood_told,
    ),
    Scenario(
        name="hang",
        verified="a model that says nothing: ended by the limit on its time, `timeout`",
        steps=lambda _stage: [{"hang": 600}],
        faults=_any("timeout"),
        limits=_short,
        check=climbed,
    ),
    Scenario(
        name="deaf",
        verified="interrupted while a command ignores SIGINT and SIGTERM: all of it is gone",
        steps=_deaf,
        faults=_any("killed"),
        meanwhile=_interrupted,
        check=climbed,
        words=("ready",),
    ),
    Scenario(
        name="daemon",
        verified="what a command left in the background does not outlive it",
        steps=_daemon,
    ),
    Scenario(
        name="outside",
        verified="writes to the repository, its home and shared directories come to nothing",
        steps=_escape,
    ),
    Scenario(
        name="key",
        verified="the commands it runs have their environment without the key",
        steps=_secret,
        check=secret_kept,
    ),
    Scenario(
        name="resume",
        verified="goes on in its session in a new process; only what is new is counted",
        steps=_text(SAID),
        check=went_on,
        second=True,
    ),
    Scenario(
        name="lie",
        verified="says it is done and changed nothing: the tree tells",
        steps=_text(SAID),
    ),
    Scenario(
        name="hostile repository",
        verified="servers, hooks and URLs in the repository's configuration have no effect",
        steps=_edit,
        edits=True,
        hostile=True,
    ),
)
"""All of them, in the order of the page."""


def problems_of(scenario: Scenario, played: Played, run: Run, faults: frozenset[str]) -> list[str]:
    """Return how a run ended otherwise than its scenario wants, one line each."""
    found: list[str] = []
    fault: Any = played.report.fault
    if (fault.kind if fault else "") not in faults:
        found.append(f"ended with {fault or 'success'}, {played.exit}")
    if played.exit.survivors:
        found.append(f"{played.exit.survivors} of its processes survived")
    return found + scenario.check(played, run)


def wrongly_changed(scenario: Scenario, changed: tuple[str, ...]) -> list[str]:
    """Return how the tree is otherwise than a scenario wants it; one line, or none."""
    told = set(changed) - set(scenario.words)
    right = told == ({"calc.py"} if scenario.edits else set())
    return [] if right else [f"changed {sorted(told) or 'nothing'}"]
