"""Plugin secrets: descriptors only; the work is next door."""

from gitcto.api import Gate, Register, hookimpl


@hookimpl
def gitcto_register_gates(register: Register[Gate]) -> None:
    """Add gate ``secrets``."""
    register.add(
        Gate(
            name="secrets",
            summary="Refuse a change that adds a key, a token or a password.",
            target="gitcto_secrets.gate:SecretsGate",
            judges="change",
            deadline_s=300.0,
        )
    )
