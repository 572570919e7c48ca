"""``git cto doctor --escape``: needs no repository, and can be read by programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitcto.escape.catalogue import ATTACKS

START = "import sys; from gitcto.cli.entry import main; sys.exit(main())"


def doctor(where: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command where there is no repository."""
    return subprocess.run(
        [sys.executable, "-c", START, "doctor", *options],
        cwd=where,
        env={**os.environ, "TMPDIR": str(where / "tmp")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_level_without_attacks_is_a_mistake(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--level", "strict")
    assert done.returncode == 2
    assert "add `--escape`" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="the suite is proved on Linux only")
def test_every_attack_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    done = doctor(tmp_path, "--escape", "--level", "none", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert told["holds"]
    assert [each["attack"] for each in told["sandboxes"]["none"]] == [one.name for one in ATTACKS]
    outcomes = [(each["outcome"], each["expected"]) for each in told["sandboxes"]["none"]]
    assert [pair for pair in outcomes if pair[0] not in {"skipped", pair[1]}] == []
    first = told["sandboxes"]["none"][0]
    assert (first["outcome"], first["found"]) == ("open", ["changed: home/project/README.md"])
    assert list((tmp_path / "tmp").iterdir()) == []
