"""Plugin review: descriptors only; the work is next door."""

from gitcto.api import Gate, Register, hookimpl


@hookimpl
def gitcto_register_gates(register: Register[Gate]) -> None:
    """Add gate ``review``."""
    register.add(
        Gate(
            name="review",
            summary="Ask a reviewer, whose verdict counts for the change that it names.",
            target="gitcto_review.gate:ReviewGate",
            judges="change",
            needs_checkout=True,
            deadline_s=1800.0,
        )
    )
