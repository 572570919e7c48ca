"""Plugin bare_remote: descriptors only; the work is next door."""

from gitcto.api import Integration, Register, hookimpl


@hookimpl
def gitcto_register_integrations(register: Register[Integration]) -> None:
    """Add integration ``bare-remote``."""
    register.add(
        Integration(
            name="bare-remote",
            summary="Pull requests as refs of any git remote.",
            effects=("pull-request",),
            lookup="exact",
            target="gitcto_bare_remote.pulls:BareRemote",
        )
    )
