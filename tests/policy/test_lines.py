from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from gitcto.policy.lines import line_index, line_of

TEXT = '''\
# a = 1
top = 1
"quoted key" = """
[not.a.table]
x = 1"""
literal = \'\'\'
[nor.this]\'\'\'

[a.b]  # comment ] =
list = [
  "one # no comment", # comment with "
  ']', """]
  """,
]
after = { c = 1, d = "}" }
e.f = 2
["x.y".'z']
k = "=\\\\" # end
[[many]]
n = 1
[[many]]
n = 2
[many.deep]
m = """""quoted"" """""
last = 3
'''


def test_every_key_is_found_where_it_stands():
    tomllib.loads(TEXT)
    index = line_index(TEXT)

    assert index["top",] == 2
    assert index["quoted key",] == 3
    assert index["literal",] == 6
    assert index["a", "b"] == 9
    assert index["a", "b", "list"] == 10
    assert index["a", "b", "after"] == 15
    assert index["a", "b", "e", "f"] == 16
    assert index["x.y", "z", "k"] == 18
    assert index["many", "0", "n"] == 20
    assert index["many", "1", "n"] == 22
    assert index["many", "1", "deep", "m"] == 24
    assert index["many", "1", "deep", "last"] == 25
    assert ("not", "a", "table") not in index
    assert ("nor", "this") not in index


def test_a_key_without_a_line_has_the_line_of_its_table():
    index = line_index(TEXT)
    assert line_of(index, ("a", "b", "after", "c")) == 15
    assert line_of(index, ("elsewhere", "x")) == 1


keys = st.text(st.sampled_from("ab.\"=[]#\\' é"), min_size=1, max_size=5)
values = st.one_of(
    st.integers(0, 9), st.text(st.sampled_from("a\"'#=[]{}\n\\"), max_size=8), st.booleans()
)


@given(st.dictionaries(keys, st.dictionaries(keys, values | st.lists(values), max_size=4)))
def test_the_index_agrees_with_the_parser(document):
    import tomlkit

    text = tomlkit.dumps(document)
    index = line_index(text)
    lines = text.splitlines()
    for table, pairs in tomllib.loads(text).items():
        for key in pairs:
            line = lines[index[table, key] - 1]
            assert list(tomllib.loads(_one(line))) == [key]


def _one(line: str) -> str:
    """Return the key of a line that may begin a value of many lines, with a value of its own."""
    for end in range(len(line)):
        try:
            tomllib.loads(line[: end + 1] + " = 0")
        except tomllib.TOMLDecodeError:
            continue
        if line[end + 1 :].lstrip().startswith("="):
            return line[: end + 1] + " = 0"
    raise AssertionError(line)
