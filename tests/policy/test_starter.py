from __future__ import annotations

import json
import re
from itertools import combinations

import pytest

from gitcto.policy.load import parse
from gitcto.policy.records import Policy
from gitcto.policy.starter import starter_policy

PYTEST = ("python3", "-m", "pytest", "-q", "--junitxml={scratch}/report.xml")
UNITTEST = ("python3", "-m", "unittest", "discover")
LANGUAGES = {
    "python": {"pyproject.toml": "[project]", "tests/test_a.py": ""},
    "node": {"package.json": '{"scripts": {"test": "jest"}}'},
    "go": {"go.mod": "module x"},
    "rust": {"Cargo.toml": ""},
    "make": {"Makefile": "test:\n\ttrue\n"},
}
ARGV = {
    "python": PYTEST,
    "node": ("npm", "test"),
    "go": ("go", "test", "./..."),
    "rust": ("cargo", "test"),
    "make": ("make", "test"),
}


def made(files: dict[str, str], *worker: str) -> Policy:
    return parse(starter_policy(files, files.get, worker).encode(), "policy.toml")


def commands(policy: Policy) -> dict[str, object]:
    return {
        name: gate.settings["argv"] for name, gate in policy.gates.items() if gate.plugin == "tests"
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_language_gets_the_gate_tests_in_every_tier(language):
    policy = made(LANGUAGES[language])

    assert commands(policy) == {"tests": ARGV[language]}
    assert set(policy.tiers.values()) == {("nonempty", "paths", "secrets", "tests")}


MIXES = [
    mix
    for size in range(2, len(LANGUAGES) + 1)
    for mix in combinations(LANGUAGES, size)
    if mix != ("make",)
]


@pytest.mark.parametrize("mix", MIXES, ids="+".join)
def test_every_mix_of_languages_parses_and_tests_each(mix):
    files = {path: text for language in mix for path, text in LANGUAGES[language].items()}
    policy = made(files)

    tested = [language for language in mix if language != "make"]
    names = [f"tests-{each}" for each in tested] if len(tested) > 1 else ["tests"]
    assert commands(policy) == dict(zip(names, (ARGV[each] for each in tested), strict=True))
    assert set(policy.tiers.values()) == {("nonempty", "paths", "secrets", *names)}


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"README.md": ""},
        {"package.json": "{"},
        {"package.json": "[" * 100_000},
        {"package.json": '{"scripts": {"test": 3}}'},
        {"package.json": json.dumps({"scripts": {"test": 'echo "Error: no test specified"'}})},
        {"Makefile": "test := 3\ntests:\n"},
        {"sub/go.mod": "", "sub/a.py": ""},
    ],
)
def test_without_a_test_command_every_tier_refuses_and_the_text_says_so(files):
    text = starter_policy(files, files.get)
    policy = parse(text.encode(), "policy.toml")

    assert policy.tiers == {"P0": (), "P1": (), "P2": ()}
    assert "NOTHING can be dispatched or landed" in text


@pytest.mark.parametrize(
    ("files", "argv"),
    [
        ({"setup.py": "", "pkg/a.py": ""}, UNITTEST),
        ({"script.py": ""}, UNITTEST),
        ({"setup.py": "", "pytest.ini": ""}, PYTEST),
        ({"setup.py": "", "conftest.py": ""}, PYTEST),
        ({"pyproject.toml": "[tool.pytest.ini_options]"}, PYTEST),
        ({"setup.cfg": "[tool:pytest]"}, PYTEST),
        ({"setup.cfg": "[metadata]"}, UNITTEST),
        ({"setup.py": "", "tox.ini": "[pytest]"}, PYTEST),
    ],
)
def test_python_is_tested_by_pytest_when_it_is_used(files, argv):
    assert commands(made(files)) == {"tests": argv}


def test_a_tracked_file_that_cannot_be_read_is_no_obstacle():
    text = starter_policy(["pyproject.toml", "package.json", "Makefile"], lambda _: None)
    assert commands(parse(text.encode(), "p")) == {"tests": UNITTEST}


def test_the_worker_is_what_it_was_told():
    policy = made({}, "agent", '--say="hé\x7f\n"', "{prompt_file}")

    worker = policy.providers[policy.roles["developer"].provider]
    assert worker.plugin == "command"
    assert worker.settings == {"argv": ("agent", '--say="hé\x7f\n"', "{prompt_file}")}


def test_the_starter_protects_what_a_policy_without_scope_would():
    assert made({}).protected_paths == parse(b"version = 1", "p").protected_paths


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_examples_in_its_comments_are_valid_too(language):
    text = starter_policy(LANGUAGES[language], LANGUAGES[language].get)
    text = re.sub(r"^gates = .*\n(# gates = )", r"\1", text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^# (\[[\w.-]+\]|\w+ = )", r"\1", text, flags=re.MULTILINE)
    policy = parse(text.encode(), "policy.toml")

    assert policy.tiers["P0"] == (*policy.tiers["P1"], "diff-size", "review")
    assert policy.approvals["P0"].count == 1
    assert policy.gates["review"].settings["argv"][1:] == ("{request}", "{patch}", "{answer}")
    assert policy.gates["secrets"].settings["allow"]


@pytest.mark.parametrize("files", [LANGUAGES["python"], {"setup.py": ""}])
def test_the_gate_takes_what_the_starter_writes(files):
    from gitcto_tests.settings import read

    settings = read(made(files).gates["tests"].settings)
    assert settings.reports or settings.count
