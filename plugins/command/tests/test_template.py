from __future__ import annotations

import pytest
from gitcto_command.template import fill

from gitcto.api import CtoError, ExitCode

KNOWN = {"task.id": "T-1", "task.title": "--version", "input.X": "a b;$(c)", "workspace": "/w"}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("plain", "plain"),
        ("{workspace}/{task.id}.md", "/w/T-1.md"),
        ("{input.X}", "a b;$(c)"),
        ("--title={task.title}", "--title=--version"),
        ("{{{task.id}}}", "{T-1}"),
        ("{{task.id}}", "{task.id}"),
        ("", ""),
    ],
)
def test_filling(template: str, filled: str) -> None:
    assert fill(template, KNOWN) == filled


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{nope}", "unknown placeholder {nope}"),
        ("{task}", "unknown placeholder {task}"),
        ("{task.__class__}", "unknown placeholder"),
        ("{input.Y}", "unknown placeholder {input.Y}"),
        ("{}", "unknown placeholder {}"),
        ("a } b", "lone '}'"),
        ("{task.id", "lone '{'"),
        ("{task.title}", "would become an option"),
    ],
)
def test_what_cannot_be_filled_is_refused(template: str, message: str) -> None:
    with pytest.raises(CtoError) as caught:
        fill(template, KNOWN)
    assert message in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == ExitCode.POLICY


def test_a_value_is_never_a_template() -> None:
    assert fill("{input.X}", {"input.X": "{workspace}", "workspace": "/w"}) == "{workspace}"


def test_a_nul_is_refused() -> None:
    with pytest.raises(CtoError, match="NUL"):
        fill("{input.X}", {"input.X": "a\0b"})
