"""Every policy and plan in the documents is read by our own parsers."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from gitcto.model.plan import validate
from gitcto.policy.load import load, parse
from gitcto.policy.problems import PolicyError
from gitcto.policy.sections import DEFAULT_PROTECTED, DEFAULT_TARGET

ROOT = Path(__file__).resolve().parents[2]
POLICY_PAGE = ROOT / "docs/reference/policy.md"
PLANS_PAGE = ROOT / "docs/reference/plans.md"
BLOCK = re.compile(r"^```([a-z-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    chosen = [text for tag, text in found if tag == language]
    assert chosen
    return chosen


def policies() -> list[tuple[str, str]]:
    """Return the policies of every page: TOML blocks that begin with a version."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return [
        (page.name, text)
        for page in sorted(pages)
        for tag, text in BLOCK.findall(page.read_text(encoding="utf-8"))
        if tag == "toml" and "[[task]]" not in text
    ]


@pytest.mark.parametrize(("page", "text"), policies())
def test_every_policy_in_the_documents_is_valid(page, text):
    parse(text.encode(), page)


def test_the_reference_has_policies_to_check():
    assert len(blocks(POLICY_PAGE, "toml")) >= 6


def test_the_errors_shown_are_the_errors_given():
    [text] = blocks(POLICY_PAGE, "toml-with-errors")
    [shown] = blocks(POLICY_PAGE, "text")
    with pytest.raises(PolicyError) as caught:
        parse(text.encode(), "policy.toml")
    assert caught.value.message.splitlines() == shown.splitlines()


def test_the_table_of_keys_names_every_default():
    page = POLICY_PAGE.read_text(encoding="utf-8")
    bare = parse(b"version = 1", "p")
    rows = dict(re.findall(r"^\|[^|]*\| `(\w+)` \| `([^`]*)` \|", page, re.MULTILINE))
    assert rows["target"] == f'"{DEFAULT_TARGET}"'
    assert int(rows["max_workers"]) == bare.max_workers
    assert int(rows["lease_s"]) == bare.lease_s
    for field in fields(bare.limits):
        if field.name != "disk_mib":  # a key of two sections
            assert int(rows[field.name]) == getattr(bare.limits, field.name)
    assert f"`disk_mib` | `{bare.limits.disk_mib}`" in page
    assert f"`disk_mib` | `{bare.rooms.disk_mib}`" in page
    for name in ("pool", "ports", "free_mib", "max_age_days"):
        assert int(rows[name]) == getattr(bare.rooms, name)
    assert int(rows["deadline_s"]) == bare.rooms.setup.deadline_s
    assert rows["use"] == json.dumps(bare.sandbox.use)
    assert rows["outside"] == json.dumps(bare.sandbox.outside)
    for name in ("max_attempts", "conflict"):
        assert int(rows[name]) == getattr(bare.retries, name)
    assert all(f"`{path}`" in page for path in DEFAULT_PROTECTED)


def test_our_own_policy_is_valid_and_shows_every_key():
    policy = load(ROOT / "policy.toml")
    assert all(policy.tiers.values())
    text = policy.text.decode()
    page = POLICY_PAGE.read_text(encoding="utf-8")
    for key in re.findall(r"^\|[^|]*\| `(\w+)` \|", page, re.MULTILINE):
        assert re.search(rf"^{key} = ", text, re.MULTILINE), key


def test_our_own_policy_states_the_defaults_it_claims():
    ours, bare = load(ROOT / "policy.toml"), parse(b"version = 1", "p")
    same = (
        "target_template",
        "max_workers",
        "lease_s",
        "limits",
        "retries",
        "rooms",
        "sandbox",
        "eligibility",
    )
    for name in (*same, "default_paths", "merge_resolvers"):
        assert getattr(ours, name) == getattr(bare, name), name
    assert set(bare.protected_paths) < set(ours.protected_paths)


def test_every_plan_in_the_documents_is_read_and_valid():
    reader = pytest.importorskip("gitcto_toml_plan.reader").TomlPlan()
    for text in blocks(PLANS_PAGE, "toml"):
        plan = reader.read(text)
        assert plan.problems == ()
        assert validate(plan.tasks, ()) == []


def test_markdown_plans_in_the_documents_give_the_tasks_the_page_speaks_of():
    reader = pytest.importorskip("gitcto_markdown_plan.reader").MarkdownPlan()
    needs: dict[str, tuple[str, ...]] = {}
    for text in blocks(PLANS_PAGE, "markdown"):
        plan = reader.read(text)
        assert plan.problems == ()
        assert validate(plan.tasks, ()) == []
        needs |= {task.id: task.depends_on for task in plan.tasks}
    assert needs == {
        "write-the-announcement": (),
        "REL-7": ("REL-8",),
        "REL-8": (),
        "T001": (),
        "T002": ("T001",),
        "T003": ("T001",),
        "T004": ("T002", "T003"),
        "T005": ("T002", "T003"),
        "T006": ("T004", "T005"),
        "1.1": (),
        "1.2": ("1.1",),
        "2.1": ("1.2",),
        "APP-001": (),
        "APP-002": ("APP-001",),
    }
