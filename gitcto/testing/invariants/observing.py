"""Asking a real repository, with git and the file system alone, what its ledger cannot say."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitcto.git.process import Git, plumbing
from gitcto.git.refs import Refs
from gitcto.git.repository import Repository, discover
from gitcto.model.codec import Event, decode
from gitcto.model.events import (
    ExecutionLeased,
    LandingDone,
    LandingIntended,
    TeamCreated,
    WorkHarvested,
    WorkPreserved,
)
from gitcto.runtime.host.clone import RECORD as CLONE_RECORD
from gitcto.runtime.host.layout import ROOT_RECORD, Layout
from gitcto.runtime.worker import workers
from gitcto.runtime.workspace.commits import EXECUTION_TRAILER, TASK_TRAILER
from gitcto.store import chain
from gitcto.store.reader import LedgerReader
from gitcto.store.sidecar import Sidecar
from gitcto.store.verify import verify_chain
from gitcto.testing.invariants.checking import check
from gitcto.testing.invariants.records import Bounds, Observed, TargetCommit, Violation
from gitcto.testing.invariants.seen import clone_of


@dataclass(slots=True)
class _Cited:
    """What a ledger's events cite, to be looked up in one question each."""

    events: list[Event] = field(default_factory=list)
    target: str = ""
    made: dict[str, set[str]] = field(default_factory=dict)
    clones: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, tuple[str, str]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    def take(self, event: Event, commit: str) -> None:
        """Note what an event of a ledger's commit cites."""
        self.events.append(event)
        match event.body:
            case TeamCreated(target=target):
                self.target = target
            case ExecutionLeased(execution=name, holder=holder):
                self.clones[name] = clone_of(holder)
            case (
                WorkHarvested(execution=name, commit=made)
                | WorkPreserved(execution=name, commit=made)
            ):
                self.made.setdefault(self.clones.get(name, ""), set()).add(made)
            case LandingIntended(execution=name, landing=landing):
                self.evidence[name] = (f"{commit}:evidence/{name}", landing.evidence)
            case LandingDone(execution=name):
                self.done.add(name)
            case _:
                pass


def check_repository(
    path: Path,
    team: str = "main",
    *,
    rooms_root: Path | None = None,
    quiescent: bool = False,
    bounds: Bounds = Bounds(),  # noqa: B008 - it is frozen
) -> tuple[Violation, ...]:
    """Return every violation that a team's ledger and repository show.

    Nothing may run meanwhile. ``rooms_root`` is where the rooms lie, when no run has written that
    down; with ``quiescent``, everything must be finished and cleared away. Raises ``CtoError``.
    """
    repository = discover(path, _plain(os.environ))
    cited = _read(repository, team)
    observed = _observe(repository, team, cited, rooms_root, bounds)
    return check(cited.events, observed, quiescent=quiescent)


def observe(repository: Repository, team: str, *, rooms_root: Path | None = None) -> Observed:
    """Return what a repository shows of a team at rest. Raises ``CtoError``."""
    return _observe(repository, team, _read(repository, team), rooms_root, Bounds())


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    own = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
    return own | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def _read(repository: Repository, team: str) -> _Cited:
    """Read a ledger from git; the sidecar is not asked."""
    cited, ref = _Cited(), chain.ledger_ref(team)
    tip = Refs(repository).read(ref)
    for commits in chain.after(repository, ref, None, tip) if tip else ():
        for commit in commits:
            for line in commit.lines:
                cited.take(decode(line), commit.oid)
    return cited


def _observe(
    repository: Repository, team: str, cited: _Cited, rooms_root: Path | None, bounds: Bounds
) -> Observed:
    git = plumbing(repository)
    root = rooms_root or _recorded_root(repository) or repository.cto_dir / "no-rooms"
    layout = Layout(repository, team, root)
    ref = chain.ledger_ref(team)
    own = _clone(repository)
    made = (work for clone, works in cited.made.items() if clone in {"", own} for work in works)
    return Observed(
        target=tuple(_history(git, cited.target)) if cited.target else None,
        unreachable=_unreachable(git, Refs(repository).list("refs/").values(), made),
        unproved=_unproved(git, cited),
        alive=frozenset(_alive(layout)),
        left=dict(_left(repository, layout)),
        locks=tuple(_locks(repository, cited.target)),
        projection=_difference(repository, team),
        chain=tuple(verify_chain(repository, ref, Refs(repository).read(ref))),
        bounds=bounds,
    )


def _clone(repository: Repository) -> str:
    """Return this clone's id; what others made lies with them."""
    try:
        return (repository.cto_dir / CLONE_RECORD).read_text(encoding="ascii").split()[0]
    except (OSError, IndexError):
        return ""


def _recorded_root(repository: Repository) -> Path | None:
    try:
        return Path(os.fsdecode((repository.cto_dir / ROOT_RECORD).read_bytes().splitlines()[1]))
    except (OSError, IndexError):
        return None


def _history(git: Git, target: str) -> Iterator[TargetCommit]:
    if git.run("rev-parse", "--verify", "-q", f"{target}^{{commit}}", check=False).code:
        return
    named = (
        f"%(trailers:key={key},valueonly,unfold,separator=%x20)"
        for key in (EXECUTION_TRAILER, TASK_TRAILER)
    )
    pretty = f"--format=%H%x00{'%x00'.join(named)}"
    options = ("--reverse", "--first-parent", "--no-show-signature", "--end-of-options", target)
    for line in git.text("log", pretty, *options).splitlines():
        commit, executions, tasks = line.split("\0")
        yield TargetCommit(
            commit=commit, executions=tuple(executions.split()), tasks=tuple(tasks.split())
        )


def _unreachable(git: Git, refs: Iterable[str], commits: Iterable[str]) -> frozenset[str]:
    """Return those commits that are missing, or that none of what refs hold reaches."""
    asked = "".join(f"{commit}\n" for commit in sorted(commits))
    answers = git.text("cat-file", "--batch-check", stdin=asked.encode()).splitlines()
    missing = {line.split()[0] for line in answers if line.split()[1:2] != ["commit"]}
    there = [commit for commit in asked.split() if commit not in missing]
    if not there:
        return frozenset(missing)
    wanted = "\n".join([*there, *(f"^{oid}" for oid in sorted(set(refs))), ""])
    found = git.text("rev-list", "--stdin", stdin=wanted.encode()).split()
    return frozenset(missing.union(found).intersection(asked.split()))


def _unproved(git: Git, cited: _Cited) -> frozenset[str]:
    """Return the landed executions whose evidence the ledger's own commits do not hold."""
    wanted = sorted(cited.done.intersection(cited.evidence))
    asked = "".join(f"{cited.evidence[name][0]}\n" for name in wanted)
    answers = git.text("cat-file", "--batch-check", stdin=asked.encode()).splitlines()
    held = {name: line.split()[0] for name, line in zip(wanted, answers, strict=True)}
    return frozenset(name for name in wanted if held[name] != cited.evidence[name][1])


def _alive(layout: Layout) -> Iterator[str]:
    for records in _entries(layout.executions):
        if workers.observe(records).alive:
            yield records.name


def _left(repository: Repository, layout: Layout) -> Iterator[tuple[str, str]]:
    """Yield what is left of executions; a room that says why it stays is none of it."""
    prefix = layout.execution_prefix
    found = [(name.removeprefix(prefix), name) for name in Refs(repository).list(prefix)]
    found += [
        (place.name.removeprefix(".").removesuffix(".removing"), str(place))
        for place in (*_entries(layout.executions), *_entries(layout.rooms))
    ]
    yield from (each for each in found if not layout.left_behind(each[0]).exists())


def _locks(repository: Repository, target: str) -> Iterator[str]:
    folders = (repository.common_dir / "refs" / "cto", repository.common_dir / "worktrees")
    for folder in folders:
        yield from (str(path) for path in sorted(folder.rglob("*.lock")))
    for name in ("packed-refs.lock", "packed-refs.new", f"{target}.lock"):
        path = repository.common_dir / name
        if path.exists():
            yield str(path)


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _difference(repository: Repository, team: str) -> str:
    """Return the first row of a sidecar that follows the ledger which a rebuilt one has not."""
    ref = chain.ledger_ref(team)
    tip = Refs(repository).read(ref)
    if tip is None:
        return ""
    with LedgerReader(repository, team) as reader:
        reader.load()
        mark = repr(team)
        kept = [row for row in reader.sidecar().dump() if row.split("(", 1)[1].startswith(mark)]
    fresh = Sidecar.in_memory(repository)
    try:
        with fresh.writing(team) as projection:
            for commits in chain.after(repository, ref, None, tip):
                for commit in commits:
                    projection.apply(commit)
        rebuilt = fresh.dump()
    finally:
        fresh.close()
    odd = sorted(set(kept).symmetric_difference(rebuilt))
    return f"the sidecar and its rebuild differ, first in {odd[0][:200]}" if odd else ""
