"""The documents agree with the code and with each other."""

import importlib.util
import re
import sys
import tomllib
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from gitcto.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
FRAGMENT = re.compile(
    r"(?:[0-9]+|\+[a-z0-9-]+)\.(?:added|changed|deprecated|fixed|removed|security)\.md"
)


def documents() -> list[Path]:
    """Return every page a person may read."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changelog").glob("*.md")]
    return sorted([*pages, *(ROOT / "plugins").glob("*/README.md")])


def slug(heading: str) -> str:
    """Return the anchor that a heading gets."""
    words = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return words.replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Return the anchors of a page."""
    return {
        slug(line.lstrip("#")) for line in FENCE.sub("", text).splitlines() if line.startswith("#")
    }


def broken_links(page: Path) -> list[str]:
    """Return the links of a page into the repository that lead nowhere."""
    problems = []
    for match in LINK.finditer(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target = match[1] or match[2]
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        missing = not found.exists()
        if missing or (anchor and anchor not in anchors(found.read_text(encoding="utf-8"))):
            problems.append(target)
    return problems


def test_every_link_leads_somewhere() -> None:
    pages = documents()
    assert len(pages) > 12
    assert {str(page.relative_to(ROOT)): bad for page in pages if (bad := broken_links(page))} == {}


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A b\n[x](gone.md) [y](#a-b) [z](#a-c) [w](page.md#a-b)\n", encoding="utf-8")
    assert broken_links(page) == ["gone.md", "#a-c"]


def test_generated_pages_are_what_the_code_says() -> None:
    loader = SourceFileLoader("generate_docs", str(ROOT / "scripts" / "generate-docs"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec
    generate = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = generate  # dataclasses look their module up
    loader.exec_module(generate)
    assert [path.name for path in generate.stale()] == [], "run `make docs`"


def test_every_exit_code_is_explained_and_no_other() -> None:
    page = (ROOT / "docs/reference/exit-codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", page, re.MULTILINE)
    assert [(int(value), name) for value, name in rows] == [
        (code.value, code.name) for code in ExitCode
    ]


def test_changelog_fragments_are_named_by_the_rule() -> None:
    names = [path.name for path in (ROOT / "changelog").iterdir() if path.name != "README.md"]
    assert names
    assert [name for name in names if not FRAGMENT.fullmatch(name)] == []


@pytest.mark.parametrize("name", ["2.new.md", "added.md", "2.added.txt", "two.added.md"])
def test_a_misnamed_fragment_is_found(name: str) -> None:
    assert not FRAGMENT.fullmatch(name)


def policy_blocks() -> list[tuple[str, str]]:
    """Return every whole policy that a page shows."""
    found = []
    for page in documents():
        blocks = re.findall(
            r"^```toml policy\.toml\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
        found += [(str(page.relative_to(ROOT)), block) for block in blocks]
    return found


def test_every_policy_in_the_docs_is_one() -> None:
    from gitcto.policy.load import parse

    for where, block in policy_blocks():
        assert parse(block.encode(), where).digest


def test_every_toml_block_in_the_docs_parses() -> None:
    blocks = [
        block
        for page in documents()
        for block in re.findall(
            r"^```toml.*?\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
    ]
    assert blocks
    for block in blocks:
        tomllib.loads(block)
