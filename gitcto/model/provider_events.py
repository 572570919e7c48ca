"""The events of what persons decide about providers."""

from __future__ import annotations

from gitcto.model.body import Body
from gitcto.model.provider_records import Admission, Compared


class ProviderAdmitted(Body, frozen=True, kw_only=True, tag_field="kind", tag="provider.admitted"):
    """A person looked at the program behind a provider and lets exactly that one run."""

    admission: Admission


class AdmissionRevoked(
    Body, frozen=True, kw_only=True, tag_field="kind", tag="provider.admission_revoked"
):
    """The program behind a provider may not run any more."""

    provider: str
    admission: str
    reason: str


class ProviderStaged(Body, frozen=True, kw_only=True, tag_field="kind", tag="provider.staged"):
    """A person brought a provider, as ``plugin`` runs it, from stage ``former`` to ``stage``.

    ``evidence`` are the executions that proved it, all of them on the program with the SHA-256
    ``digest``; a step down needs none.
    """

    provider: str
    plugin: str
    stage: str
    former: str
    digest: str = ""
    evidence: tuple[str, ...] = ()
    why: str = ""


class ProviderCompared(Body, frozen=True, kw_only=True, tag_field="kind", tag="provider.compared"):
    """A provider and others did the same tasks; ``plan`` is the SHA-256 of what they were given."""

    provider: str
    comparison: str
    plan: str
    results: tuple[Compared, ...]


ProviderEventBody = ProviderAdmitted | AdmissionRevoked | ProviderStaged | ProviderCompared
"""Every kind of event about providers."""
