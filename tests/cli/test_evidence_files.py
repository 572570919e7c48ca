"""Evidence of one attempt, and evidence as files: exported, and verified where there is no git."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import POLICY

if TYPE_CHECKING:
    from tests.cli.conftest import Crew


def codes(said: str) -> list[str]:
    return [each["code"] for each in json.loads(said)["refusals"]]


def test_an_attempt_that_failed_has_evidence_to_show_and_verify(crew: Crew) -> None:
    crew.work("A", expect=1)
    shown = crew.cto("evidence", "show", "A", "--attempt", "1").out
    assert "- blocked by `worker_empty`" in shown
    done = crew.cto("evidence", "verify", "A", "--attempt", "1")
    assert done.out == "ok    evidence of attempt 1 at A is whole\n"
    crew.cto("evidence", "verify", "A", expect=1)
    missing = crew.cto("evidence", "verify", "A", "--attempt", "9", expect=1)
    assert "no evidence of attempt 9 at A" in missing.error


def test_exported_evidence_verifies_by_itself_and_against_the_ledger(crew: Crew) -> None:
    crew.land("A")
    crew.land("B")
    done = crew.cto("evidence", "export", "A", "out/a")
    assert "undo: delete out/a" in done.err
    crew.cto("evidence", "export", "B", "out/b")
    here = crew.path / "out" / "a"
    assert (here / "raw" / "stdout.log").is_file()
    outside = ("-C", "..", "evidence", "verify", "--dir", str(here))
    assert "by itself, is whole" in crew.cto(*outside).out
    assert crew.cto("evidence", "verify", "A", "--dir", "out/a").out.startswith("ok ")
    foreign = crew.cto("evidence", "verify", "A", "--dir", "out/b", "--json", expect=1)
    assert {"task", "execution", "nonce", "tree"} <= set(codes(foreign.out))
    plain = crew.cto("evidence", "verify", "A", "--dir", "out/b", expect=1).out
    assert "FALSE task: the evidence has task 'B', the ledger 'A'\n" in plain


def test_files_that_were_changed_linked_or_added_are_refused(crew: Crew) -> None:
    crew.land("A")

    def refused(name: str) -> list[str]:
        return codes(crew.cto("evidence", "verify", "--dir", name, "--json", expect=1).out)

    for name in ("changed", "linked", "added", "run", "pipe"):
        crew.cto("evidence", "export", "A", name)
    (crew.path / "changed" / "test.log").write_text("all green\n")
    assert refused("changed")[0] in {"larger", "smaller", "digest"}
    log = crew.path / "linked" / "test.log"
    log.rename(crew.path / "elsewhere")
    log.symlink_to(crew.path / "elsewhere")
    assert refused("linked") == ["symlink", "missing"]
    (crew.path / "added" / "raw" / "more.log").write_text("")
    assert refused("added") == ["extra"]
    (crew.path / "run" / "report.json").chmod(0o755)
    assert refused("run") == ["mode", "missing"]
    os.mkfifo(crew.path / "pipe" / "pipe")
    assert refused("pipe") == ["mode"]


def test_the_same_evidence_is_the_same_tar_file(crew: Crew) -> None:
    crew.land("A")
    for name in ("1.tar", "2.tar"):
        crew.cto("evidence", "export", "A", name)
    first, second = ((crew.path / name).read_bytes() for name in ("1.tar", "2.tar"))
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    with tarfile.open(crew.path / "1.tar") as tar:
        assert tar.getnames() == sorted(tar.getnames())
        assert "manifest.json" in tar.getnames()
        assert {(m.mtime, m.uid, m.mode) for m in tar.getmembers()} == {(0, 0, 0o644)}


@pytest.mark.parametrize("name", ["there", "there.tar"])
def test_nothing_is_exported_over_what_is_there(crew: Crew, name: str) -> None:
    crew.land("A")
    if name.endswith(".tar"):
        crew.write(name, "mine")
    else:
        (crew.path / name).mkdir()
    done = crew.cto("evidence", "export", "A", name, expect=2)
    assert "is there already" in done.error


def test_nothing_named_and_no_directory_are_said(crew: Crew) -> None:
    assert "nothing is named" in crew.cto("evidence", "verify", expect=2).error
    done = crew.cto("evidence", "verify", "--dir", "nowhere", expect=2)
    assert "is no directory" in done.error


def test_whose_signature_counts_is_asked_of_git(crew: Crew) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("there is no ssh-keygen")
    key = crew.home / "key"
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)]
    subprocess.run(argv, check=True)
    crew.write("policy.toml", f'{POLICY}[evidence]\nsigning_key = "~/key"\n')
    crew.land("A")
    told = crew.cto("evidence", "verify", "A", "--json", expect=1).out
    assert set(codes(told)) == {"signature"}
    allowed = crew.home / "allowed"
    allowed.write_text(f"ada@example.org {key.with_suffix('.pub').read_text()}")
    crew.git("config", "gpg.ssh.allowedSignersFile", "~/allowed")
    crew.cto("evidence", "verify", "A")
    crew.cto("evidence", "export", "A", "out")
    alone = ("evidence", "verify", "--dir", "out")
    assert set(codes(crew.cto(*alone, "--json", expect=1).out)) == {"signature"}
    crew.cto(*alone, "--allowed-signers", str(allowed))
