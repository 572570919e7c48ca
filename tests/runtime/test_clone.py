"""A clone knows its own runs from those of others, and a copy of it from itself."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from gitcto.git.repository import Repository
from gitcto.runtime.core.holder import holder_of, is_of
from gitcto.runtime.host.clone import clone_id


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    common = tmp_path / "one"
    common.mkdir()
    return Repository(
        git_dir=common,
        common_dir=common,
        work_tree=None,
        object_format="sha1",
        bare=True,
        program="git",
    )


def test_a_clone_keeps_its_id_when_it_is_renamed_and_a_copy_does_not(
    repository: Repository, tmp_path: Path
) -> None:
    numbers = map(str, count(1))
    made = [clone_id(repository, numbers.__next__) for _ in range(2)]
    assert made == ["1", "1"]
    renamed = replace(repository, common_dir=tmp_path / "renamed")
    repository.common_dir.rename(renamed.common_dir)
    assert clone_id(renamed, numbers.__next__) == "1"
    copied = replace(repository, common_dir=tmp_path / "copied")
    shutil.copytree(renamed.common_dir, copied.common_dir)
    assert clone_id(copied, numbers.__next__) == "2"
    assert clone_id(copied, numbers.__next__) == "2"
    assert clone_id(renamed, numbers.__next__) == "1"


def test_a_record_that_says_nothing_is_made_again(repository: Repository) -> None:
    repository.cto_dir.mkdir()
    for content in (b"", b"x", b"a b c", b"\xff \xff"):
        (repository.cto_dir / "clone").write_bytes(content)
        assert clone_id(repository, lambda: "new") == "new"


@pytest.mark.parametrize("actor", ["ada@box", "a/b@box", ""])
def test_a_holder_says_of_which_clone_it_is(actor: str) -> None:
    holder = holder_of(actor, "clone1", "run1")
    assert is_of(holder, "clone1")
    assert not is_of(holder, "clone2")
    assert not is_of(holder, "run1")
    assert not is_of("box", "box")
