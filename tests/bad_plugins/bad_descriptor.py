"""A broken plugin for tests/plugins/test_bad_plugins.py; its name says the rule it breaks."""

from gitcto.api import Gate, hookimpl


@hookimpl
def gitcto_register_gates(register):
    register.add(Gate(name="No Good Name", summary="Judge.", target="bad_work:Judge"))
