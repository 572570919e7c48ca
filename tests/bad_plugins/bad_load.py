"""A broken plugin for tests/plugins/test_bad_plugins.py; its name says the rule it breaks."""

raise ImportError("no module named anything")
