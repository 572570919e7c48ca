from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from gitcto.cli.output import Output, shorten, visible, width

if TYPE_CHECKING:
    from tests.cli.conftest import Room


def table(output: Output, *rows: tuple[str, ...]) -> list[str]:
    with CliRunner().isolation() as (out, _err, _both):
        output.table(("A", "B"), rows)
        return out.getvalue().decode().splitlines()


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [("\x1b[2J", "\\x1b[2J"), ("a\nb", "a\\nb"), ("\u202egpj", "\\u202egpj"), ("é", "é")],
)
def test_text_of_strangers_cannot_steer_a_terminal(hostile: str, shown: str) -> None:
    assert visible(hostile) == shown


def test_a_name_that_is_not_unicode_can_be_written() -> None:
    assert visible(b"caf\xe9".decode(errors="surrogateescape")) == "caf\\udce9"


def test_columns_line_up_by_cells_not_by_characters(room: Room) -> None:
    assert table(Output(room.host()), ("表", "x"), ("e\u0301", "y")) == [
        "A   B",
        "表  x",
        "e\u0301   y",
    ]


def test_a_terminal_cuts_the_last_column_and_a_pipe_does_not(room: Room) -> None:
    row = ("a", "b" * 40)
    assert table(Output(room.host(columns=20, stdout_tty=True)), row)[1] == f"a  {'b' * 16}…"
    assert table(Output(room.host(columns=20)), row)[1] == f"a  {'b' * 40}"


def test_cutting_counts_wide_characters() -> None:
    assert shorten("表表表", 4) == "表…"
    assert width("表…") == 3


@pytest.mark.parametrize(
    ("choice", "environ", "tty", "colored"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {}, True, False),
    ],
)
def test_color_goes_by_option_then_environment_then_terminal(
    room: Room, choice: str, environ: dict[str, str], *, tty: bool, colored: bool
) -> None:
    output = Output(room.host(environ=environ, stdout_tty=tty), choice)  # type: ignore[arg-type]
    assert output.color_out is colored
