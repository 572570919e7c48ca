"""Commands of persons about providers."""

from __future__ import annotations

from msgspec import Struct

from gitcto.model.provider_records import Admission, Compared


class AdmitProvider(Struct, frozen=True, kw_only=True):
    """Let the program of an admission run; ``previous`` in it is filled in."""

    admission: Admission


class RevokeAdmission(Struct, frozen=True, kw_only=True):
    """Let the program behind a provider run no more."""

    provider: str
    reason: str


class StageProvider(Struct, frozen=True, kw_only=True):
    """Bring a provider to another stage; see :class:`gitcto.model.provider_events.ProviderStaged`.

    ``recorded`` is the stage that the caller saw recorded, empty for none.
    """

    provider: str
    plugin: str
    stage: str
    former: str
    recorded: str
    digest: str = ""
    evidence: tuple[str, ...] = ()
    why: str = ""


class RecordComparison(Struct, frozen=True, kw_only=True):
    """Record how providers did at the same tasks."""

    provider: str
    comparison: str
    plan: str
    results: tuple[Compared, ...]


ProviderCommand = AdmitProvider | RevokeAdmission | StageProvider | RecordComparison
