"""Plugin license-header: descriptors only; the work is next door."""

from gitcto.api import Gate, Register, hookimpl


@hookimpl
def gitcto_register_gates(register: Register[Gate]) -> None:
    """Add gate ``license-header``."""
    register.add(
        Gate(
            name="license-header",
            summary="Refuse a source file without the header that policy asks for.",
            target="gitcto_license_header.gate:LicenseHeaderGate",
            judges="change",
            needs_checkout=True,
            deadline_s=60.0,
        )
    )
