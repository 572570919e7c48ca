from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Room

SCRIPT = Path(__file__).parents[2] / "completions" / "git-cto.bash"


def complete(room: Room, function: str, *words: str) -> list[str]:
    """Return what bash would offer for the last word, with `git-cto` on PATH."""
    program = room.write("bin/git-cto", "")
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom gitcto.cli.entry import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    quoted = " ".join(f"'{word}'" for word in words)
    code = (
        f"set -u; source {SCRIPT}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1};"
        f'{function}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", code],
        cwd=room.path,
        env={**room.environ, "PATH": f"{program.parent}:{room.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("function", "words", "offered"),
    [
        ("_git_cto", ("git", "cto", "plu"), ["plugins"]),
        ("_git_cto", ("git", "-C", ".", "cto", "plan", "im"), ["import"]),
        ("_git_cto_program", ("git-cto", "plugins", "--j"), ["--json"]),
    ],
)
def test_bash_is_offered_what_this_version_has(
    room: Room, function: str, words: tuple[str, ...], offered: list[str]
) -> None:
    assert complete(room, function, *words) == offered
