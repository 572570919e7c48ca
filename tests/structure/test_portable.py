"""No committed file knows one machine: no package index, no home directory, no build path."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Written in pieces, because this file is committed too. Ada lives in examples only.
INDEX_HOSTS = ["pypi." + "org", "python" + "hosted.org", "npm" + "js.org", "deb." + "debian.org"]
FOREIGN = re.compile(
    "|".join(map(re.escape, INDEX_HOSTS))
    + r"|(?<![\w.~])/(?:work|root|home|Users|opt/\w+)/(?!ada\b)[A-Za-z.]"
    + r"|--(?:extra-)?index-url[ =]|^(?:extra-)?index-url|--find[-]links",
    re.MULTILINE,
)


def foreign(text: str) -> list[str]:
    """Return what in ``text`` holds on one machine only."""
    return FOREIGN.findall(text)


def committed() -> list[Path]:
    """Return every file that git tracks."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    return [ROOT / name for name in listing.split("\0") if name and (ROOT / name).is_file()]


def test_committed_files_are_portable() -> None:
    files = committed()
    assert len(files) > 40
    problems = {
        str(path.relative_to(ROOT)): found
        for path in files
        if (found := foreign(path.read_bytes().decode(errors="replace")))
    }
    assert problems == {}


@pytest.mark.parametrize(
    "text",
    [
        f"https://{INDEX_HOSTS[0]}/simple",
        "see /wo" + "rk/notes.md",
        "cd '/ho" + "me/grace/project'",
        "--index" + "-url file:wheels",
        "wheels in /op" + "t/wheels/x",
    ],
)
def test_a_path_or_index_of_one_machine_is_found(text: str) -> None:
    assert foreign(text)


@pytest.mark.parametrize(
    "text", ["src/work/item.py", "HOME=/home/ada", "https://example.com/work/x", "~/work/x"]
)
def test_an_innocent_path_is_not(text: str) -> None:
    assert foreign(text) == []
