"""A broken plugin for tests/plugins/test_bad_plugins.py; its name says the rule it breaks."""

import subprocess  # noqa: F401

from bad_work import GATE, Gate, hookimpl


@hookimpl
def gitcto_register_gates(register):
    register.add(Gate(**GATE))
