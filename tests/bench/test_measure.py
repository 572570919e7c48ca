"""What the benchmark frame says about numbers it is given."""

import os
from itertools import count
from pathlib import Path

import pytest

from bench.__main__ import BEGIN, END, benchmarks, table, write_page
from bench.measure import Row, Sample, cpu_seconds, interleaved


def test_cases_take_turns_after_a_warm_up() -> None:
    clock = count()
    samples = interleaved({"a": lambda: next(clock), "b": lambda: next(clock)}, rounds=2)
    assert samples == {"a": Sample((2, 4)), "b": Sample((3, 5))}


def test_a_row_knows_its_ratio_and_its_limits() -> None:
    row = Row(what="x", value=30, unit="ms", baseline=10, versus="y", limit=30, ratio_limit=3)
    assert (row.ratio, row.within) == (3, True)
    assert not Row(what="x", value=31, unit="ms", limit=30).within
    assert not Row(what="x", value=31, unit="ms", baseline=10, ratio_limit=3).within
    assert Row(what="x", value=31, unit="ms").ratio is None


def test_the_table_marks_what_is_over() -> None:
    rows = [
        Row(what="slow", value=31, unit="ms", baseline=10, versus="git", limit=30),
        Row(what="fast", value=1, unit="ms", limit=30),
    ]
    lines = table(rows).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == [
        *("slow", "31 ms", "10 ms (git)", "3.10 x", "30 ms", "over")
    ]
    assert "over" not in lines[3]


def test_only_the_marked_part_of_a_page_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_page("new", page)
    assert page.read_text(encoding="utf-8") == f"before\n{BEGIN}\n\nnew\n{END}\nafter\n"
    page.write_text("no markers", encoding="utf-8")
    with pytest.raises(SystemExit, match="lost its markers"):
        write_page("new", page)


def test_cpu_time_of_a_program_is_its_own(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"]}
    assert 0 <= cpu_seconds(("true",), tmp_path, env) < 1
    with pytest.raises(RuntimeError, match="false ended with 1"):
        cpu_seconds(("false",), tmp_path, env)


def test_every_benchmark_has_a_headline() -> None:
    found = benchmarks()
    assert "startup" in found
    assert all(module.__doc__ for module in found.values())
