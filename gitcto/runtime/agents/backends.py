"""Looking at providers: whether each can work here, and what exactly it would execute."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from gitcto.containment import Crashed, TimedOut
from gitcto.contracts import Probe
from gitcto.errors import CtoError
from gitcto.git.trees import paths_of
from gitcto.globs import covers
from gitcto.policy.stages import REPOSITORY_CLASSES
from gitcto.runtime.agents.backend_hash import digest_of
from gitcto.runtime.core.installed import Agents, Installed
from gitcto.runtime.host.ask import ask
from gitcto.runtime.host.context import Context
from gitcto.runtime.workspace.unstartable import Unstartable

PROBE_DEADLINE_S = 60.0
"""How long a provider may take to say whether it can work here (seconds)."""

_AT_ONCE = 4


class RealAgents(Agents):
    """The providers of a run, each looked at once; :func:`must_be_as_found` looks again."""

    def __init__(self, context: Context) -> None:
        self.engines = context.engines
        self._context = context
        self._lock = Lock()
        self._bounded: dict[tuple[str, str], bool] = {}

    def found(self, names: Collection[str]) -> Mapping[str, Installed]:
        """Return what is installed; those not looked at yet are looked at side by side."""
        known = self._context.found
        with self._lock:
            missing = [name for name in names if name not in known]
            if missing:
                with ThreadPoolExecutor(min(len(missing), _AT_ONCE)) as pool:
                    looked = pool.map(lambda name: look(self._context, name), missing)
                    known.update(zip(missing, looked, strict=True))
        return {name: known[name] for name in names}

    def bounded(self, boundary: Collection[str], base: str) -> str:
        """Return the first entry of a boundary that this repository lies in or holds."""
        for entry in boundary:
            if entry not in REPOSITORY_CLASSES and self._is_within(entry, base):
                return entry
        return ""

    def _is_within(self, entry: str, base: str) -> bool:
        key = (entry, "" if entry.startswith("/") else base)
        if key not in self._bounded:
            repository = self._context.repository
            if entry.startswith("/"):
                places = filter(None, (repository.work_tree, repository.common_dir))
                self._bounded[key] = any(covers(entry, str(place)) for place in places)
            else:
                paths = paths_of(self._context.git, base)
                self._bounded[key] = any(covers(entry, path) for path in paths)
        return self._bounded[key]


def look(context: Context, name: str) -> Installed:
    """Return what is installed of a provider of policy; never raises for what a plugin does."""
    settings = context.policy.providers[name]
    registered = context.plugins.providers().get(settings.plugin)
    if registered is None:
        return Installed()
    answer: Probe | Crashed | TimedOut = ask(
        context.plugins,
        registered,
        "probe",
        settings.settings,
        context.environ,
        deadline_s=PROBE_DEADLINE_S,
    )
    if isinstance(answer, Crashed | TimedOut):
        problem, answer = f"{answer.what}: {answer.reason}", Probe(available=False)
    else:
        problem = answer.hint or "it says that it cannot work here"
    digest, backend = "", answer.backend
    if backend is not None and answer.available:
        try:
            digest = digest_of(backend.files, cache_of(context), context.effects.now_ms())
        except CtoError as error:
            problem, answer = error.message, Probe(available=False)
    return Installed(
        plugin=settings.plugin,
        shipped=registered.first_party,
        gated=registered.descriptor.gated,
        unavailable="" if answer.available else problem,
        digest=digest,
        files=backend.files if backend else (),
        version=(backend.version if backend else "") or answer.version,
        licence=backend.licence if backend else "",
        source=backend.source if backend else "",
    )


def cache_of(context: Context) -> Path:
    """Return where is kept what was hashed: among git-cto's own files, which no worker writes."""
    return context.repository.cto_dir / "backends"


def must_be_as_found(context: Context, name: str) -> None:
    """Look at a provider again right before it is started: it must be what was decided about.

    Raises :class:`Unstartable` when it cannot work any more, or would execute something else.
    """
    before, now = context.found.get(name), look(context, name)
    context.found[name] = now  # so that the next decision is about what is there
    if now.unavailable:
        what = f"provider {name!r} cannot work on this machine: {now.unavailable}"
        hint = f"see `git cto doctor`, or change [providers.{name}]"
        raise Unstartable("provider_unavailable", what, hint)
    if before is not None and (before.digest, before.plugin) != (now.digest, now.plugin):
        raise Unstartable(
            "backend_changed",
            f"the program of provider {name!r} changed since it was decided to use it",
            f"look at it, then `git cto provider admit {name}`",
        )
