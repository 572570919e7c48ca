"""Small modules, short functions, and a docstring for everything public."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE_LINES = 300
FUNCTION_LINES = 40
Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> list[Path]:
    """Return the Python files that the rules hold for: all but tests."""
    found = [
        ROOT / "conftest.py",
        *(ROOT / "bench").rglob("*.py"),
        *(ROOT / "gitcto").rglob("*.py"),
    ]
    found += (ROOT / "plugins").glob("*/gitcto_*/**/*.py")
    found += (path for path in (ROOT / "scripts").iterdir() if _is_python(path))
    return sorted(found)


def _is_python(path: Path) -> bool:
    return path.is_file() and "python" in path.read_text(encoding="utf-8").partition("\n")[0]


def too_long(source: str) -> list[str]:
    """Return what is longer than the house allows; a function's docstring does not count."""
    lines = len(source.splitlines())
    problems = [f"{lines} lines"] if lines > MODULE_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            length = _last_line(node) - node.lineno + 1 - _docstring_lines(node)
            if length > FUNCTION_LINES:
                problems.append(f"{node.name}: {length} lines")
    return problems


def _last_line(node: Function) -> int:
    return node.end_lineno or node.lineno


def _docstring_lines(node: Function) -> int:
    if ast.get_docstring(node) is None:
        return 0
    first = node.body[0]
    return (first.end_lineno or first.lineno) - first.lineno + 1


def undocumented(source: str) -> list[str]:
    """Return the public names without a docstring; what a class inherits is documented there."""
    tree = ast.parse(source)
    missing = [] if ast.get_docstring(tree) else ["module"]
    return missing + [name for name, node in _public(tree, "") if ast.get_docstring(node) is None]


def _public(
    parent: ast.Module | ast.ClassDef, prefix: str
) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    for node in parent.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        marks = {ast.unparse(mark).rpartition(".")[2] for mark in node.decorator_list}
        if not marks & {"override", "overload"}:
            yield prefix + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from _public(node, f"{prefix}{node.name}.")


@pytest.mark.parametrize("rule", [too_long, undocumented])
def test_every_source_keeps_the_rules(rule) -> None:
    problems = {
        str(path.relative_to(ROOT)): found
        for path in sources()
        if (found := rule(path.read_text(encoding="utf-8")))
    }
    assert problems == {}


def test_long_modules_and_functions_are_found() -> None:
    body = "    x = 1\n" * FUNCTION_LINES
    assert too_long("x = 1\n" * MODULE_LINES) == []
    assert too_long("x = 1\n" * (MODULE_LINES + 1)) == ["301 lines"]
    assert too_long(f"def f():\n{body}") == ["f: 41 lines"]
    assert too_long(f"class C:\n    async def f(self):\n{body.replace('    ', '        ')}")
    assert too_long(f'def f():\n    """One.\n\n    Two.\n    """\n{body[:-10]}') == []


def test_missing_docstrings_are_found() -> None:
    assert undocumented("x = 1") == ["module"]
    methods = "    def f(self): ...\n    def _g(self): ..."
    source = f'"""M."""\nclass C:\n    """C."""\n{methods}\ndef h(): ...'
    assert undocumented(source) == ["C.f", "h"]
    inherited = '"""M."""\nclass C(B):\n    """C."""\n    @typing.override\n    def f(self): ...'
    assert undocumented(inherited) == []
