"""The subject lines of what persons decide about providers."""

from __future__ import annotations

from gitcto.model import provider_events as ev


def provider_phrase(body: ev.ProviderEventBody) -> str:
    """Return what an event says."""
    match body:
        case ev.ProviderAdmitted():
            one = body.admission
            again = " anew" if one.previous else ""
            return f"{one.provider}: {one.digest[:12]} {one.version} admitted{again} to {one.mode}"
        case ev.AdmissionRevoked():
            return f"{body.provider}: admission revoked ({body.reason or 'no reason given'})"
        case ev.ProviderStaged():
            return f"{body.provider}: from stage {body.former} to {body.stage}"
    ran = ", ".join(f"{one.provider} {one.landed}/{one.tasks}" for one in body.results)
    return f"{body.provider}: compared ({ran})"
