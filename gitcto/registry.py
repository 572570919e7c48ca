"""What plugins offer, kind by kind, and who wins when two offer the same name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from gitcto.descriptors import (
    CommandPoint,
    Descriptor,
    Gate,
    Integration,
    MergeResolver,
    Planner,
    Predictor,
    Provider,
    Sandbox,
    StrategyFile,
    Workspace,
)
from gitcto.errors import CtoError, ExitCode
from gitcto.model.ids import is_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitcto.entrypoints import Source

D = TypeVar("D", bound=Descriptor)

_TARGET = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*\Z")
SUMMARY_MAX = 100
"""Longest summary of a capability, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of capability: its plural ``name``, its descriptor, and what a target must have."""

    name: str
    singular: str
    descriptor: type[Descriptor]
    methods: tuple[str, ...]

    @property
    def hook(self) -> str:
        """The hook that registers this kind."""
        return f"gitcto_register_{self.name}"


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind(name="commands", singular="command", descriptor=CommandPoint, methods=()),
            Kind(
                name="providers",
                singular="provider",
                descriptor=Provider,
                methods=("probe", "launch", "send", "poll", "collect"),
            ),
            Kind(
                name="workspaces",
                singular="workspace",
                descriptor=Workspace,
                methods=("create", "needs", "tips", "release"),
            ),
            Kind(
                name="sandboxes",
                singular="sandbox",
                descriptor=Sandbox,
                methods=("available", "confine"),
            ),
            Kind(name="gates", singular="gate", descriptor=Gate, methods=("judge",)),
            Kind(
                name="planners",
                singular="planner",
                descriptor=Planner,
                methods=("recognises", "read"),
            ),
            Kind(
                name="merge_resolvers",
                singular="merge resolver",
                descriptor=MergeResolver,
                methods=("merge",),
            ),
            Kind(
                name="predictors",
                singular="predictor",
                descriptor=Predictor,
                methods=("good", "conflict"),
            ),
            Kind(
                name="strategies",
                singular="strategy",
                descriptor=StrategyFile,
                methods=(),
            ),
            Kind(
                name="integrations",
                singular="integration",
                descriptor=Integration,
                methods=("find", "send"),
            ),
        )
    }
)
"""Every kind, by the plural that its hook ends in."""


def kind_of(descriptor: Descriptor) -> Kind:
    """Return the kind a descriptor belongs to; raises ``KeyError`` for none."""
    for kind in KINDS.values():
        if type(descriptor) is kind.descriptor:
            return kind
    raise KeyError(type(descriptor).__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered(Generic[D]):
    """A descriptor and who handed it over; ``first_party`` is part of git-cto itself."""

    descriptor: D
    plugin: str
    distribution: str
    version: str
    first_party: bool = False

    @property
    def name(self) -> str:
        """What policy and the command line call it."""
        return self.descriptor.name

    @property
    def what(self) -> str:
        """How messages call it: ``gate 'tests' of plugin 'tests' (git-cto 0.1.0)``."""
        singular = kind_of(self.descriptor).singular
        origin = f"({self.distribution} {self.version})"
        return f"{singular} {self.name!r} of plugin {self.plugin!r} {origin}"


@dataclass(frozen=True, slots=True)
class Offer:
    """One descriptor, and the plugin it asks to stand in for (empty: none)."""

    descriptor: Descriptor
    replace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRow:
    """One line of ``git cto plugins``; ``provides`` holds entries like ``gate tests``."""

    name: str
    distribution: str
    version: str
    source: Literal["first-party", "third-party"]
    status: Literal["active", "failed"]
    reason: str
    provides: tuple[str, ...]
    load_ms: float


@dataclass(slots=True)
class Offers:
    """The register one plugin is given for one kind; see :class:`gitcto.descriptors.Register`."""

    kind: Kind
    made: dict[str, Offer] = field(default_factory=dict)

    def add(self, descriptor: Descriptor, *, replace: str = "") -> None:
        """Take one offer; raises ``CtoError`` when the descriptor is malformed."""
        fault = next(self._faults(descriptor), "")
        if fault:
            hint = f"fix the descriptor in the plugin's {self.kind.hook}"
            raise CtoError(fault, hint, ExitCode.INTERNAL)
        self.made[descriptor.name] = Offer(descriptor, replace)

    def _faults(self, descriptor: Descriptor) -> Iterator[str]:
        singular, wanted = self.kind.singular, self.kind.descriptor
        if type(descriptor) is not wanted:
            yield f"{self.kind.hook} takes a {wanted.__name__}, not {type(descriptor).__name__}"
            return
        name, summary, target = descriptor.name, descriptor.summary, descriptor.target
        if not isinstance(name, str) or not is_name(name):
            yield f"{name!r} cannot name a {singular}: use a-z, 0-9, - and _"
            return
        if not isinstance(summary, str) or not summary.strip() or not summary.isprintable():
            yield f"{singular} {name!r} needs a summary of one printable line"
        elif len(summary) > SUMMARY_MAX:
            yield f"the summary of {singular} {name!r} is over {SUMMARY_MAX} characters"
        if not isinstance(target, str) or not _TARGET.match(target):
            yield f"target of {singular} {name!r} is not like `package.module:attribute`"
        if name in self.made:
            yield f"{singular} {name!r} is added twice by the same plugin"


@dataclass(frozen=True, slots=True)
class _Claim:
    source: Source
    offer: Offer


def resolve(
    kind: Kind, offers: Sequence[tuple[Source, Offers]]
) -> tuple[dict[str, Registered[Descriptor]], list[tuple[Source, str]]]:
    """Return one winner per name, and who is refused with the reason.

    A first-party name stays with its plugin; of several third parties none gets it, because the
    order of installation must not decide who judges. ``replace`` must name the present holder.
    """
    claims: dict[str, list[_Claim]] = {}
    for source, offered in offers:
        for name, offer in offered.made.items():
            claims.setdefault(name, []).append(_Claim(source, offer))
    winners: dict[str, Registered[Descriptor]] = {}
    refused: list[tuple[Source, str]] = []
    for name, claimants in claims.items():
        winner, losers = _settle(f"{kind.singular} {name!r}", claimants)
        refused.extend(losers)
        if winner is not None:
            winners[name] = Registered(
                descriptor=winner.offer.descriptor,
                plugin=winner.source.plugin,
                distribution=winner.source.distribution,
                version=winner.source.version,
                first_party=winner.source.first_party,
            )
    return winners, refused


def _settle(what: str, claimants: list[_Claim]) -> tuple[_Claim | None, list[tuple[Source, str]]]:
    plain = [claim for claim in claimants if not claim.offer.replace]
    holder, losers = _sole([*plain], what)
    heirs: list[_Claim] = []
    for claim in claimants:
        if not claim.offer.replace:
            continue
        if holder is not None and claim.offer.replace == holder.source.plugin:
            heirs.append(claim)
        else:
            reason = f"{what} cannot replace that of plugin {claim.offer.replace!r}: it has none"
            losers.append((claim.source, reason))
    if len(heirs) > 1:
        losers.extend((claim.source, _taken(what, claim, heirs)) for claim in heirs)
        heirs = []
    return (heirs[0] if heirs else holder), losers


def _sole(plain: list[_Claim], what: str) -> tuple[_Claim | None, list[tuple[Source, str]]]:
    if len(plain) <= 1:
        return (plain[0] if plain else None), []
    ours = [claim for claim in plain if claim.source.first_party]
    holder = ours[0] if len(ours) == 1 else None
    losers = [(claim.source, _taken(what, claim, plain)) for claim in plain if claim is not holder]
    return holder, losers


def _taken(what: str, claim: _Claim, claimants: list[_Claim]) -> str:
    others = ", ".join(str(other.source) for other in claimants if other is not claim)
    return f"{what} is also added by {others}; one of them must rename it or say replace="
