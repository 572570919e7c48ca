"""A broken plugin for tests/plugins/test_bad_plugins.py; its name says the rule it breaks."""

from gitcto.api import Gate, hookimpl

CALLS = []


@hookimpl
def gitcto_register_gates(register):
    CALLS.append(1)
    register.add(Gate(name=f"g{len(CALLS)}", summary="Judge.", target="bad_work:Judge"))
