"""Plugin tests: descriptors only; the work is next door."""

from gitcto.api import Gate, Register, hookimpl


@hookimpl
def gitcto_register_gates(register: Register[Gate]) -> None:
    """Add gate ``tests``."""
    register.add(
        Gate(
            name="tests",
            summary="Run the test command on the merge result.",
            target="gitcto_tests.gate:TestsGate",
            needs_checkout=True,
        )
    )
