"""A repository with a small team, for the product's own operations in the fault harnesses."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from gitcto.effects import SystemEffects
from gitcto.git.refs import Refs
from gitcto.git.stale_locks import clear_locks
from gitcto.model import commands as cmd
from gitcto.model.records import Decision, Landing, TaskSpec, Verdict
from gitcto.plugins import Plugins
from gitcto.policy.load import parse
from gitcto.runtime.host.layout import Layout
from gitcto.runtime.team.run import RunRequest, make_context
from gitcto.store.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitcto.policy.records import Policy
    from gitcto.runtime.host.context import Context
    from gitcto.testing.scene import Scene

TEAM = "demo"
TARGET = "refs/heads/cto/demo/integration"
TASK = "T1"
EXECUTION = "01arz3ndektsv4rrffq69g5fav"
YES = Decision(
    action="a",
    resource="r",
    subject="s",
    rule="roles.developer",
    policy="p",
    inputs={},
    verdict="allow",
    reason="",
)
_WHO = ("-c", "user.name=u", "-c", "user.email=u@example.invalid")
_POLICY = b"""\
version = 1
[roles.developer]
provider = "scripted"
[providers.scripted]
plugin = "fake"
[gates.nonempty]
[tiers.P1]
gates = ["nonempty"]
"""
_MESSAGE = f"T1: a task\n\nCto-Task: {TASK}\nCto-Execution: {EXECUTION}\n"


def git(scene: Scene, *arguments: str, repo: str = "repo") -> str:
    """Run git in a repository of the scene and return what it says."""
    done = subprocess.run(
        ["git", *_WHO, *arguments],
        cwd=scene.root / repo,
        env=dict(scene.environ),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def make_repository(scene: Scene) -> None:
    """Make the repository with a commit of a few files."""
    repo = scene.root / "repo"
    (repo / "sub").mkdir(parents=True)
    git(scene, "init", "-q", "-b", "main")
    for name in ("base.txt", "sub/one.txt", "sub/two.txt"):
        (repo / name).write_text(f"{name}\n")
    git(scene, "add", ".")
    git(scene, "commit", "-qm", "start")


def make_team(scene: Scene) -> None:
    """Make the repository and a team in it that has nothing to do."""
    make_repository(scene)
    with open_ledger(scene) as ledger:
        record(scene, ledger, cmd.CreateTeam(team=TEAM, target=TARGET))


def open_ledger(scene: Scene) -> Ledger:
    """Return the team's ledger."""
    return Ledger(scene.repository(), TEAM, SystemEffects(), "tester")


def record(
    scene: Scene,
    ledger: Ledger,
    command: cmd.Command,
    attachments: Mapping[str, str] | None = None,
) -> None:
    """Record a command and acknowledge its events; it must not be refused."""
    outcome = ledger.transact(command, attachments)
    if isinstance(outcome, cmd.Refusal):
        raise AssertionError(f"refused: {outcome}")  # noqa: TRY004  # nobody is to catch it
    for event in outcome.events:
        scene.acknowledge(event.id)


def go_on(scene: Scene) -> None:
    """Do what a run begins with, and record something: both find the locks that a fault left."""
    clear_locks(scene.repository())
    with open_ledger(scene) as ledger:
        record(scene, ledger, plan(f"N{len(ledger.tasks())}"))


def plan(name: str) -> cmd.ImportPlan:
    """Return the command that adds one task."""
    spec = TaskSpec(id=name, title="a task")
    return cmd.ImportPlan(source="plan.toml", digest="d" * 64, tasks=(spec,))


def make_planned(scene: Scene) -> None:
    """Make a team with one task."""
    make_team(scene)
    with open_ledger(scene) as ledger:
        record(scene, ledger, plan(TASK))


def make_leased(scene: Scene) -> None:
    """Make a team with one execution that is about to start."""
    make_planned(scene)
    with open_ledger(scene) as ledger:
        record(scene, ledger, lease(head(scene), EXECUTION))


def head(scene: Scene) -> str:
    """Return the commit that everything starts from."""
    tip = Refs(scene.repository()).read("refs/heads/main")
    if tip is None:
        raise AssertionError("the branch main is gone")
    return tip


def lease(base: str, execution: str, workspace: str = "clone") -> cmd.Lease:
    """Return the command that claims the one task."""
    return cmd.Lease(
        task=TASK,
        execution=execution,
        base=base,
        provider="scripted",
        role="developer",
        workspace=workspace,
        holder="here",
        expires_ms=1 << 45,
        max_workers=6,
        decision=YES,
    )


def make_work(scene: Scene, message: str = _MESSAGE) -> tuple[str, str]:
    """Write the commit of an attempt and return its id and its tree's; the checkout stays."""
    (scene.root / "repo" / "work.txt").write_text("work\n")
    git(scene, "add", "work.txt")
    tree = git(scene, "write-tree")
    git(scene, "reset", "-q", "--hard")
    return git(scene, "commit-tree", tree, "-p", "main", "-m", message), tree


def make_harvested(scene: Scene) -> tuple[str, str]:
    """Make a team whose execution ended well; return its work's commit and tree."""
    make_leased(scene)
    commit, tree = make_work(scene)
    with open_ledger(scene) as ledger:
        for command in _until_harvested(commit, tree):
            record(scene, ledger, command)
    return commit, tree


def _until_harvested(commit: str, tree: str) -> Iterator[cmd.Command]:
    who: dict[str, Any] = {"execution": EXECUTION, "epoch": 1}
    yield cmd.RecordStart(**who, pid=1, process_start="1", isolation="none")
    yield cmd.RecordExit(**who, code=0, cause="exited")
    yield cmd.RecordHarvest(**who, commit=commit, tree=tree, changed=1)


def make_landing(scene: Scene) -> None:
    """Make a team that intends to land its one execution's work."""
    commit, tree = make_harvested(scene)
    old = git(scene, "rev-parse", "main")
    git(scene, "update-ref", TARGET, old)
    landing = Landing(target=TARGET, old=old, new=commit, tree=tree, evidence=tree)
    verdict = Verdict(gate="nonempty", status="pass", reason="", tree=tree, definition="d")
    who: dict[str, Any] = {"execution": EXECUTION, "epoch": 1}
    with open_ledger(scene) as ledger:
        record(scene, ledger, cmd.RecordVerdicts(**who, verdicts=(verdict,)))
        intend = cmd.IntendLanding(**who, landing=landing, required=("nonempty",), decision=YES)
        record(scene, ledger, intend)


def make_failed(scene: Scene) -> None:
    """Make a team whose one execution failed after its work was harvested."""
    make_harvested(scene)
    failed = cmd.FailExecution(
        execution=EXECUTION, epoch=1, reason="r", detail="", charged=True, max_attempts=1
    )
    with open_ledger(scene) as ledger:
        record(scene, ledger, failed)


def open_context(scene: Scene) -> Context:
    """Return what a run of the team works with; close its ledger."""
    repository = scene.repository()
    rooms = scene.root / "rooms"
    request = RunRequest(
        repository=repository,
        team=TEAM,
        policy=policy(),
        plugins=plugins(),
        effects=SystemEffects(),
        rooms_root=rooms,
        environ=scene.environ,
        actor="tester@here",
    )
    return make_context(request, Layout(repository, TEAM, rooms))


@cache
def policy() -> Policy:
    """Return the team's policy."""
    return parse(_POLICY, "policy.toml")


@cache
def plugins() -> Plugins:
    """Return the installed plugins."""
    return Plugins.load(sys.path)
