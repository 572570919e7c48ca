"""Deliberate bugs, as exact replacements in our own sources: each must be found, or harm nobody."""

from gitcto.testing.planted.in_the_model import MODEL
from gitcto.testing.planted.in_the_runtime import RUNTIME
from gitcto.testing.planted.in_the_store import STORE

BUGS = (*MODEL, *STORE, *RUNTIME)
"""All of them."""
