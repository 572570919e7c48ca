"""Where rooms lie is decided once for a repository, whatever the environment says later."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gitcto.errors import CtoError
from gitcto.git.repository import Repository, discover
from gitcto.runtime.host.layout import settled_root
from gitcto.testing import CtoRepo


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    world = CtoRepo(tmp_path / "world")
    return discover(world.path, world.environment)


def test_the_first_to_ask_decides_for_all(repository: Repository, tmp_path: Path) -> None:
    first = settled_root(repository, tmp_path / "first")
    assert first == tmp_path / "first"
    assert settled_root(repository, tmp_path / "second") == first
    assert [path.name for path in repository.cto_dir.iterdir()] == ["rooms-root"]


def test_a_copy_of_a_repository_has_rooms_of_its_own(
    repository: Repository, tmp_path: Path
) -> None:
    settled_root(repository, tmp_path / "first")
    shutil.copytree(repository.common_dir, tmp_path / "copy")
    copy = replace(repository, common_dir=tmp_path / "copy")
    assert settled_root(copy, tmp_path / "second") == tmp_path / "second"
    assert settled_root(copy, tmp_path / "third") == tmp_path / "second"
    assert settled_root(repository, tmp_path / "third") == tmp_path / "first"


def test_a_repository_that_was_moved_keeps_its_rooms(
    repository: Repository, tmp_path: Path
) -> None:
    settled_root(repository, tmp_path / "first")
    repository.common_dir.rename(tmp_path / "moved")
    moved = replace(repository, common_dir=tmp_path / "moved")
    assert settled_root(moved, tmp_path / "second") == tmp_path / "first"
    repository.common_dir.mkdir()
    assert settled_root(moved, tmp_path / "second") == tmp_path / "first"


def test_a_place_that_cannot_be_used_is_refused(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settled_root(repository, tmp_path / "file" / "rooms")
    with pytest.raises(CtoError, match="cannot be used here") as caught:
        settled_root(repository, tmp_path / "second")
    (repository.cto_dir / "rooms-root").unlink()
    assert str(repository.cto_dir / "rooms-root") in caught.value.hint
    assert settled_root(repository, tmp_path / "second") == tmp_path / "second"


def test_a_record_that_makes_no_sense_counts_as_none(
    repository: Repository, tmp_path: Path
) -> None:
    record = repository.cto_dir / "rooms-root"
    record.parent.mkdir()
    record.write_bytes(os.fsencode(tmp_path))
    assert settled_root(repository, tmp_path / "first") == tmp_path / "first"
