"""pytest fixtures: put ``pytest_plugins = ["gitcto.testing.fixtures"]`` into ``conftest.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitcto.testing.model_server import ModelServer
from gitcto.testing.repo import CtoRepo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def cto_repo(tmp_path: Path) -> Iterator[CtoRepo]:
    """Return an empty repository in a hermetic environment; unchecked failures fail the test."""
    repo = CtoRepo(tmp_path / "world")
    yield repo
    repo.close()


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    """Return a scripted model server on a free loopback port."""
    with ModelServer() as server:
        yield server
