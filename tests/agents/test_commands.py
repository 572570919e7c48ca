"""Command templates are data, and anything that is not meant is an error."""

from __future__ import annotations

import pytest

from gitcto.api import CtoError, read_commands

TEMPLATES = """
[run]
argv = [
  "{program:path}", "exec", "--dir={workspace:path}", "-m", "{model:word}",
  { when = "session", argv = ["--resume", "{session:id}"] },
  { unless = "edits", argv = ["--read-only"] },
  "--", "{prompt:text}",
]
[version]
argv = ["{program:path}", "--json={{}}"]
"""
GIVEN = {"program": "/bin/x", "workspace": "/w", "model": "m-1", "session": "s1", "prompt": "-a\nb"}


def test_filling() -> None:
    commands = read_commands(TEMPLATES, who="provider x")
    assert commands["run"].fill(GIVEN, {"edits"}) == (
        *("/bin/x", "exec", "--dir=/w", "-m", "m-1", "--resume", "s1", "--", "-a\nb"),
    )
    without = commands["run"].fill({**GIVEN, "session": ""})
    assert "--read-only" in without
    assert "--resume" not in without
    assert commands["version"].fill({"program": "/bin/x"}) == ("/bin/x", "--json={}")


@pytest.mark.parametrize(
    ("change", "words", "message"),
    [
        ({"model": "-rf"}, (), "{model:word} is '-rf'"),
        ({"model": "a b"}, (), "{model:word} is 'a b'"),
        ({"model": ""}, (), "{model:word} is not given"),
        ({"workspace": "w"}, (), "{workspace:path} is 'w'"),
        ({"session": "../x"}, (), "{session:id} is '../x'"),
        ({"session": "--last"}, (), "{session:id} is '--last'"),
        ({"prompt": "a\0b"}, (), "{prompt:text}"),
        ({"more": "x"}, (), "no place for the value 'more'"),
        ({}, ("fast",), "no place for the word 'fast'"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, str], words, message: str) -> None:
    with pytest.raises(CtoError) as caught:
        read_commands(TEMPLATES, who="provider x")["run"].fill(GIVEN | change, {"edits", *words})
    assert message in caught.value.message
    assert caught.value.message.startswith("provider x: ")
    assert caught.value.hint


def test_a_text_never_becomes_an_option() -> None:
    bare = read_commands('[run]\nargv = ["x", "{prompt:text}"]', who="p")["run"]
    assert bare.fill({"prompt": "fine"}) == ("x", "fine")
    with pytest.raises(CtoError, match="would become an option"):
        bare.fill({"prompt": "--yolo"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("argv = 1", "must be a table"),
        ("[run", "not TOML"),
        ("[run]\nargv = []", "is empty"),
        ('[run]\nargv = "sh -c x"', "argv must be a list"),
        ('[run]\nargv = ["x", 1]', "a part is a text"),
        ('[run]\nargv = ["{x}"]', "no valid placeholder"),
        ('[run]\nargv = ["{x:shell}"]', "no valid placeholder"),
        ('[run]\nargv = ["{x:word"]', "no valid placeholder"),
        ('[run]\nargv = ["x"]\nshell = true', "argv and nothing else"),
        ('[run]\nargv = [{ when = "a", unless = "b", argv = ["x"] }]', "one of when and unless"),
        ('[run]\nargv = [{ when = "a" }]', "one of when and unless"),
        ('[run]\nargv = [{ when = "A b", argv = ["x"] }]', "is not a word"),
        ('[run]\nargv = [{ when = "a", argv = [["x"]] }]', "is no argument"),
    ],
)
def test_templates_are_read_strictly(text: str, message: str) -> None:
    with pytest.raises(CtoError, match=message):
        read_commands(text, who="provider x")
