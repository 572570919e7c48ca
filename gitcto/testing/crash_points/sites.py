"""Every place in the source where something durable is done, found by reading it.

A flow must come to each of them, or :data:`ELSEWHERE` says why none does. So a new durable step
that no flow passes is seen at once, by name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import gitcto

ELSEWHERE = {
    "agents.": "homes of real agents, which each launch makes anew",
    "cli.chaos.": "scratch repositories, made anew each time",
    "cli.crash.": "the report of a bug in git-cto itself",
    "cli.demo.": "a scratch project of its own, made anew each time",
    "cli.init.": "the first policy.toml, before there is a team",
    "cli.provider_compare.": "clones of a fixture, made anew each time",
    "git.erase.erase": "paths of more than 2000 bytes",
    "git.lfs.": "repositories with Git LFS, where it is installed",
    "git.reflock.RefLock._clear": "locks of others, which are moved away after ten seconds",
    "git.sketch.": "a place to look at what could be; nothing of it is kept",
    "git.tips.take_tips": "a room whose directory is gone",
    "late.": "a lease that ran out, which takes ten seconds at the least",
    "lease.expired": "a lease that ran out, which takes ten seconds at the least",
    "loading.": "plugins that write to standard error while they are loaded",
    "mail.": "messages between workers; tests/runtime/mail kills there",
    "runtime.worker.helper.": "sandboxes with a network of their own: a process of its own",
    "runtime.agents.backend_hash.": "hashes of agents' programs, kept to save time and made again",
    "runtime.workspace.lfs.": "repositories with Git LFS, where it is installed",
    "runtime.host.probe_program.": "a program in a sandbox, which is expected to fail",
    "runtime.worker.run_files.": "supervisors, or who follows a dead one: killed along, not at",
    "runtime.workspace.settle.move_in": "a worker that comes late, after its lease ran out",
    "untrusted_files.": "messages between workers; tests/runtime/mail kills around them",
    "runtime.proving.signing.": "a key that cannot be used",
    "runtime.workspace.trash._delete": "something in the trash that is no directory",
    "runtime.worker.workers.interrupt": "a message that ends a worker; tests/cli sends one",
    "store.growth.": "packing, after 256 events; tests/store kills it",
    "store.heal.": "objects that a gc took, or a power cut",
    "store.sidecar._put_aside": "an index that is damaged",
}
"""Beginnings of names of places that no flow comes to, and when somebody would."""

_DURABLE = frozenset(
    {
        "hardlink_to",
        "link",
        "makedirs",
        "mkdir",
        "rename",
        "removedirs",
        "rmdir",
        "symlink",
        "symlink_to",
        "touch",
        "truncate",
        "unlink",
        "write_bytes",
        "write_text",
    }
)
_LETTERS = frozenset("wxa")
_ONE_PATH = 1


def kind_of(moment: str) -> str:
    """Return what sort of step a moment stands before: the first that fits."""
    return next((kind for part, kind in _KINDS if part in moment), "file")


_KINDS = (
    (RUNNING := " running", "spawn"),
    ("start ", "spawn"),
    ("ledger.", "ledger"),
    ("git.loose", "object"),
    ("git push", "remote"),
    ("git fetch", "remote"),
    ("remote.", "remote"),
    ("pushed", "remote"),
    ("pull_request.", "remote"),
    ("git update-ref", "ref"),
    ("git.refs", "ref"),
    ("git.reflock", "ref"),
    ("git write-tree", "object"),
    ("git merge-tree", "object"),
    ("git add", "object"),
    ("tips.", "ref"),
    ("work.", "ref"),
    ("landing.", "ref"),
    ("gate", "room"),
    ("room", "room"),
    ("pool", "room"),
    ("trash", "room"),
    ("erase", "room"),
    ("worktree", "room"),
    ("checkout", "room"),
    ("read-tree", "room"),
    ("setup", "room"),
)


def named_steps() -> frozenset[str]:
    """Return the names of all steps that the product gives to ``Effects.crash_point``."""
    return frozenset(
        name.value
        for _, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "crash_point"
        for name in node.args
        if isinstance(name, ast.Constant) and isinstance(name.value, str)
    )


def durable_sites() -> frozenset[str]:
    """Return the functions of the product in which something durable is done."""
    return frozenset(site for module, tree in _sources() for site in _sites(tree, module))


def passed_sites(moments: Iterable[str]) -> frozenset[str]:
    """Return the functions in which these moments came."""
    places = (moment.rpartition(": ")[0] for moment in moments if ": " in moment)
    return frozenset(place.rpartition(" > ")[2] for place in places)


def unpassed(moments: Iterable[str]) -> list[str]:
    """Return the named steps and durable places that no moment is of and nothing excuses."""
    heard = frozenset(moments)
    missing = (named_steps() - heard) | (durable_sites() - passed_sites(heard))
    return sorted(name for name in missing if not name.startswith(tuple(ELSEWHERE)))


def unneeded(moments: Iterable[str]) -> list[str]:
    """Return the excuses for places that a flow does come to, or that are no more."""
    heard = frozenset(moments)
    missing = (named_steps() - heard) | (durable_sites() - passed_sites(heard))
    return sorted(name for name in ELSEWHERE if not any(m.startswith(name) for m in missing))


def _sources() -> Iterator[tuple[str, ast.Module]]:
    [root] = map(Path, gitcto.__path__)
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[0] not in {"testing", "escape"}:
            yield ".".join(parts), ast.parse(path.read_text(encoding="utf-8"))


def _sites(tree: ast.AST, name: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inside = "" if isinstance(tree, ast.Module | ast.ClassDef) else "<locals>."
            yield from _sites(node, f"{name}.{inside}{node.name}")
        elif isinstance(node, ast.Call) and _is_durable(node):
            yield name
            yield from _sites(node, name)
        else:
            yield from _sites(node, name)


def _is_durable(call: ast.Call) -> bool:
    """Tell whether a call renames, removes, makes or opens for writing, by how it looks."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if called == "replace":  # of a path; that of a text takes two arguments, a record's none
        return len(call.args) == _ONE_PATH and not call.keywords
    if called == "open" or (isinstance(call.func, ast.Name) and call.func.id == "open"):
        return any(_is_mode(each) for each in (*call.args, *(k.value for k in call.keywords)))
    return called in _DURABLE or called == "Popen"


def _is_mode(node: ast.expr) -> bool:
    text = node.value if isinstance(node, ast.Constant) else ""
    return isinstance(text, str) and 0 < len(text) <= 3 and bool(_LETTERS & set(text))  # noqa: PLR2004
