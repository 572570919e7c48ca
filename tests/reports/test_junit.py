from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gitcto.reports import records
from gitcto.reports.junit import parse_junit
from gitcto.reports.records import ReportError, joined

PYTEST = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="0.1">
<testcase classname="tests.test_a.TestX" name="test_one[a-b]" time="0.0012" />
<testcase classname="tests.test_a" name="test_two" time="1.5"><failure message="assert 1 == 2&#10;
 +  where">trace</failure></testcase>
<testcase classname="tests.test_a" name="test_three"><skipped message="no"/></testcase>
<testcase classname="" name="tests.test_b"><error message="collection failure"/></testcase>
</testsuite></testsuites>"""


def one(inside: str, *, root: str = "testsuite", head: str = "") -> bytes:
    return f"{head}<{root}>{inside}</{root}>".encode()


def test_what_pytest_writes_is_read() -> None:
    report = parse_junit(PYTEST)
    assert [(case.id, case.status, case.duration_ms) for case in report.cases] == [
        ("tests.test_a.TestX::test_one[a-b]", "passed", 1),
        ("tests.test_a::test_two", "failed", 1500),
        ("tests.test_a::test_three", "skipped", 0),
        ("tests.test_b", "failed", 0),
    ]
    assert report.executed == 3
    assert report.failed == ("tests.test_a::test_two", "tests.test_b")
    assert report.cases[1].message == "assert 1 == 2 + where"


def test_a_real_pytest_is_understood(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_a(): pass\ndef test_b(): assert 0\n")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=r.xml"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1, done.stdout
    report = parse_junit((tmp_path / "r.xml").read_bytes())
    assert (report.executed, report.failed) == (2, ("test_it::test_b",))


def test_suites_may_be_nested_and_have_a_namespace() -> None:
    inner = '<testsuite><testcase classname="C" name="t"/></testsuite>'
    data = f'<testsuites xmlns="urn:x"><testsuite>{inner}</testsuite></testsuites>'.encode()
    assert parse_junit(data).cases[0].id == "C::t"


def test_a_test_that_failed_once_has_failed() -> None:
    again = '<testcase name="t"><failure/></testcase><testcase name="t"/>'
    assert parse_junit(one(again)).failed == ("t",)
    assert parse_junit(one(again)).executed == 1
    both = '<testcase name="t"><failure message="f"/><skipped/></testcase>'
    assert parse_junit(one(both)).failed == ("t",)


def test_a_failure_elsewhere_is_not_a_tests() -> None:
    inside = '<testcase name="t"><system-out><failure/></system-out></testcase>'
    assert parse_junit(one(inside)).failed == ()


def test_what_is_not_printable_does_not_get_out() -> None:
    case = parse_junit(one('<testcase name="a&#x202e;b&#10;c"/>')).cases[0]
    assert case.name == "a?b?c"


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (one("", head=BOMB), "document type"),
        (one("", head='<!DOCTYPE x SYSTEM "file:///etc/passwd">'), "document type"),
        (one("", head="<!DOCTYPE testsuite>"), "document type"),
        (one("", head=BOMB).decode().encode("utf-16"), "document type"),
        (b"", "not well-formed"),
        (b"<testsuite>", "not well-formed"),
        (b"<testsuite/><testsuite/>", "not well-formed"),
        (b"<html/>", "no JUnit report"),
        (one('<testcase classname="C"/>'), "without a name"),
        (one('<testcase name="a"><testcase name="b"/></testcase>'), "inside another"),
        (one('<a x="&undefined;"/>'), "not well-formed"),
        (one("<a>" * 40 + "</a>" * 40), "deep"),
        (one(f'<testcase name="{"n" * 5000}"/>'), "4096 characters"),
        (b'<testsuite failures="2"><testcase name="a"/></testsuite>', "names none"),
        (b'<testsuite errors="1"/>', "names none"),
        (b'<?xml version="1.0" encoding="no-such"?><testsuite/>', "encoding"),
    ],
)
def test_what_cannot_be_believed_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ReportError, match=why):
        parse_junit(data)


def test_there_are_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReportError, match="longer than 16 MiB"):
        parse_junit(b"<testsuite>" + b" " * records.MAX_BYTES + b"</testsuite>")
    case = '<testcase name="t"/>'
    with pytest.raises(ReportError, match="more than 200000 tests"):
        parse_junit(one(case * (records.MAX_CASES + 1)))
    many = parse_junit(one(case * records.MAX_CASES))
    assert many.executed == 1
    with pytest.raises(ReportError, match="more than 200000 tests"):
        joined((many, parse_junit(one(case))))
