"""Whether something outside a worker's room changed while it ran: the user's repository and ours.

Before a worker starts, what is outside its room is looked at and the look is stored with its
execution; when its process tree is gone, and before its work is taken up, everything is compared.
What several workers had a chance to do is held against each of them: a fingerprint cannot tell
who did it. docs/adr/0003-outside-changes.md has the reasons.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from gitcto.errors import CtoError
from gitcto.git.differences import Difference, differences
from gitcto.git.durable import discard, replace_file, storage_errors
from gitcto.git.fingerprint import Fingerprint, Look, take
from gitcto.git.identity import identity, tree_stamp
from gitcto.git.own_moves import without_own_moves
from gitcto.git.process import trusted
from gitcto.model.records import Execution
from gitcto.runtime.core.outside_record import Outside
from gitcto.runtime.host.context import Context
from gitcto.runtime.host.layout import Layout, execution_of
from gitcto.runtime.worker.run_files import EXITED, LAUNCH, STARTED
from gitcto.store.chain import teams
from gitcto.store.reader import LedgerReader

MOST_TOLD = 20
"""How many differences are named in one event; the rest is counted."""

_FILE = "fingerprint.json"
_RECORDS = (LAUNCH, STARTED, EXITED)
_HOME = (
    ".bash_profile",
    ".bashrc",
    ".config/git/config",
    ".gitconfig",
    ".profile",
    ".ssh/authorized_keys",
    ".ssh/config",
    ".zshenv",
    ".zshrc",
)
"""What runs something of its writer's at the next login, or at the user's next git command."""


def remember(context: Context, execution: Execution, idle: tuple[str, ...]) -> Fingerprint:
    """Look at everything outside an execution's room, and store the look durably with it.

    ``idle`` are the executions whose rooms nobody works in. Raises ``CtoError``.
    """
    place = context.layout.outside(execution.id)
    with storage_errors(f"prepare {place}"):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = look(context, place, execution.id, idle)
        replace_file(place / _FILE, found.encode())
    return found


def look(
    context: Context, copies: Path, execution: str = "", idle: tuple[str, ...] = ()
) -> Fingerprint:
    """Look at everything outside; copies that a later look needs are kept in ``copies``.

    Of the ``execution`` that is about to begin, if any, nothing is looked at. Raises ``CtoError``.
    """
    with storage_errors("look at what is outside a room"):
        seen = take(_look(context, copies))
        rooms = {str(room): tree_stamp(str(room)) for room in map(context.layout.room, idle)}
        records = {str(path): identity(str(path), "sha1") for path in _records(context, execution)}
        own = {"warm": _warm_trees(context.layout), "home": _home(context)}
        return Fingerprint({**seen.facts, "room": rooms, "record": records, **own})


def remembered(context: Context, execution: Execution) -> Fingerprint | None:
    """Return what was stored before an execution's worker started, or None when it is not there."""
    try:
        return Fingerprint.decode((context.layout.outside(execution.id) / _FILE).read_bytes())
    except (OSError, ValueError):
        return None


def forget(context: Context, execution: Execution) -> None:
    """Drop the stored look: the comparison is recorded. Raises ``CtoError``."""
    discard(context.layout.outside(execution.id))


def compare(
    context: Context,
    execution: Execution,
    before: Fingerprint | None,
    removing: frozenset[str] = frozenset(),
) -> Outside:
    """Return what is different outside an execution's room now that its worker is gone.

    ``removing`` are the executions whose rooms this run clears away. Never raises: what cannot be
    compared is a grave difference.
    """
    if before is None:
        text = "what was there before its worker started is not known any more"
        return Outside(changes=(text,), guarded=True)
    return compared(context, context.layout.outside(execution.id), before, removing)


def compared(
    context: Context, copies: Path, before: Fingerprint, removing: frozenset[str] = frozenset()
) -> Outside:
    """Return what is different outside since a look that keeps its ``copies`` there. Never raises.

    ``removing`` are the executions whose rooms this run clears away.
    """
    try:
        with (
            storage_errors("look at what is outside a room"),
            tempfile.TemporaryDirectory(dir=copies) as made,
        ):
            found = _compared(context, copies, before, removing, Path(made))
    except CtoError as error:
        return Outside(changes=(f"it cannot be looked at any more: {error.message}",), guarded=True)
    texts = list(dict.fromkeys(each.text for each in found))
    more = len(texts) - MOST_TOLD
    told = texts[:MOST_TOLD] + ([f"and {more} more"] if more > 0 else [])
    return Outside(changes=tuple(told), guarded=any(each.guarded for each in found))


def idle_rooms(layout: Layout, busy: frozenset[str]) -> tuple[str, ...]:
    """Return the executions whose rooms are there and are not among the ``busy`` ones."""
    if not layout.rooms.is_dir():
        return ()
    names = (path.name for path in layout.rooms.iterdir() if (path / "room").is_dir())
    return tuple(sorted(name for name in names if execution_of(name) not in busy))


def _look(context: Context, indexes: Path) -> Look:
    return Look(
        repository=context.repository,
        git=trusted(context.repository),
        ours=context.layout.rooms_root,
        target=context.policy.target(context.layout.team),
        indexes=indexes,
    )


def _compared(
    context: Context,
    copies: Path,
    before: Fingerprint,
    removing: frozenset[str],
    scratch: Path,
) -> list[Difference]:
    how = _look(context, scratch)
    seen = take(how.after(before, copies))
    after = Fingerprint(
        {
            **seen.facts,
            "room": _rooms_now(context.layout, before, removing),
            "warm": _warm_now(context.layout, before),
            "record": _records_now(before),
            "home": _home(context),
        }
    )
    found = differences(how.git, before, after, (copies, scratch))
    if not any(each.surface in {"ref", "kept"} for each in found):
        return found
    found, known = _without_drops(context, found), set(after.of("kept").values())
    return without_own_moves(how.git, found, before, known | _landed(context))


def _records(context: Context, execution: str) -> list[Path]:
    """Return the process records of all but one execution: written once each, by nobody but us.

    Before its worker is recorded as started, what it is started with may be half written.
    """
    places = context.repository.cto_dir.glob("teams/*/executions/*")
    return [
        place / name
        for place in sorted(places)
        if place.name != execution and (place / STARTED).exists()
        for name in _RECORDS
        if (place / name).exists()
    ]


def _records_now(before: Fingerprint) -> dict[str, str]:
    """Return the same records as they are now; git-cto itself removes a directory as a whole."""
    return {
        name: identity(name, "sha1") if Path(name).parent.is_dir() else was
        for name, was in before.of("record").items()
    }


def _rooms_now(layout: Layout, before: Fingerprint, removing: frozenset[str]) -> dict[str, str]:
    """Return the same rooms as they are now; one that git-cto removed took its records with it."""
    now = {}
    for name, was in before.of("room").items():
        execution = execution_of(Path(name).parent.name)
        ours = execution in removing or not layout.records(execution).is_dir()
        if Path(name).is_dir():
            now[name] = was if execution in removing else tree_stamp(name)
        else:
            now[name] = was if ours else ""
    return now


def _warm_trees(layout: Layout) -> dict[str, str]:
    """Return the trees that wait for a next room; each is told from a later one in its place."""
    found = {}
    for tree in sorted(layout.rooms_root.glob(".pool/*")):
        which, stamp = _which(tree), tree_stamp(str(tree))
        if which and which == _which(tree):  # else it is being handed out
            found[str(tree)] = f"{which} {stamp}"
    return found


def _which(tree: Path) -> str:
    try:
        found = tree.lstat()
    except FileNotFoundError:
        return ""
    return f"{found.st_ino} {found.st_mtime_ns}"


def _warm_now(layout: Layout, before: Fingerprint) -> dict[str, str]:
    """Return the same trees as they are now; who was handed out or replaced is as it was."""
    now = _warm_trees(layout)
    return {
        name: now[name] if now.get(name, "").split()[:2] == was.split()[:2] else was
        for name, was in before.of("warm").items()
    }


def _home(context: Context) -> dict[str, str]:
    """Return what runs at the next login, and how the keys are kept; keys are not read."""
    home = context.environ.get("HOME", "")
    if not home:
        return {}
    keys = Path(home, ".ssh")
    names = os.listdir(keys) if os.access(keys, os.R_OK) else []  # noqa: PTH208  # names
    kept = {f"{keys}/{name}": identity(f"{keys}/{name}", "sha1", -1) for name in names}
    kept.pop(f"{keys}/known_hosts", None)  # grows with every new host
    return kept | {f"{home}/{name}": identity(f"{home}/{name}", "sha1") for name in _HOME}


def _landed(context: Context) -> set[str]:
    """Return every commit that a team of this repository landed, or is landing just now."""
    found: set[str] = set()
    for team in teams(context.repository):
        with LedgerReader(context.repository, team) as reader:
            found |= {task.commit for task in reader.tasks()}
            landing = (execution.landing for execution in reader.view().live())
            found |= {each.new for each in landing if each is not None}
    return found - {""}


def _without_drops(context: Context, found: list[Difference]) -> list[Difference]:
    """Leave out kept work that a person gave up, as its team's ledger knows."""
    kept = [each for each in found if each.surface == "kept" and not each.after]
    if not kept:
        return found
    dropped: set[str] = set()
    for team in teams(context.repository):
        layout = Layout(context.repository, team, context.layout.rooms_root)
        with LedgerReader(context.repository, team) as reader:
            for each in kept:
                if each.name.startswith(layout.preserved_prefix):
                    execution = reader.view().execution(layout.kept_for(each.name))
                    if execution and execution.discarded.get(each.name) == each.before:
                        dropped.add(each.name)
    return [each for each in found if each.surface != "kept" or each.name not in dropped]
