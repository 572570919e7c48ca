"""A broken plugin for tests/plugins/test_bad_plugins.py; its name says the rule it breaks."""

from gitcto.api import hookimpl


@hookimpl
def gitcto_register_gates(register, repository):
    """Ask for what no hook hands over."""
