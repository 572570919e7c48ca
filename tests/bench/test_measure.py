"""What the benchmark frame says about numbers it is given."""

import os
from itertools import count
from pathlib import Path

import pytest

from bench.__main__ import BEGIN, END, benchmarks, main, number, table, write_page
from bench.measure import Cost, Effort, Row, cost_of, cpu_s, interleaved, p95, program, wall_s


def test_cases_take_turns_after_a_warm_up() -> None:
    clock = count()
    values = interleaved({"a": lambda: next(clock), "b": lambda: next(clock)}, rounds=2)
    assert values == {"a": [2, 4], "b": [3, 5]}


def test_an_effort_scales_sizes_but_never_to_nothing() -> None:
    assert Effort(rounds=20).size(10_000) == 10_000
    assert Effort(rounds=3, share=0.01).size(10_000) == 100
    assert Effort(rounds=3, share=0.01).size(10, least=2) == 2
    assert (Effort(rounds=3).turns(5), Effort(rounds=20).turns(5)) == (3, 5)


def test_medians_are_of_the_middle_and_p95_of_the_end() -> None:
    costs = [Cost(1, 30), Cost(9, 10), Cost(2, 20)]
    assert (wall_s(costs), cpu_s(costs)) == (2, 20)
    assert p95([5.0]) == 5.0
    assert p95([float(n) for n in range(101)]) == 95


def test_the_cost_of_many_is_that_of_one(tmp_path: Path) -> None:
    def burn() -> None:
        program(("sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"), tmp_path, ENV)

    whole, one = cost_of(burn), cost_of(burn, times=1000)
    assert 0 < one.cpu_s < whole.cpu_s
    assert 0 < one.wall_s < whole.wall_s


def test_a_row_knows_its_ratio_and_its_limits() -> None:
    row = Row(what="x", value=30, unit="ms", baseline=10, versus="y", limit=30, ratio_limit=3)
    assert (row.ratio, row.within) == (3, True)
    assert Row(what="x", value=31, unit="ms", limit=30).within is False
    assert Row(what="x", value=31, unit="ms", baseline=10, ratio_limit=3).within is False
    assert Row(what="x", value=31, unit="ms").ratio is None
    assert Row(what="x", value=31, unit="ms").within is None


def test_the_table_says_which_goals_are_met() -> None:
    rows = [
        Row(what="slow", value=31, unit="ms", baseline=10, versus="git", limit=30),
        Row(what="fast", value=1, unit="ms", limit=30),
        Row(what="free", value=1, unit="ms"),
    ]
    lines = table(rows).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == [
        *("slow", "31 ms", "10 ms (git)", "3.10 x", "<= 30 ms", "**no**")
    ]
    assert [line.split("|")[-2].strip() for line in lines[3:]] == ["yes", ""]


def test_numbers_have_three_digits_and_no_exponent() -> None:
    assert [number(n) for n in (1234567.8, 123.4, 1.2345, 0.012345, 0)] == [
        *("1234568", "123", "1.23", "0.0123", "0")
    ]


def test_only_the_marked_part_of_a_page_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_page("new", page)
    assert page.read_text(encoding="utf-8") == f"before\n{BEGIN}\n\nnew\n{END}\nafter\n"
    page.write_text("no markers", encoding="utf-8")
    with pytest.raises(SystemExit, match="lost its markers"):
        write_page("new", page)


ENV = {"PATH": os.environ["PATH"]}


def test_the_cost_of_a_program_is_its_own(tmp_path: Path) -> None:
    cost = program(("true",), tmp_path, ENV)
    assert 0 <= cost.cpu_s < 1
    with pytest.raises(RuntimeError, match="false ended with 1"):
        program(("false",), tmp_path, ENV)


def test_every_benchmark_has_a_headline() -> None:
    found = benchmarks()
    assert {"startup", "schedule"} <= set(found)
    assert all(module.__doc__ for module in found.values())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nonsense"], "no benchmark 'nonsense'"),
        (["--write", "startup"], "needs all benchmarks"),
        (["--write", "--quick"], "at full size"),
    ],
)
def test_the_page_is_never_half_a_run(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert complaint in capsys.readouterr().err
