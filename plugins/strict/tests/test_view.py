"""What a worker sees: its room, what it was given, the system; and nothing of what is hidden."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gitcto_strict.view import TEMPORARY, TEMPORARY_BYTES, resolve, roots_own

if TYPE_CHECKING:
    from plugins.strict.tests.conftest import Home

pytestmark = pytest.mark.usefixtures("bwrap")


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_the_root_holds_only_what_was_put_there(home: Home) -> None:
    seen = set(home.sh("ls /").split())
    assert seen - {Path(home.path).parts[1]} <= {
        *("bin", "dev", "etc", "gnu", "lib", "lib32", "lib64", "libx32"),
        *("nix", "opt", "proc", "sbin", "tmp", "usr", "var"),
    }
    assert "dev" in seen


def test_around_the_room_there_is_nothing(home: Home) -> None:
    assert home.sh('cd "$1"; find . -mindepth 1', home.path).split() == [
        "./rooms",
        "./rooms/room",
    ]
    for word in ("etc/x", "usr/x", "x", "dev/x", "proc/x", "proc/sys/kernel/core_pattern"):
        assert home.run("sh", "-c", f"echo x > /{word}").returncode != 0, word
    home.run("sh", "-c", 'echo x > "$1/x"; rm -r "$1/secret"', "sh", str(home.path))
    assert not (home.path / "x").exists()
    assert (home.path / "secret").read_text() == "secret"


def test_the_more_specific_path_wins(home: Home) -> None:
    for name in ("rooms/other/file", "docs/page", "docs/secret/key"):
        (home.path / name).parent.mkdir(parents=True, exist_ok=True)
        (home.path / name).write_text("x")
    fixed, hides = home.room / "fixed", (home.path, home.path / "rooms", home.path / "docs/secret")
    fixed.write_text("fixed")
    given = {"reads": (home.path, home.room), "hides": hides, "fixed": (fixed,)}
    script = 'cd "$1"; find . -type f | sort; echo new > rooms/room/new'
    seen = home.sh(script, home.path, **given)
    home.run("sh", "-c", "echo x > fixed; rm -f fixed", **given)
    assert seen.split() == ["./docs/page", "./rooms/room/fixed", "./secret"]
    assert (home.room / "new").read_text() == "new\n"
    assert fixed.read_text() == "fixed"


def test_a_hidden_place_among_the_systems_programs_is_hidden(home: Home) -> None:
    place = Path("/usr/share")
    assert home.sh("ls /usr/share", hides=(place,)) == ""
    assert home.sh("ls /usr/bin/env", hides=(Path("/"), Path("/usr"))) == "/usr/bin/env"


def test_links_that_lead_to_something_shown_are_links(home: Home, tmp_path: Path) -> None:
    (tmp_path / "ada").symlink_to("home/ada")
    (home.path / "current").symlink_to(home.path / "store/2")
    (home.path / "store/2").mkdir(parents=True)
    (home.path / "store/2/word").write_text("word")
    through = tmp_path / "ada" / "rooms" / "room"
    script = 'pwd; cat "$1/word"; readlink "$1"; echo x > new'
    seen = home.sh(
        script,
        home.path / "current",
        cwd=through,
        writes=(through,),
        reads=(home.path / "current",),
    )
    assert seen.splitlines() == [str(home.room), f"word{home.path / 'store/2'}"]
    assert (home.room / "new").exists()


def test_links_are_followed_as_the_kernel_does(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "up").symlink_to("a/b/..")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "away").symlink_to(tmp_path / "up" / "b")
    links: dict[Path, str] = {}
    assert resolve(tmp_path / "away", links) == Path(os.path.realpath(tmp_path / "a" / "b"))
    assert links[tmp_path / "up"] == "a/b/.."
    for nothing in ("loop", "none/x", "a/none"):
        before = dict(links)
        assert resolve(tmp_path / nothing, links) is None
        assert links == before


def test_tools_on_the_path_are_shown_unless_they_stand_among_secrets(home: Home) -> None:
    executable(home.path / "tools/bin/tool", "#!/bin/sh\necho tool\n")
    executable(home.path / "at-home", "#!/bin/sh\necho leak\n")
    home.env["PATH"] = f"{home.path / 'tools/bin'}:{home.path}:{home.path.parent}:/usr/bin:/bin"
    assert home.sh("tool") == "tool"
    assert home.run("sh", "-c", "at-home").returncode == 127
    assert home.sh('ls "$1"', home.path) == "rooms\ntools"


def test_the_program_itself_is_shown_wherever_it_lies(home: Home) -> None:
    program = executable(home.path / "lib" / "a=b" / "program", '#!/bin/sh\necho "ran $1"\n')
    (home.path / "run-it").symlink_to("lib/a=b/program")
    assert home.run(str(home.path / "run-it"), "x y").stdout == "ran x y\n"
    assert home.run(str(program), "x").stdout == "ran x\n"
    executable(home.room / "script", "#!/bin/sh\necho here\n")
    assert home.run("./script").stdout == "here\n"


def test_what_is_temporary_is_fresh_and_bounded(home: Home) -> None:
    name = f"cto-test-{os.getpid()}"
    seen = home.sh(
        f"for d in /tmp /var/tmp /dev/shm; do echo x > $d/{name}; df -B1 --output=size $d; done"
    )
    sizes = [int(word) for word in seen.split() if word.isdigit()]
    assert sizes == [TEMPORARY_BYTES] * 3
    assert not any((place / name).exists() for place in TEMPORARY)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root owns what others may not read")
def test_a_worker_of_roots_reads_no_more_than_others(home: Home) -> None:
    assert Path("/etc/shadow") in roots_own(Path("/etc"))
    assert home.run("cat", "/etc/shadow").returncode != 0
    assert home.run("cat", "/etc/passwd").returncode == 0


def test_what_not_everybody_may_read_is_found(tmp_path: Path) -> None:
    for name, mode in (("open", 0o644), ("closed", 0o640), ("sub/key", 0o600)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(mode)
    (tmp_path / "private").mkdir(mode=0o700)
    (tmp_path / "private" / "readable").write_text("x")
    found = {str(path.relative_to(tmp_path)) for path in roots_own(tmp_path)}
    assert found == {"closed", "sub/key", "private"}
