"""A part of a tree: what belongs to it, what git says to it, and what a harvest makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitcto.git.harvest import Harvested, harvest
from gitcto.git.sparse import Cone, checkout_cone, cone_of

if TYPE_CHECKING:
    from tests.git.conftest import Repo

FILES = (
    "top",
    "src/a.py",
    "src/b.py",
    "src/deep/er/c.py",
    "lib/l.py",
    "lib/x/y.py",
    "docs/index.md",
    "odd [1]/f",
)


class Part:
    """A repository, and a room of its last commit in which only some folders are."""

    def __init__(self, repo: Repo, root: Path) -> None:
        for name in FILES:
            (repo.path / name).parent.mkdir(parents=True, exist_ok=True)
            (repo.path / name).write_text(f"{name}\n")
        self.repo, self.root, self.path = repo, root, root / "room"
        self.base = repo.commit()

    def make(self, *globs: str) -> Cone:
        cone = cone_of(self.repo.trusted, self.base, globs)
        assert cone is not None
        self.cone = cone
        checkout_cone(self.repo.trusted, self.base, self.path, self.root / "index", cone)
        return cone

    def files(self) -> set[str]:
        found = (path for path in self.path.rglob("*") if path.is_file())
        return {str(path.relative_to(self.path)) for path in found}

    def harvest(self) -> Harvested:
        return harvest(self.repo.found, self.path, self.base, self.root / "scratch", cone=self.cone)

    def changes(self) -> set[tuple[str, str]]:
        return {(change.status, change.path) for change in self.harvest().changes}


@pytest.fixture
def part(repo: Repo, tmp_path: Path) -> Part:
    return Part(repo, tmp_path)


@pytest.mark.parametrize(
    ("globs", "folders"),
    [
        (["src"], ("src",)),
        (["./src/"], ("src",)),
        (["src/**"], ("src",)),
        (["src/deep/*.py", "docs/index.md"], ("docs", "src/deep")),
        (["src/deep/**", "src/a.py"], ("src",)),
        (["top"], ()),
        (["packages/new/**"], ("packages/new",)),
        (["odd [1]/f"], None),
        (["*.py"], None),
        (["src", "**/x"], None),
        (["."], None),
        ([], None),
    ],
)
def test_the_folders_in_which_globs_can_match(part: Part, globs: list[str], folders: object):
    cone = cone_of(part.repo.trusted, part.base, globs)
    assert (cone and cone.folders) == folders


@pytest.mark.parametrize(
    "folders", [("src",), ("src/deep",), ("lib/x", "src/deep/er"), ("odd [1]",), (), ("new",)]
)
def test_git_means_the_same_by_the_patterns(part: Part, folders: tuple[str, ...]):
    cone, plain = Cone(folders), part.root / "plain"
    part.repo.git("clone", "--quiet", "--no-checkout", str(part.repo.path), str(plain))
    part.repo.git("config", "core.sparseCheckout", "true", cwd=plain)
    part.repo.git("config", "core.sparseCheckoutCone", "true", cwd=plain)
    (plain / ".git/info/sparse-checkout").write_text(cone.patterns())
    part.repo.git("checkout", "--quiet", part.base, cwd=plain)
    part.cone = cone
    checkout_cone(part.repo.trusted, part.base, part.path, part.root / "index", cone)
    theirs = {str(p.relative_to(plain)) for p in plain.rglob("*") if p.is_file()}
    assert part.files() == {name for name in theirs if not name.startswith(".git/")}
    assert part.files() == {name for name in FILES if cone.holds(name)}


def test_what_was_left_out_is_not_deleted(part: Part):
    part.make("src/**")
    assert part.changes() == set()
    (part.path / "src/a.py").write_text("2\n")
    (part.path / "src/b.py").unlink()
    assert part.changes() == {("M", "src/a.py"), ("D", "src/b.py")}
    tree = part.harvest().tree
    assert part.repo.git("show", f"{tree}:lib/x/y.py") == "lib/x/y.py"


def test_what_is_made_outside_counts(part: Part):
    part.make("src/**")
    (part.path / "lib").mkdir()
    (part.path / "lib/new.py").write_text("new\n")
    (part.path / "lib/l.py").write_text("overwritten\n")
    (part.path / "docs").write_text("a file in the way\n")
    assert part.changes() == {
        ("A", "lib/new.py"),
        ("M", "lib/l.py"),
        ("A", "docs"),
        ("D", "docs/index.md"),
    }


def test_a_link_in_the_way_is_not_followed(part: Part):
    part.make("src/**")
    elsewhere = part.root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "l.py").write_text("secret\n")
    (part.path / "lib").symlink_to(elsewhere)
    assert part.changes() == {("A", "lib"), ("D", "lib/l.py"), ("D", "lib/x/y.py")}


def test_everything_may_be_deleted(part: Part):
    part.make("src/**")
    for name in part.files():
        (part.path / name).unlink()
    assert part.changes() == {("D", name) for name in FILES if name.startswith(("src/", "top"))}
