"""A broken plugin for tests/plugins/test_bad_plugins.py; its name says the rule it breaks."""

from gitcto.api import hookimpl


@hookimpl(wrapper=True)
def gitcto_register_gates():
    return (yield)
