"""These tests are for whoever has installed this project, not only git-cto."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("gitcto_hello") else ["tests"]
