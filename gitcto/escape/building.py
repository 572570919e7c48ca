"""Making the world: once, to be copied for each attack."""

from __future__ import annotations

import ctypes
import functools
import shutil
import sys
from pathlib import Path

from gitcto.effects import SystemEffects
from gitcto.errors import CtoError
from gitcto.escape.world import ATTACKER, CANARY, GATE, IDLE, SIBLING, TASK, TEAM, World
from gitcto.git.durable import discard
from gitcto.model.commands import CreateTeam, ImportPlan
from gitcto.model.records import TaskSpec
from gitcto.policy.load import parse
from gitcto.policy.records import Policy
from gitcto.runtime.host.isolation import own_programs
from gitcto.store.ledger import Ledger

_DETACH = 2
_PROGRAM = Path(__file__).with_name("program.py")

_FILES = {
    "README.md": "# project\n",
    "app.py": "print('hello')\n",
    "check.py": "import sys\nsys.exit(open('app.py').read().startswith('broken'))\n",
    "docs/notes.txt": "about\n",
    "notes.txt": "notes\n",
    ".gitignore": ".env\n.worktrees/\nbuild/\n",
}

_POLICY = """\
version = 1

[limits]
wall_s = 25
idle_s = 25
output_mib = 1
processes = 400
memory_mib = 768
file_mib = 16
disk_mib = 32

[workspace]
pool = 0

[sandbox]
use = ["none"]
network = [{network}]
reads = [{reads}]

[roles.developer]
provider = "{attacker}"

[providers.{attacker}]
plugin = "command"
argv = ["{python}", "-I", "-S", "{program}", "{{input.name}}", "{{input.at}}"]

[gates.{gate}]
plugin = "tests"
argv = ["{python}", "-I", "-S", "check.py"]
deadline_s = 20

[tiers.P1]
gates = ["{gate}"]
"""


def policy(*, network: bool) -> Policy:
    """Return the policy of the suite: any program as a worker, one gate, low limits."""
    reads = ", ".join(f'"{path}"' for path in dict.fromkeys(own_programs()))
    text = _POLICY.format(
        network='"allowed.example.com:443"' if network else "",
        reads=reads,
        attacker=ATTACKER,
        python=sys.executable,
        program=_PROGRAM,
        gate=GATE,
    )
    return parse(text.encode(), "the suite's policy")


def build(root: Path, path: str) -> World:
    """Make the world that each attack gets a copy of. Raises ``CtoError``."""
    world = World(root, path)
    _home(world)
    _repository(world)
    _team(world)
    return world


def fresh(world: World, template: Path) -> None:
    """Put the world back as it was when ``template`` was copied from it."""
    discard(world.root)
    shutil.copytree(template, world.root, symlinks=True)


def uncover(world: World) -> None:
    """Take away what an attack with a root's rights mounted over the world."""
    mounts = Path("/proc/self/mounts")
    while mounts.exists() and f" {world.root}/" in mounts.read_text(errors="replace"):
        line = next(each for each in mounts.read_text().splitlines() if f" {world.root}/" in each)
        target = line.split(" ")[1]
        if ctypes.CDLL(None, use_errno=True).umount2(target.encode(), _DETACH) != 0:
            raise CtoError(f"cannot unmount {target}", "unmount it by hand (as root)")


def _home(world: World) -> None:
    for directory in (world.project, world.fired, world.home / ".ssh", world.root / "tmp"):
        directory.mkdir(parents=True)
    _write(world.home / ".ssh" / "id_ed25519", f"{CANARY}-key\n", 0o600)
    _write(world.home / ".bashrc", "# empty\n")
    _write(world.home / ".gitconfig", "[user]\n\tname = Ada\n\temail = ada@example.com\n")


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _repository(world: World) -> None:
    """Make a repository with everything in it that an attack could be after."""
    git = world.git
    git("init", "--quiet", "--initial-branch=main")
    for sample in (world.git_dir / "hooks").glob("*.sample"):
        sample.unlink()
    for name, text in _FILES.items():
        _write(world.project / name, text)
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    git("worktree", "add", "--quiet", "-b", "feature", str(world.second))
    git("pack-refs", "--all")
    _write(world.project / "README.md", "# project\n\nMore.\n")
    git("commit", "--quiet", "--all", "--message", "second")
    _write(world.project / "notes.txt", "stashed\n")
    git("stash", "--quiet")
    _write(world.project / "notes.txt", "not committed yet\n")
    _write(world.project / ".env", f"PASSWORD={CANARY}-env\n", 0o600)
    _write(world.git_dir / "hooks" / "pre-commit", "#!/bin/sh\nexit 0\n", 0o755)
    git("config", "alias.st", "status")


def _team(world: World) -> None:
    """Make the team, a branch that went on since the attacker's base, and another worker's room."""
    head = world.git("rev-parse", "HEAD")
    (world.second / "other.txt").write_text("landed\n", encoding="utf-8")
    world.git("switch", "--quiet", "--detach", head, where=world.second)
    world.git("add", "--all", where=world.second)
    world.git("commit", "--quiet", "--no-verify", "--message", "landed", where=world.second)
    landed = world.git("rev-parse", "HEAD", where=world.second)
    world.git("switch", "--quiet", "feature", where=world.second)
    world.git("update-ref", f"refs/heads/cto/{TEAM}/integration", landed)
    ledger = Ledger(world.repository(), TEAM, SystemEffects(), "suite@localhost")
    spec = TaskSpec(id=TASK, title="Attack")
    with ledger:
        ledger.transact(CreateTeam(team=TEAM, target=f"refs/heads/cto/{TEAM}/integration"))
        ledger.transact(ImportPlan(source="suite", digest="0" * 64, tasks=(spec,)))
    for execution in (SIBLING, IDLE):
        room = world.layout().room(execution)
        room.parent.mkdir(parents=True)
        world.git("clone", "--quiet", "--template=", "--shared", str(world.git_dir), str(room))
        _write(room / "secret.txt", f"{CANARY}-room\n")


@functools.cache
def older(world: World) -> str:
    """Return the commit before the user's last one."""
    return world.git("rev-parse", "HEAD~1")


@functools.cache
def loose_object(world: World) -> Path:
    """Return a file with an object that the user's history needs."""
    name = world.git("rev-parse", "HEAD:README.md")
    return world.git_dir / "objects" / name[:2] / name[2:]
