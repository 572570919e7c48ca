"""What a plugin hands over: small frozen descriptors with an import string, and nothing else.

The core imports ``target`` (``"package.module:attribute"``, a class or function) only when that
capability must work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    from gitcto.model.isolation import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A named capability: ``name`` is what policy and the command line call it."""

    name: str
    summary: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPoint(Descriptor):
    """A subcommand of ``git cto``; ``target`` is a click command."""

    group: str = "Plugins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a kind of agent can do; everything that it does not claim, it cannot.

    ``send``: a letter reaches it while it runs (``in_place``), or as the prompt of a next run in
    its session (``resume``). ``interrupt``: it can be asked in its own protocol to stop, because
    its ``Launch.interrupt`` says how, or only by signals. ``resumes``: a session can go on in a new
    process. ``usage``: it counts its tokens, or names its cost as well. ``answers``: it can be held
    to a JSON schema. ``tools``: it takes MCP servers. ``reads_only``: it can be kept from changing
    files. ``streams``: its output tells what it does while it does it.
    """

    send: Literal["in_place", "resume", "none"] = "none"
    interrupt: Literal["protocol", "signal"] = "signal"
    resumes: bool = False
    usage: Literal["tokens", "cost", "none"] = "none"
    answers: bool = False
    tools: bool = False
    reads_only: bool = False
    streams: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider(Descriptor):
    """A way to start a worker; ``target`` makes a ``ProviderWorker``.

    See :class:`gitcto.provider_contracts.ProviderWorker`; ``abilities`` are what it has to keep. A
    ``gated`` one is refused unless policy allows the engine and a person asks for it by name.
    """

    abilities: Abilities = Abilities()
    gated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace(Descriptor):
    """A way to make a worker's room; ``target`` makes a :class:`gitcto.contracts.RoomMaker`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox(Descriptor):
    """A way to keep a worker in its room; ``target`` makes a :class:`gitcto.contracts.Confiner`.

    ``level`` is what it promises. The promise is put to the test before each run: a sandbox that
    lets an attack through which its level must stop is not used.
    """

    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(Descriptor):
    """A judge of one change; ``target`` makes a :class:`gitcto.contracts.GateRunner`.

    ``judges`` says what its verdict is about and stays true for: a ``change``, whatever it lands
    on, or a ``tree``, whatever led to it. ``needs_checkout`` gates get the tree as files;
    ``deadline_s`` bounds one run and may be lowered or raised by policy.
    """

    judges: Literal["change", "tree"] = "tree"
    needs_checkout: bool = False
    deadline_s: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner(Descriptor):
    """A plan format; ``suffixes`` are the file endings it reads (``.toml``)."""

    suffixes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeResolver(Descriptor):
    """A way to merge two trees; the lowest ``rank`` is asked first."""

    rank: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictor(Descriptor):
    """A way to guess which changes are good; ``target`` makes a ``ChangePredictor``.

    See :class:`gitcto.queue.predict.ChangePredictor`. What it says moves the order of the merge
    queue's work, never a verdict.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyFile(Descriptor):
    """A strategy; ``target`` is ``"package:name"``, the file ``name.toml`` in that package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration(Descriptor):
    """A place where things are done outside; ``target`` makes an ``OutsideEffect``.

    See :class:`gitcto.integration_contracts.OutsideEffect`. ``effects`` names what it does
    (``pull-request``). With ``lookup`` ``exact``, what carries a key is always found by it, at the
    latest ``lag_s`` seconds after it was made; without, it is sent at most once, and a person is
    asked when the answer was lost.
    """

    effects: tuple[str, ...]
    lookup: Literal["exact", "none"] = "none"
    lag_s: float = 0.0


D_contra = TypeVar("D_contra", bound=Descriptor, contravariant=True)


class Register(Protocol[D_contra]):
    """What a ``gitcto_register_<kind>`` hook is given."""

    def add(self, descriptor: D_contra, *, replace: str = "") -> None:
        """Offer one capability.

        :param replace: the plugin whose capability of the same name this one stands in for;
            without it a name that is taken is refused, naming both plugins.
        Raises ``CtoError`` for a descriptor of another kind, a malformed name, summary or target.
        """
