"""A broken plugin for tests/plugins/test_bad_plugins.py; its name says the rule it breaks."""

from gitcto.api import StrategyFile, hookimpl


@hookimpl
def gitcto_register_strategies(register):
    register.add(StrategyFile(name="endless", summary="Never end.", target="bad_files:endless"))
