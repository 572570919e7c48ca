"""Guesses are made with the repository's objects and leave none behind."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from gitcto.errors import CtoError
from gitcto.git.process import GitError
from gitcto.git.sketch import PATIENCE_S, sketch


def loose(repo) -> list[str]:
    return sorted(str(path) for path in (repo.path / ".git" / "objects").glob("??/*"))


@pytest.mark.parametrize("repo", ["sha1", "sha256"], indirect=True)
def test_what_is_written_goes_with_the_sketch(repo):
    head, before = repo.commit(**{"a.txt": "a\n"}), loose(repo)
    with sketch(repo.found) as (git, private):
        assert git.text("cat-file", "-t", head) == "commit"
        blob = git.text("hash-object", "-w", "--stdin", stdin=b"only here\n")
        assert git.text("cat-file", "blob", blob) == "only here"
        assert private.is_dir()
    assert not private.exists()
    assert loose(repo) == before


def test_it_goes_when_something_breaks_too(repo):
    with pytest.raises(GitError), sketch(repo.found) as (git, private):
        git.text("cat-file", "-t", "0" * 40)
    assert not private.exists()


def test_nobody_who_is_looked_at_can_keep_git_waiting(repo):
    with sketch(repo.found) as (git, private):
        assert git.timeout_s == PATIENCE_S
        os.mkfifo(private / "pipe")
        impatient = replace(git, timeout_s=0.2)
        with pytest.raises(CtoError, match="did not end within"):
            impatient.text("hash-object", "--", str(private / "pipe"))
