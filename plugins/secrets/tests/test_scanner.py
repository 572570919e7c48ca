"""Another's scanner: what it is given, and what its answer means."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from gitcto_secrets.gate import SecretsGate

from gitcto.api import CommandResult, Finding, GateResult, emit_sarif
from gitcto.testing import gate_context

if TYPE_CHECKING:
    from pathlib import Path

PATCH = b"""\
diff --git a/dir/a.py b/dir/a.py
--- a/dir/a.py
+++ b/dir/a.py
@@ -3,2 +3,3 @@
 kept
-gone
+third
+fourth
diff --git a/b.py b/b.py
new file mode 100644
--- /dev/null
+++ b/b.py
@@ -0,0 +1 @@
+other
"""


def scanned(scratch: Path, program: str, *words: str, **settings: Any) -> GateResult:
    """Judge with a scanner written in Python, whose arguments are ``words``."""
    program = f"import sys\n{program}".replace("{", "{{").replace("}", "}}")
    context = gate_context(
        patch=lambda: PATCH,
        scratch=scratch,
        settings={"argv": [sys.executable, "-c", program, *words], **settings},
    )
    result = SecretsGate().judge(context)
    assert list(scratch.iterdir()) == [], "nothing is left"
    return result


def reporting(report: bytes, code: int = 0) -> str:
    return f"open(sys.argv[1], 'wb').write({report!r}); sys.exit({code})"


def test_it_gets_added_lines_under_their_numbers_and_the_patch(tmp_path: Path) -> None:
    program = (
        "import pathlib\n"
        "added = pathlib.Path(sys.argv[1])\n"
        "assert (added / 'dir/a.py').read_text() == '\\n\\n\\nthird\\nfourth\\n'\n"
        "assert (added / 'b.py').read_text() == 'other\\n'\n"
        f"assert pathlib.Path(sys.argv[2]).read_bytes() == {PATCH!r}\n"
    )
    result = scanned(tmp_path, program, "{added}", "{patch}", found_codes=[9])
    assert (result.status, result.reason) == ("pass", "no_secret")


def test_allowed_files_are_not_given_to_it(tmp_path: Path) -> None:
    program = "import os; sys.exit(9 if os.listdir(sys.argv[1]) != ['b.py'] else 0)"
    result = scanned(tmp_path, program, "{added}", found_codes=[9], allow=["dir"])
    assert result.status == "pass"


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        (0, "pass", "no_secret"),
        (7, "fail", "secret_found"),
        (8, "fail", "secret_found"),
        (1, "not_run", "scanner_failed"),
        (126, "not_run", "cannot_run"),
        (127, "not_run", "cannot_run"),
    ],
)
def test_what_a_code_means(tmp_path: Path, code: int, status: str, reason: str) -> None:
    result = scanned(tmp_path, f"print('hunter2'); sys.exit({code})", found_codes=[7, 8])
    assert (result.status, result.reason) == (status, reason)
    assert "hunter2" not in result.detail
    assert b"hunter2" not in result.log + b"".join(result.artifacts.values())


def test_a_scanner_past_its_deadline_says_nothing(tmp_path: Path) -> None:
    context = gate_context(
        patch=lambda: PATCH,
        scratch=tmp_path,
        deadline_s=0.2,
        settings={"argv": ["sleep", "60"], "found_codes": [1]},
    )
    result = SecretsGate().judge(context)
    assert (result.status, result.reason) == ("not_run", "deadline")


def test_a_scanner_past_another_limit_says_nothing(tmp_path: Path) -> None:
    context = gate_context(
        patch=lambda: PATCH,
        scratch=tmp_path,
        run=lambda _argv, _deadline_s: CommandResult(code=None, output=b"", cause="memory"),
        settings={"argv": ["scan"], "found_codes": [1]},
    )
    result = SecretsGate().judge(context)
    assert (result.reason, result.detail) == ("limit", "scan was ended: memory")


def test_a_finding_in_its_report_refuses_whatever_the_code(tmp_path: Path) -> None:
    program = (
        "import json, pathlib\n"
        "where = {'artifactLocation': {'uri': sys.argv[2] + '/dir/a.py'},"
        " 'region': {'startLine': 4}}\n"
        "found = {'ruleId': 'generic', 'message': {'text': 'hunter2'},"
        " 'locations': [{'physicalLocation': where}]}\n"
        "log = {'version': '2.1.0', 'runs': [{'results': [found]}]}\n"
        "pathlib.Path(sys.argv[1]).write_text(json.dumps(log))\n"
    )
    result = scanned(tmp_path, program, "{report}", "{added}")
    assert (result.status, result.reason) == ("fail", "secret_found")
    assert result.detail == "generic in 'dir/a.py':4 looks like a secret"
    assert b"hunter2" not in result.artifacts["secrets.sarif"]
    allowed = scanned(tmp_path, program, "{report}", "{added}", allow=["dir"])
    assert allowed.status == "pass"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("", "no_report"),
        (reporting(b"{}"), "bad_report"),
        (reporting(b'{"version": "2.1.0", "runs": []}'), "bad_report"),
        ("import os; os.symlink('/etc/hostname', sys.argv[1])", "unreadable_report"),
        ("import os; os.mkfifo(sys.argv[1])", "unreadable_report"),
    ],
)
def test_without_a_report_that_can_be_read_nothing_is_green(
    tmp_path: Path, program: str, reason: str
) -> None:
    result = scanned(tmp_path, program, "{report}")
    assert (result.status, result.reason) == ("not_run", reason)


def test_a_code_that_says_found_needs_no_report(tmp_path: Path) -> None:
    result = scanned(tmp_path, "sys.exit(1)", "{report}", found_codes=[1])
    assert (result.status, result.detail) == ("fail", "scanner looks like a secret")
    clean = emit_sarif("s", [])
    result = scanned(tmp_path, reporting(clean, 1), "{report}", found_codes=[1])
    assert result.status == "fail"


def test_what_it_found_is_reported_in_our_own_words(tmp_path: Path) -> None:
    report = emit_sarif("s", [Finding(rule="r", severity="note", message="hunter2", path="b.py")])
    result = scanned(tmp_path, reporting(report), "{report}")
    run = json.loads(result.artifacts["secrets.sarif"])["runs"][0]
    assert [each["message"]["text"] for each in run["results"]] == ["looks like a secret"]


def test_without_a_place_for_it_nothing_is_green() -> None:
    settings = {"argv": ["true"], "found_codes": [1]}
    result = SecretsGate().judge(gate_context(patch=lambda: PATCH, settings=settings))
    assert (result.status, result.reason) == ("not_run", "no_scratch")


def test_a_path_that_leads_out_is_never_written(tmp_path: Path) -> None:
    hostile = PATCH.replace(b"b.py", b"../b.py")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    settings = {"argv": ["true"], "found_codes": [1]}
    context = gate_context(patch=lambda: hostile, scratch=scratch, settings=settings)
    result = SecretsGate().judge(context)
    assert (result.status, result.reason) == ("not_run", "bad_patch")
    assert list(tmp_path.iterdir()) == [scratch]
