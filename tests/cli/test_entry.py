from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from gitcto import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Room


def test_version_is_told_without_importing_click(room: Room) -> None:
    code = (
        "import sys; before = set(sys.modules); sys.argv = ['git-cto', '--version'];"
        "from gitcto.cli.entry import main; main();"
        "print(sorted(m for m in set(sys.modules) - before if not m.startswith('_')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=room.environ, capture_output=True, text=True, check=True
    )
    version, modules = done.stdout.splitlines()
    assert version == f"git cto {__version__}"
    assert modules == "['gitcto', 'gitcto.cli', 'gitcto.cli.entry']"


def test_version_is_the_same_after_other_options(room: Room) -> None:
    assert room.cto("--color", "never", "--version").out == f"git cto {__version__}\n"


def test_the_program_passes_its_exit_code_on(
    program: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = program("no-such-command")
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no command 'no-such-command'")


def test_a_closed_pipe_is_no_trouble(room: Room) -> None:
    main = "import sys; from gitcto.cli.entry import main; sys.exit(main())"
    command = f'{sys.executable} -c "{main}" -h | true; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", f"sleep 0; {command}"],
        env={**room.environ, "PYTHONUNBUFFERED": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.strip() in {"0", "141"}
