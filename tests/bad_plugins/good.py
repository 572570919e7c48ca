"""A plugin that breaks no rule, so that the check is seen to pass something."""

from gitcto.api import Gate, hookimpl


@hookimpl
def gitcto_register_gates(register):
    register.add(Gate(name="g", summary="Judge.", target="bad_work:Judge"))
