"""A clone that fetches refs/cto knows what the first repository knows, and can prove it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.breaks("S10")  # the clone has no branch of its own
def test_status_log_and_proof_are_the_same_elsewhere(tmp_path: Path, shop: Any) -> None:
    shop.run()
    elsewhere = tmp_path / "elsewhere"
    shop.git("clone", "-q", "--no-local", str(shop.path), str(elsewhere))
    shop.git("-C", str(elsewhere), "fetch", "-q", "origin", "refs/cto/*:refs/cto/*")
    commands = [("status",), ("log",), ("log", "--json"), ("show", "MONEY")]
    commands += [("evidence", "verify", task) for task in ("CART", "EXPORT-TEXT", "RECEIPT")]
    for words in commands:
        here, there = shop.cto(*words), shop.cto(*words, directory=elsewhere)
        assert here.returncode == there.returncode == 0, there.stderr
        assert there.stdout == here.stdout
        assert here.stdout


@pytest.mark.breaks("S10")  # the clone has no branch of its own
def test_a_proof_fails_where_the_landed_branch_was_not_fetched(tmp_path: Path, shop: Any) -> None:
    shop.run()
    elsewhere = tmp_path / "elsewhere"
    shop.git("clone", "-q", "--no-local", "--single-branch", str(shop.path), str(elsewhere))
    shop.git("-C", str(elsewhere), "fetch", "-q", "origin", "refs/cto/*:refs/cto/*")
    proof = shop.cto("evidence", "verify", "CART", directory=elsewhere)
    assert proof.returncode == 1
    assert "FALSE" in proof.stdout


@pytest.mark.breaks("S7", "S10")  # the clone has no branch of its own
def test_a_rewritten_ledger_is_refused_elsewhere(tmp_path: Path, shop: Any) -> None:
    shop.run()
    ref = "refs/cto/teams/main/ledger"
    raw = shop.call("git", "cat-file", "commit", ref).stdout
    forged = tmp_path / "forged"
    elsewhere = tmp_path / "elsewhere"
    shop.git("clone", "-q", "--no-local", str(shop.path), str(elsewhere))
    child = shop.git("rev-parse", f"{ref}~1")
    text = shop.call("git", "cat-file", "commit", child).stdout
    forged.write_text(text.replace('"actor":"', '"actor":"not-', 1))
    bad = shop.git("hash-object", "-t", "commit", "-w", str(forged))
    forged.write_text(raw.replace(f"parent {child}", f"parent {bad}"))
    tip = shop.git("hash-object", "-t", "commit", "-w", str(forged))
    shop.git("push", "-q", str(elsewhere), f"{tip}:{ref}")
    proof = shop.cto("evidence", "verify", "CART", directory=elsewhere)
    assert proof.returncode == 128
    assert "breaks the hash chain" in proof.stderr
    assert proof.stderr.count("\n") == 2
