"""The table in the documentation, the table in the code, and the attacks themselves agree."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

from gitcto.escape import program, table
from gitcto.escape.catalogue import ATTACKS
from gitcto.model.isolation import STRENGTH, Level

PAGE = Path(__file__).resolve().parents[2] / "docs/explanation/isolation.md"
MANY = 55


def test_the_page_says_what_the_code_expects() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert table.between_marks(page) == table.markdown(table.expected())
    assert f"{len(ATTACKS)} attacks" in page


def test_every_attack_is_in_the_table_once() -> None:
    written = [
        name
        for group in program.GROUPS
        for name, found in vars(importlib.import_module(f"gitcto.escape.attacks.{group}")).items()
        if inspect.isfunction(found) and found.__module__.endswith(group) and name[0] != "_"
    ]
    assert sorted(written) == sorted(attack.name for attack in ATTACKS)
    assert len(ATTACKS) >= MANY


def test_strict_is_expected_to_stop_all() -> None:
    assert {attack.expected("strict", 0) for attack in ATTACKS} == {"stopped"}


@pytest.mark.parametrize("abi", [3, 6])
def test_a_stronger_level_never_lets_more_through(abi: int) -> None:
    rank = {"stopped": 0, "noticed": 1, "open": 2}
    levels: list[Level] = sorted(table.LEVELS, key=lambda level: STRENGTH[level])
    for attack in ATTACKS:
        ranks = [rank[attack.expected(level, abi)] for level in levels]
        assert ranks == sorted(ranks, reverse=True), attack.name


def test_an_older_landlock_is_expected_to_hold_less() -> None:
    lost = {
        attack.name
        for attack in ATTACKS
        if attack.expected("landlock", 3) != attack.expected("landlock", 6)
    }
    assert lost == {"kill_sibling", "stop_sibling", "kill_supervisor", "freeze_supervisor"}


def test_a_rewritten_page_keeps_its_words() -> None:
    page = PAGE.read_text(encoding="utf-8")
    again = table.rewritten(page, "| a |\n")
    assert table.between_marks(again) == "| a |\n"
    assert table.rewritten(again, table.between_marks(page)) == page
