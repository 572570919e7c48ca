"""Two looks at a repository: what counts as a difference, how grave it is, and what it costs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitcto.git.differences import Difference, differences
from gitcto.git.fingerprint import Fingerprint, Look, take
from gitcto.git.own_moves import without_own_moves
from gitcto.git.process import trusted
from tests.git.conftest import Repo

TARGET = "refs/heads/cto/main/integration"


def _let_a_tick_pass(path: Path) -> None:
    """Wait until the clock of the file system, a coarse one, says another time than now."""
    path.touch()
    then = path.stat().st_ctime_ns
    while path.stat().st_ctime_ns == then:
        path.touch()


class Watch:
    """Looks at a repository when it is made, and says later what is different."""

    def __init__(self, repo: Repo, place: Path) -> None:
        self.repo = repo
        self.stores = (place / "before", place / "after")
        for store in self.stores:
            store.mkdir(parents=True)
        self.look = Look(
            repository=repo.found,
            git=repo.trusted,
            ours=place / "rooms",
            target=TARGET,
            indexes=self.stores[0],
        )
        seen = take(self.look)
        self.before = Fingerprint.decode(seen.encode())
        assert self.before == seen
        _let_a_tick_pass(place / "tick")

    def found(self) -> list[Difference]:
        before, after = self.stores
        look = Look(
            repository=self.look.repository,
            git=trusted(self.look.repository),
            ours=self.look.ours,
            target=TARGET,
            indexes=after,
        )
        now = take(look.after(self.before, before))
        return differences(look.git, self.before, now, self.stores)

    def texts(self, *, guarded: bool | None = None) -> list[str]:
        root = f"{self.repo.path}/"
        return [
            each.text.replace(root, "")
            for each in self.found()
            if guarded is None or each.guarded is guarded
        ]


@pytest.fixture
def watched(repo: Repo, tmp_path: Path) -> Callable[[], Watch]:
    (repo.path / ".gitignore").write_text(".env\nbuild/\n")
    (repo.path / "src").mkdir()
    (repo.path / "src/deep.py").write_text("1\n")
    repo.commit(**{"a.txt": "a\n", "b.txt": "b\n"})
    (repo.path / ".env").write_text("secret\n")
    (repo.path / "mine.txt").write_text("not added\n")
    return lambda: Watch(repo, tmp_path / "looks")


def test_nothing_done_is_no_difference_and_nothing_is_written(
    repo: Repo, watched: Callable[[], Watch]
) -> None:
    def listing() -> list[tuple[str, int]]:
        paths = sorted(path for path in repo.path.rglob("*") if "cto" not in path.parts)
        return [(str(path), path.lstat().st_mtime_ns) for path in paths]

    watch = watched()
    before = listing()
    assert watch.found() == []
    assert listing() == before


def add(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(text)


GUARDED: dict[str, tuple[Callable[[Repo], object], str]] = {
    "hook": (
        lambda repo: add(repo.path / ".git/hooks/pre-commit", "evil"),
        "hook .git/hooks/pre-commit appeared",
    ),
    "hook-mode": (
        lambda repo: (repo.path / ".git/hooks/pre-push.sample").chmod(0o644),
        "hook .git/hooks/pre-push.sample was changed",
    ),
    "hooks-path": (
        lambda repo: repo.git("config", "core.hooksPath", "evil"),
        "setting core.hookspath in .git/config appeared",
    ),
    "filter": (
        lambda repo: repo.git("config", "filter.x.clean", "evil"),
        "setting filter.x.clean in .git/config appeared",
    ),
    "alias": (
        lambda repo: repo.git("config", "alias.st", "!evil"),
        "setting alias.st in .git/config appeared",
    ),
    "url-with-a-secret": (
        lambda repo: repo.git("config", "url.https://key@evil/.insteadOf", "https://x/"),
        "setting url.….insteadof in .git/config appeared",
    ),
    "unknown-setting": (
        lambda repo: repo.git("config", "made.up", "x"),
        "setting made.up in .git/config appeared",
    ),
    "broken-config": (
        lambda repo: add(repo.path / ".git/config", "[[["),
        "setting (unreadable) in .git/config appeared",
    ),
    "exclude": (
        lambda repo: add(repo.path / ".git/info/exclude", "*"),
        ".git/info/exclude was changed",
    ),
    "attributes": (
        lambda repo: add(repo.path / ".git/info/attributes", "* filter=x"),
        ".git/info/attributes appeared",
    ),
    "alternates": (
        lambda repo: add(repo.path / ".git/objects/info/alternates", "/evil"),
        ".git/objects/info/alternates appeared",
    ),
    "module-hook": (
        lambda repo: add(repo.path / ".git/modules/a/b/hooks/post-checkout", "evil"),
        "hook .git/modules/a/b/hooks/post-checkout appeared",
    ),
    "trusted": (
        lambda repo: add(repo.path / ".git/cto/trusted.git/hooks/post-index-change", "evil"),
        "hook .git/cto/trusted.git/hooks/post-index-change appeared",
    ),
}


@pytest.mark.parametrize("what", GUARDED)
def test_what_lets_something_run_is_grave(
    repo: Repo, watched: Callable[[], Watch], what: str
) -> None:
    (repo.path / ".git/modules/a/b").mkdir(parents=True)
    (repo.path / ".git/modules/a/b/HEAD").write_text("ref: refs/heads/main\n")
    watch = watched()
    act, text = GUARDED[what]
    act(repo)
    assert text in watch.texts(guarded=True)


OWN: dict[str, tuple[Callable[[Repo], object], str]] = {
    "changed": (lambda repo: add(repo.path / "a.txt", "more"), "a.txt was changed"),
    "deleted": (lambda repo: (repo.path / "a.txt").unlink(), "a.txt was deleted"),
    "deep": (lambda repo: add(repo.path / "src/deep.py", "2"), "src/deep.py was changed"),
    "appeared": (lambda repo: add(repo.path / "new.txt", "x"), "new.txt appeared"),
    "untracked": (lambda repo: add(repo.path / "mine.txt", "x"), "mine.txt was changed"),
    "untracked-gone": (lambda repo: (repo.path / "mine.txt").unlink(), "mine.txt was removed"),
    "secret": (lambda repo: add(repo.path / ".env", "x"), ".env was changed"),
    "mode": (
        lambda repo: (repo.path / "a.txt").chmod(0o666),
        "the permissions of a.txt were changed",
    ),
    "time set back": (
        lambda repo: os.utime(repo.path / "a.txt", (1, 1)),
        "times, owner or attributes of a.txt were changed",
    ),
    "executable": (lambda repo: (repo.path / "a.txt").chmod(0o755), "a.txt was changed"),
    "link": (
        lambda repo: (
            (repo.path / "a.txt").unlink(),
            (repo.path / "a.txt").symlink_to("/etc/passwd"),
        ),
        "a.txt was changed",
    ),
    "index": (
        lambda repo: repo.git("update-index", "--add", "--cacheinfo", f"100644,{'1' * 40},z"),
        "the index entry of z appeared",
    ),
    "branch": (lambda repo: repo.git("branch", "side"), "refs/heads/side appeared"),
    "tag": (lambda repo: repo.git("tag", "v1"), "refs/tags/v1 appeared"),
    "head": (lambda repo: repo.git("switch", "-qc", "side"), ".git/HEAD was changed"),
    "stash": (
        lambda repo: (add(repo.path / "a.txt", "x"), repo.git("stash")),
        "refs/stash appeared",
    ),
    "log": (
        lambda repo: (repo.path / ".git/logs/HEAD").unlink(),
        "the log .git/logs/HEAD was removed",
    ),
    "name": (
        lambda repo: repo.git("config", "user.name", "B"),
        "setting user.name in .git/config appeared",
    ),
    "upstream": (
        lambda repo: repo.git("config", "branch.main.remote", "origin"),
        "setting branch.main.remote in .git/config appeared",
    ),
    "worktree": (
        lambda repo: repo.git("worktree", "add", "-q", str(repo.path.parent / "other"), "HEAD~0"),
        ".git/worktrees/other appeared",
    ),
    "target": (
        lambda repo: repo.git("update-ref", TARGET, "HEAD"),
        f"{TARGET} appeared",
    ),
}


@pytest.mark.parametrize("what", OWN)
def test_what_a_person_may_do_meanwhile_is_told(
    repo: Repo, watched: Callable[[], Watch], what: str
) -> None:
    watch = watched()
    act, text = OWN[what]
    act(repo)
    assert any(told.endswith(text) for told in watch.texts(guarded=False)), watch.texts()
    assert watch.texts(guarded=True) == []


def test_touched_files_and_a_refreshed_index_are_no_difference(
    repo: Repo, watched: Callable[[], Watch]
) -> None:
    watch = watched()
    add(repo.path / "a.txt", "x")
    (repo.path / "a.txt").write_text("a\n")
    os.utime(repo.path / "b.txt")
    repo.git("status")
    repo.git("update-index", "--refresh")
    assert watch.found() == []


def test_a_change_that_the_index_was_made_to_hide_is_found(
    repo: Repo, watched: Callable[[], Watch]
) -> None:
    watch = watched()
    add(repo.path / "a.txt", "evil")
    repo.git("add", "a.txt")
    assert "a.txt was changed" in watch.texts()
    repo.git("update-index", "--assume-unchanged", "a.txt")
    assert "a.txt was changed" in watch.texts()


def test_files_that_hide_from_git_are_read(repo: Repo, watched: Callable[[], Watch]) -> None:
    repo.git("update-index", "--assume-unchanged", "src/deep.py")
    repo.git("update-index", "--skip-worktree", "b.txt")
    watch = watched()
    add(repo.path / "src/deep.py", "evil")
    add(repo.path / "b.txt", "evil")
    assert watch.texts() == ["b.txt was changed", "src/deep.py was changed"]


def test_rooms_and_what_is_ours_are_left_out(repo: Repo, watched: Callable[[], Watch]) -> None:
    watch = watched()
    room = watch.look.ours / "main" / "e1" / "room"
    repo.git("worktree", "add", "-q", "-b", "cto/main/A", str(room))
    add(room / "a.txt", "work")
    repo.git("update-ref", "refs/cto/teams/main/executions/e1", "HEAD")
    assert watch.found() == []


@pytest.mark.parametrize("surface", ["gitdir", "commondir"])
def test_the_entry_of_another_worktree_is_grave(
    repo: Repo, watched: Callable[[], Watch], surface: str
) -> None:
    other = repo.path.parent / "other"
    repo.git("worktree", "add", "-q", str(other))
    watch = watched()
    add(repo.path / ".git/worktrees/other" / surface, "evil\n")
    add(other / "a.txt", "theirs")
    told = watch.texts()
    assert told[0] == f".git/worktrees/other/{surface} was changed"
    assert f"{other}/a.txt was changed" in told


def test_a_repository_that_was_swapped_is_grave(repo: Repo, watched: Callable[[], Watch]) -> None:
    watch = watched()
    (repo.path / ".git").rename(repo.path / "old.git")
    repo.git("init", "-q")
    assert ".git was changed" in watch.texts(guarded=True)


def test_a_removed_kept_ref_is_grave_and_a_new_one_is_not(
    repo: Repo, watched: Callable[[], Watch]
) -> None:
    kept = "refs/cto/teams/main/preserved/e"
    repo.commit()
    repo.git("update-ref", kept + "1", "HEAD")
    watch = watched()
    repo.git("update-ref", kept + "2", "HEAD")
    assert watch.found() == []
    repo.git("update-ref", "-d", kept + "1")
    assert watch.texts(guarded=True) == [f"kept work {kept}1 was removed"]


@pytest.mark.parametrize("kind", ["splitIndex", "sparse", "v4"])
def test_every_kind_of_index_is_understood(
    repo: Repo, watched: Callable[[], Watch], kind: str
) -> None:
    watched()
    if kind == "splitIndex":
        repo.git("config", "core.splitIndex", "true")
        repo.git("update-index", "--split-index")
        assert list((repo.path / ".git").glob("sharedindex.*"))
    elif kind == "sparse":
        repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "nothing")
        assert not (repo.path / "src").exists()
    else:
        repo.git("update-index", "--index-version", "4")
    watch = Watch(repo, repo.path.parent / kind)
    assert watch.found() == []
    add(repo.path / "a.txt", "x")
    repo.git("update-index", "--add", "a.txt")
    told = watch.texts()
    assert sorted(told) == ["a.txt was changed", "the index entry of a.txt was changed"]


@pytest.mark.parametrize("repo", ["sha1", "sha256"], indirect=True)
def test_a_checkout_led_to_what_landed_is_our_own_move(
    repo: Repo, watched: Callable[[], Watch]
) -> None:
    watched()
    old = repo.git("rev-parse", "HEAD")
    landed = repo.commit(**{"a.txt": "landed\n", "fresh.txt": "new\n"})
    repo.git("rm", "-q", "b.txt")
    landed = repo.commit()
    repo.git("reset", "-q", "--hard", old)
    watch = Watch(repo, repo.path.parent / "again")
    repo.git("merge", "-q", "--ff-only", landed)
    repo.git("branch", "restored/A-1", landed)
    found = watch.found()
    assert len(found) > 4
    assert without_own_moves(repo.trusted, found, watch.before, {landed}) == []
    assert without_own_moves(repo.trusted, found, watch.before, {"0" * 40}) == found
    add(repo.path / "a.txt", "and more")
    left = without_own_moves(repo.trusted, watch.found(), watch.before, {landed})
    assert [each.text for each in left] == [f"{repo.path}/a.txt was changed"]


def test_a_branch_led_back_is_never_our_own_move(repo: Repo, watched: Callable[[], Watch]) -> None:
    watch = watched()
    landed = repo.git("rev-parse", "HEAD")
    repo.commit(**{"a.txt": "mine\n"})
    watch = Watch(repo, repo.path.parent / "again")
    repo.git("reset", "-q", "--hard", landed)
    found = watch.found()
    assert without_own_moves(repo.trusted, found, watch.before, {landed}) == found


def test_a_bare_repository_has_no_files_to_look_at(repo: Repo, tmp_path: Path) -> None:
    repo.commit(**{"a.txt": "a\n"})
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    bare = repo.at(tmp_path / "bare.git")
    watch = Watch(bare, tmp_path / "looks")
    assert watch.before.checkouts() == []
    bare.git("tag", "v1")
    assert watch.texts() == ["refs/tags/v1 appeared"]


def test_links_and_odd_names_are_neither_followed_nor_lost(
    repo: Repo, watched: Callable[[], Watch]
) -> None:
    watch = watched()
    odd = os.fsdecode(b"odd\xff\n\x1b[31m.txt")
    add(repo.path / odd, "x")
    (repo.path / "loop").symlink_to(".")
    (told, link) = sorted(watch.texts(), reverse=True)
    assert told == "odd���[31m.txt appeared"
    assert link == "loop appeared"
    told.encode()
