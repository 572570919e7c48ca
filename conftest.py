"""Every test runs away from the machine's own git configuration, home and network."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("new", deadline=None)
settings.load_profile("same")  # for other examples each time: --hypothesis-profile new

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# git runs nothing in the background, asks nobody, and knows who commits.
HERMETIC = {
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_EDITOR": "false",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
}
GLOBAL_CONFIG = "[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[init]\n\tdefaultBranch = main\n"


def _isolate() -> None:
    """Replace what git and git-cto would read of this machine; at import, so nobody can forget."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "GITCTO_", "XDG_"))]:
        del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="gitcto-tests-home-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / ".gitconfig").write_text(GLOBAL_CONFIG, encoding="utf-8")
    os.environ |= _where_packages_come_from(Path.home())
    os.environ.update(HERMETIC, HOME=str(home), GIT_CONFIG_GLOBAL=str(home / ".gitconfig"))


def _where_packages_come_from(home: Path) -> dict[str, str]:
    """Return what lets the tests of wheels install packages as this machine does."""
    known = {
        "PIP_CONFIG_FILE": (".config/pip/pip.conf", ".pip/pip.conf"),
        "PIP_CACHE_DIR": (".cache/pip", "Library/Caches/pip"),
    }
    found = {
        name: str(home / place)
        for name, places in known.items()
        for place in reversed(places)
        if (home / place).exists()
    }
    return {name: place for name, place in found.items() if name not in os.environ}


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect":
        return
    address = arguments[1]
    if isinstance(address, tuple) and address[0] not in LOOPBACK:
        message = f"a test tried to reach {address[0]}"
        raise PermissionError(message)


_isolate()
sys.addaudithook(_refuse_network)


@pytest.fixture(autouse=True)
def _environment_is_left_alone() -> Iterator[None]:
    before = dict(os.environ)
    yield
    after = dict(os.environ)
    for known in ("PYTEST_CURRENT_TEST",):
        before.pop(known, None)
        after.pop(known, None)
    if before != after:
        changed = sorted(set(before.items()) ^ set(after.items()))
        os.environ.clear()
        os.environ.update(before)
        pytest.fail(f"the test changed the environment: {changed}")


@pytest.fixture(scope="session")
def bwrap() -> None:
    """Skip where there is no bubblewrap, or where it may not make the namespaces it needs."""
    program = shutil.which("bwrap")
    if program is None:
        pytest.skip("bubblewrap is not installed")
    argv = [
        program,
        "--unshare-all",
        "--unshare-user",
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "true",
    ]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"bubblewrap does not work here: {done.stderr.strip()}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests counted and handed over with ``record_property("figures", ...)``."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "figures":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
