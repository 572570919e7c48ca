"""The plugins as they are installed here."""

import sys

import pytest

from gitcto.plugins import Plugins


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    return Plugins.load(sys.path, warn=pytest.fail)
