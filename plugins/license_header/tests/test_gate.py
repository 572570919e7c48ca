from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gitcto_license_header.gate import LicenseHeaderGate

from gitcto.api import Change, CtoError, GateResult
from gitcto.testing import gate_context

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "Copyright us\nSPDX-License-Identifier: MIT"


def judged(tmp_path: Path, text: str | None, **facts: Any) -> GateResult:
    """Judge a change of ``a.py``; ``facts`` are settings, or the status and mode of the change."""
    change = Change(status=facts.pop("status", "M"), path="a.py", mode=facts.pop("mode", "100644"))
    if text is not None:
        (tmp_path / "a.py").write_text(text)
    settings = {"files": ["*.py"], "header": HEADER, **facts}
    context = gate_context(checkout=tmp_path, changes=(change,), settings=settings)
    return LicenseHeaderGate().judge(context)


@pytest.mark.parametrize(
    "text",
    [
        "# Copyright us\n# SPDX-License-Identifier: MIT\nx = 1\n",
        "/* Copyright us\n * SPDX-License-Identifier: MIT */\n",
        "<!-- Copyright us -->\n<!-- SPDX-License-Identifier: MIT -->\n",
        "#!/usr/bin/env python3\n\n# Copyright us\r\n# SPDX-License-Identifier: MIT",
        "1\n2\n3\n4\n# Copyright us\n# SPDX-License-Identifier: MIT\n",
        "",
    ],
)
def test_the_header_is_found_whatever_is_around_it(tmp_path: Path, text: str) -> None:
    assert judged(tmp_path, text).reason == "all_have_it"


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\n",
        "\n",
        "# Copyright us\n",
        "# Copyright us\n\n# SPDX-License-Identifier: MIT\n",
        "# SPDX-License-Identifier: MIT\n# Copyright us\n",
        "1\n2\n3\n4\n5\n# Copyright us\n# SPDX-License-Identifier: MIT\n",
    ],
)
def test_a_file_without_it_is_named(tmp_path: Path, text: str) -> None:
    result = judged(tmp_path, text)
    assert (result.status, result.reason) == ("fail", "no_header")
    assert (result.detail, result.log) == ("no header in 'a.py'", b"'a.py'\n")


def test_where_it_begins_is_a_setting(tmp_path: Path) -> None:
    text = "#!/bin/sh\n# Copyright us\n# SPDX-License-Identifier: MIT\n"
    assert judged(tmp_path, text, within=2).status == "pass"
    assert judged(tmp_path, text, within=1).status == "fail"


@pytest.mark.parametrize(
    "facts", [{"status": "D"}, {"mode": "120000"}, {"mode": "160000"}, {"files": ["*.c"]}]
)
def test_other_files_need_none(tmp_path: Path, facts: dict[str, Any]) -> None:
    assert judged(tmp_path, "x = 1\n", **facts).status == "pass"


def test_a_file_that_cannot_be_read_is_not_green(tmp_path: Path) -> None:
    assert judged(tmp_path, None).reason == "unreadable"
    (tmp_path / "elsewhere").write_text(HEADER)
    (tmp_path / "a.py").symlink_to("elsewhere")
    result = judged(tmp_path, None)
    assert (result.status, result.reason) == ("not_run", "unreadable")


@pytest.mark.parametrize("settings", [{"files": []}, {"header": " \n"}])
def test_without_settings_nothing_is_green(tmp_path: Path, settings: dict[str, Any]) -> None:
    result = judged(tmp_path, "", **settings)
    assert (result.status, result.reason) == ("not_run", "no_header_set")


def test_without_a_checkout_nothing_is_green() -> None:
    settings = {"files": ["**"], "header": "x"}
    assert LicenseHeaderGate().judge(gate_context(settings=settings)).reason == "no_checkout"


@pytest.mark.parametrize(
    "settings",
    [{"file": []}, {"files": "*.py"}, {"header": ["x"]}, {"within": 0}, {"within": True}],
)
def test_bad_settings_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(CtoError, match="gate license-header: "):
        judged(tmp_path, "", **settings)
