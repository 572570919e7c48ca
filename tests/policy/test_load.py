from __future__ import annotations

import hashlib

import pytest

from gitcto.errors import ExitCode
from gitcto.policy.document import MAX_BYTES
from gitcto.policy.load import load, parse
from gitcto.policy.problems import PolicyError

FULL = b"""\
version = 1
target = "land/{team}"

[concurrency]
max_workers = 6
lease_s = 60

[limits]
wall_s = 100
idle_s = 10
output_mib = 8

[retries]
max_attempts = 2
conflict = 1

[workspace]
plugin = "worktree"

[scope]
protected = ["policy.toml"]
allowed = ["src/**"]

[roles.developer]
provider = "fast"

[roles.careful]
provider = "fast"
workspace = "clone"

[providers.fast]
plugin = "command"
argv = ["tool", "--go"]
retries = 2
env = { A = "b" }

[gates.tests]
argv = ["make", "test"]
deadline_s = 30

[gates.style]
plugin = "commit-format"

[gates.paths]

[tiers.P0]
gates = ["tests", "paths", "style"]

[tiers.P1]
gates = ["tests", "paths"]

[merge]
resolvers = ["git-merge", "other"]

[plugins]
required = { tests = ">=0.1, <2" }
"""


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse(text.encode(), "policy.toml")
    assert caught.value.exit_code is ExitCode.POLICY
    assert caught.value.message.splitlines() == [str(p) for p in caught.value.problems]
    return caught.value.message.splitlines()


def test_every_section_is_read():
    policy = parse(FULL, "policy.toml")

    assert policy.digest == hashlib.sha256(FULL).hexdigest()
    assert policy.text == FULL
    assert policy.target("alpha") == "refs/heads/land/alpha"
    assert (policy.max_workers, policy.lease_s) == (6, 60)
    assert (policy.limits.wall_s, policy.limits.idle_s, policy.limits.output_mib) == (100, 10, 8)
    assert (policy.retries.max_attempts, policy.retries.conflict) == (2, 1)
    assert policy.rooms.plugin == "worktree"
    assert policy.protected_paths == ("policy.toml",)
    assert policy.default_paths == ("src/**",)
    assert policy.merge_resolvers == ("git-merge", "other")
    assert policy.required_plugins == {"tests": ">=0.1, <2"}
    assert policy.tiers == {"P0": ("tests", "paths", "style"), "P1": ("tests", "paths"), "P2": ()}


ROOMS = """\
version = 1
[sandbox]
use = ["strict", "landlock"]
network = ["api.example.com:443", "*.example.org:8443"]
reads = ["~/.nvm", "/opt/tools"]
outside = "refuse"
[workspace]
plugin = "worktree"
pool = 2
sparse = true
ports = 3
finish = ["make", "format"]
disk_mib = 100
free_mib = 0
max_age_days = 1
preserve_ignored = ["*.log"]
[workspace.setup]
argv = ["npm", "ci"]
keyed_by = ["package-lock.json"]
keeps = ["node_modules"]
deadline_s = 60
[limits]
memory_mib = 64
processes = 4
file_mib = 1
disk_mib = 2
output_lines = 100
"""


def test_rooms_and_what_keeps_workers_in_them_are_read():
    policy = parse(ROOMS.encode(), "policy.toml")

    sandbox, rooms, limits = policy.sandbox, policy.rooms, policy.limits
    assert sandbox.use == ("strict", "landlock")
    assert sandbox.network == ("api.example.com:443", "*.example.org:8443")
    assert (sandbox.reads, sandbox.outside) == (("~/.nvm", "/opt/tools"), "refuse")
    assert (rooms.plugin, rooms.pool, rooms.sparse, rooms.ports) == ("worktree", 2, True, 3)
    assert (rooms.disk_mib, rooms.free_mib, rooms.max_age_days) == (100, 0, 1)
    assert (rooms.finish, rooms.preserve_ignored) == (("make", "format"), ("*.log",))
    assert (rooms.setup.argv, rooms.setup.deadline_s) == (("npm", "ci"), 60)
    assert (rooms.setup.keyed_by, rooms.setup.keeps) == (("package-lock.json",), ("node_modules",))
    assert (limits.memory_mib, limits.processes, limits.output_lines) == (64, 4, 100)
    assert (limits.file_mib, limits.disk_mib) == (1, 2)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[sandbox]\nuse = []", 'must name at least one; "none" is one'),
        ('[sandbox]\noutside = "ignore"', 'give "tell" or "refuse"'),
        ('[sandbox]\nnetwork = ["example.com"]', "give a host and a port"),
        ('[sandbox]\nreads = ["relative"]', "give an absolute path"),
        ('[sandbox]\nreads = ["~/../etc"]', "give an absolute path"),
        ("[workspace]\npool = 7", '"pool" must be 0 to 6'),
        ('[workspace]\nsparse = "yes"', '"sparse" must be true or false'),
        ('[workspace.setup]\nargv = ["x"]\nkeeps = ["y"]', "belong together"),
        ('[workspace.setup]\nkeeps = ["../y"]', "give a path inside the workspace"),
        ('[tiers.P0]\nsandbox = "perfect"', "the levels are none, detect"),
    ],
)
def test_what_rooms_cannot_be_is_said(text, complaint):
    [problem] = problems(f"version = 1\n{text}\n")
    assert complaint in problem


def test_roles_take_the_default_workspace_unless_they_name_one():
    policy = parse(FULL, "policy.toml")

    assert policy.roles["developer"].workspace == "worktree"
    assert policy.roles["careful"].workspace == "clone"


def test_a_plugins_own_settings_pass_through_frozen():
    policy = parse(FULL, "policy.toml")

    fast = policy.providers["fast"]
    assert fast.plugin == "command"
    assert fast.settings == {"argv": ("tool", "--go"), "retries": 2, "env": {"A": "b"}}
    with pytest.raises(TypeError):
        fast.settings["command"] = ()
    assert policy.gates["tests"].plugin == "tests"
    assert policy.gates["tests"].deadline_s == 30
    assert policy.gates["tests"].settings == {"argv": ("make", "test")}
    assert policy.gates["style"].deadline_s is None


def test_the_smallest_policy_protects_itself_and_lands_nothing():
    policy = parse(b"version = 1\n", "policy.toml")

    assert policy.target("t") == "refs/heads/cto/t/integration"
    assert "policy.toml" in policy.protected_paths
    assert policy.tiers == {"P0": (), "P1": (), "P2": ()}
    assert policy.roles == {}
    assert policy.merge_resolvers == ("git-merge",)


def test_all_errors_come_at_once_in_the_order_of_the_file():
    assert problems("""\
version = 1
[gatess]
[gates.tests]
deadline = 3
argv = ["x",
  "y"]
[concurrency]
max_workers = 7
[roles.dev]
provider = "fak"
[providers.fake]
[tiers.P1]
gates = ["test"]
""") == [
        'policy.toml:2: unknown section "gatess", did you mean "gates"?',
        'policy.toml:4: [gates.tests] unknown key "deadline", did you mean "deadline_s"?',
        'policy.toml:8: [concurrency] "max_workers" must be 1 to 6, not 7',
        (
            'policy.toml:10: [roles.dev] "provider" names "fak", which is not defined,'
            ' did you mean "fake"?'
        ),
        (
            'policy.toml:13: [tiers.P1] "gates" names "test", which is not defined,'
            ' did you mean "tests"?'
        ),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 'policy.toml:1: "version" is missing: begin the file with version = 1'),
        ("version = 2", 'policy.toml:1: "version" must be 1, not 2'),
        ("version = true", 'policy.toml:1: "version" must be 1, not True'),
        ("version = 1\nroles = 3", 'policy.toml:2: "roles" must be a table, written [roles]'),
        (
            "version = 1\n[limits]\nwall_s = '1'",
            'policy.toml:3: [limits] "wall_s" must be a whole number, not a string',
        ),
        (
            "version = 1\n[limits]\nwall_s = true",
            'policy.toml:3: [limits] "wall_s" must be a whole number, not a boolean',
        ),
        ("version = 1\n[limits]\nidle_s = 0", 'policy.toml:3: [limits] "idle_s" must be 1 to'),
        (
            "version = 1\n[roles.dev]\nproviders = []",
            'policy.toml:3: [roles.dev] "providers" must name at least one, or not be there',
        ),
        ('version = 1\n[roles."A b"]\nprovider="x"', 'policy.toml:2: [roles] "A b": names are'),
        ("version = 1\n[gates.t]\nplugin = '../x'", 'policy.toml:3: [gates.t] "plugin": names'),
        ("version = 1\n[gates.t]\nwhen = 2020-01-01", 'policy.toml:3: [gates.t] "when" must be a'),
        ("version = 1\n[gates.t]\nx = nan", 'policy.toml:3: [gates.t] "x" must be a'),
        ("version = 1\n[gates.t]\nx = [[1]]", 'policy.toml:3: [gates.t] "x" must be a'),
        ("version = 1\n[tiers.P3]", 'policy.toml:2: [tiers] unknown key "P3"'),
        ("version = 1\n[tiers.P1]\ngates = 'tests'", "must be a list of strings, not a string"),
        ("version = 1\n[tiers.P1]\ngates = [3]", "must hold strings only, not a whole number"),
        ("version = 1\n[gates.a]\n[tiers.P1]\ngates = ['a','a']", '"a": it is named twice'),
        ("version = 1\n[merge]\nresolvers = []", '"resolvers" must name at least one'),
        ("version = 1\n[plugins]\nrequired = {tests = 'new'}", 'a version range looks like ">=0.1'),
        ("version = 1\n[plugins]\nrequired = 3", "must be a list of strings, not a whole number"),
        ("version = 1\n[scope]\nallowed = ['../x']", "a path does not leave the repository"),
        ("version = 1\n[scope]\nprotected = ['.git/x']", "nothing in .git can be changed"),
        ("version = 1\nversion = 1", "policy.toml:2: not valid TOML: "),
        ("version = ", "policy.toml:1: not valid TOML: "),
        ("a = 1\nb = " + "9" * 5000, "policy.toml:2: not valid TOML: "),
        ("x = " + "[" * 5000, "policy.toml: is nested too deeply"),
    ],
)
def test_one_error_says_where_and_what(text, expected):
    assert any(expected in line for line in problems(text)), problems(text)


@pytest.mark.parametrize(
    "target",
    [
        "refs/tags/x",
        "refs/heads/main",
        "HEAD",
        "@",
        "-x",
        "a..b",
        "a b",
        "a//b",
        "/a",
        "a/",
        "a.lock",
        ".a/b",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[b",
        "a\\\\b",
        "a@{b",
        "a.",
        "",
        "\\u001b",
        "x/{task}",
        "x" * 300,
    ],
)
def test_a_target_must_be_a_branch(target):
    [line] = problems(f'version = 1\ntarget = "{target}"')
    assert line.startswith('policy.toml:2: "target": ')


def test_a_scope_that_no_gate_enforces_is_refused():
    text = """\
version = 1
[scope]
allowed = ["src/**"]
[gates.tests]
[gates.scope]
plugin = "paths"
[tiers.P0]
gates = ["tests", "scope"]
[tiers.P1]
gates = ["tests"]
"""
    assert problems(text) == [
        'policy.toml:2: [scope] nothing enforces this in tier P1: add a gate of plugin "paths"'
    ]


def test_a_key_inside_a_plugins_settings_near_one_of_ours_is_a_typo():
    [line] = problems("version = 1\n[gates.t]\ndeadline_S = 1\n")
    assert line.endswith('unknown key "deadline_S", did you mean "deadline_s"?')


def test_not_utf8_names_the_line():
    with pytest.raises(PolicyError, match=r"p:2: this is not UTF-8 text"):
        parse(b"version = 1\n# \xff\n", "p")


def test_a_huge_file_is_not_parsed():
    with pytest.raises(PolicyError, match="larger than 256 KiB"):
        parse(b"#" * (MAX_BYTES + 1), "p")


def test_load_reads_a_file_and_names_it_in_messages(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_bytes(FULL)
    assert load(path).text == FULL

    path.write_bytes(b"version = 3")
    with pytest.raises(PolicyError, match=r"^policy.toml:1: "):
        load(path)


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(PolicyError, match="there is no policy file") as caught:
        load(tmp_path / "policy.toml")
    assert caught.value.hint == "make one with `git cto init`"


def test_a_directory_is_an_error_too(tmp_path):
    with pytest.raises(PolicyError, match="cannot be read"):
        load(tmp_path)
