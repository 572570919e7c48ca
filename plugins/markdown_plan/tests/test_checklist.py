from __future__ import annotations

from gitcto_markdown_plan.reader import MarkdownPlan

from gitcto.model.plan import validate

SPEC_KIT = """\
# Tasks: Login

**Input**: `- [ ] T998 [P] an example of the format`

## Format: `[ID] [P?] [Story] Description`

## Phase 1: Setup (Shared Infrastructure)

**Purpose**: Project initialization

- [X] T001 Create the structure
- [ ] T002 Initialise the project
- [ ] T003 [P] Configure the linter in .ruff.toml
- [ ] T004 [P] Configure the formatter

---

## Phase 2: Foundational

<!-- - [ ] T097 a sample
- [ ] T098 [P] another -->

- [ ] T005 Database schema
- [ ] T006 [P] [US1] Auth in src/auth.py, described at such length
      that the line goes on

  It must be fast:

  - [ ] check this
  - and that
- [ ] T007 [P] [US1] API (depends on T002, T001)

### Tests for User Story 1

- [ ] **T008** Last

```text
- [ ] T099 not a task
```

**Checkpoint**: done
"""


def read(text: str):
    plan = MarkdownPlan().read(text)
    assert plan.problems == ()
    assert [error for error in validate(plan.tasks, ()) if error.code != "duplicate"] == []
    return {task.id: task for task in plan.tasks}


def needs(text: str) -> dict[str, tuple[str, ...]]:
    return {name: task.depends_on for name, task in read(text).items()}


def test_spec_kit_phases_follow_each_other_and_p_runs_side_by_side():
    assert needs(SPEC_KIT) == {
        "T002": (),
        "T003": ("T002",),
        "T004": ("T002",),
        "T005": ("T003", "T004"),
        "T006": ("T005",),
        "T007": ("T005", "T002"),
        "T008": ("T006", "T007"),
    }


def test_two_phases_of_parallel_work_do_not_mix():
    text = "## Phase 1\n- [ ] T001 [P] a\n- [ ] T002 [P] b\n## Phase 2\n- [ ] T003 [P] c\n"
    assert needs(text)["T003"] == ("T001", "T002")


def test_without_phase_headings_chapters_are_the_phases():
    text = "## A\n- [ ] T001 [P] a\n### not a chapter\n- [ ] T002 [P] b\n## B\n- [ ] T003 [P] c\n"
    assert needs(text) == {"T001": (), "T002": (), "T003": ("T001", "T002")}


def test_what_is_said_below_an_item_becomes_its_prompt():
    task = read(SPEC_KIT)["T006"]

    assert task.title == "Auth in src/auth.py, described at such length that the line goes on"
    assert task.prompt == (
        "Auth in src/auth.py, described at such length that the line goes on\n\n"
        "It must be fast:\n\n- [ ] check this\n- and that\n\n"
        "Story: US1\n\n"
        "Part of: Tasks: Login > Phase 2: Foundational"
    )


def test_openspec_items_are_done_in_the_order_of_their_numbers():
    text = """\
## 1. Core
- [ ] 1.1 Add the contract
and its fields
- [x] 1.2 Keep the rest
## 2. Git
- [ ] 2.1 Load
  ```
  - [ ] 9.9 code
  ```
- [ ] 2.2. Hunks
"""
    assert needs(text) == {"1.1": (), "2.1": ("1.1",), "2.2": ("2.1",)}
    assert read(text)["1.1"].title == "Add the contract and its fields"
    assert "- [ ] 9.9 code" in read(text)["2.1"].prompt


def test_a_plain_list_has_no_order_and_a_numbered_list_has_one():
    text = """\
- [ ] Write docs
- [x] Done before
- [ ] Fix: the bug
1. [ ] first
2. [ ] second
# Elsewhere
1. [ ] third
"""
    assert needs(text) == {
        "write-docs": (),
        "fix-the-bug": (),
        "first": (),
        "second": ("first",),
        "third": (),
    }


def test_names_are_made_of_words_so_that_a_second_import_finds_them():
    text = "- [ ] Same\n- [ ] Same\n- [ ] 日本語\n- [ ] {}\n".format("many words " * 40)
    names = list(read(text))

    assert names[:2] == ["same", "same-2"]
    assert names[2].startswith("task-")
    assert len(names[3]) <= 48
    assert list(read("- [ ] new\n" + text))[1:] == names


def test_items_may_bring_a_name_and_name_what_they_wait_for():
    text = """\
- [ ] ABC-12: one (depends on **X-Y-3**, words)
- [ ] **X-Y-3** two
- [ ] [Z-9] three
- [ ] `W-1` four
- [ ] UTF-8 is no name
- [ ] [link](x) is no label
"""
    assert needs(text) == {
        "ABC-12": ("X-Y-3",),
        "X-Y-3": (),
        "Z-9": (),
        "W-1": (),
        "utf-8-is-no-name": (),
        "link-x-is-no-label": (),
    }


def test_an_item_with_named_items_in_it_is_a_heading_and_stands_for_them():
    text = """\
- [ ] 1. Set up
  - of the whole
  - [ ] 1.1 Create
    - _Requirements: 1.1_
  - [x] 1.2 Ready
  - [ ] 1.3 More
- [ ] 2. Next (depends on 1)
"""
    assert needs(text) == {"1.1": (), "1.3": ("1.1",), "2": ("1.3", "1.1")}
    assert read(text)["1.1"].prompt == "Create\n\n- _Requirements: 1.1_\n\nPart of: Set up"


def test_a_long_description_is_cut_for_the_title_only():
    text = "word " * 100
    [task] = read(f"- [ ] T001 {text}").values()

    assert len(task.title) <= 200
    assert task.title.endswith("…")
    assert task.prompt.startswith(text.strip())


def test_a_dependency_on_nothing_known_is_left_to_the_core_to_refuse():
    plan = MarkdownPlan().read("- [ ] T001 a (depends on T777)\n")
    assert [error.code for error in validate(plan.tasks, ())] == ["unknown_dependency"]


def test_an_item_without_words_is_a_problem():
    plan = MarkdownPlan().read("- [ ] T001 [P]\n- [ ] T002 x\n")
    assert [(p.line, p.message) for p in plan.problems] == [(1, "this item has no description")]
    assert [task.id for task in plan.tasks] == ["T002"]


def test_text_after_a_blank_line_at_the_margin_is_not_the_items():
    [task] = read("- [ ] Item\n\nparagraph\n\n  indented\n").values()
    assert task.prompt == "Item"


def test_windows_line_ends_and_tabs():
    assert needs("- [ ] T001 a\r\n\t- detail\r\n- [ ] T002 b\r\n") == {
        "T001": (),
        "T002": ("T001",),
    }
