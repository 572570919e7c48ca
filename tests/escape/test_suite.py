"""Every attack without any sandbox and at every level; `none` is run by the test of `doctor`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcto.errors import CtoError
from gitcto.escape.catalogue import ATTACKS
from gitcto.escape.suite import Result, Suite, suite
from gitcto.plugins import Plugins

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="the suite is proved on Linux only"),
]

GROUPS = sorted({attack.group for attack in ATTACKS})


@pytest.fixture
def made(plugins: Plugins) -> Iterator[Suite]:
    with suite(Path(tempfile.gettempdir()), plugins, os.environ) as one:
        yield one


def attacked(made: Suite, sandbox: str | None, group: str) -> list[Result]:
    """Carry out one group of attacks; skip where the sandbox does not work."""
    try:
        isolation = made.isolation(sandbox) if sandbox else None
    except CtoError as error:
        pytest.skip(error.message)
    return list(made.run(isolation, [each for each in ATTACKS if each.group == group]))


@pytest.mark.parametrize("group", GROUPS)
def test_each_attack_is_one(made: Suite, group: str) -> None:
    results = attacked(made, None, group)
    harmless = [each.attack.name for each in results if each.outcome == "stopped"]
    assert harmless == []


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("sandbox", ["detect", "landlock", "seatbelt", "strict"])
def test_each_level_holds_what_it_promises(made: Suite, sandbox: str, group: str) -> None:
    results = attacked(made, sandbox, group)
    worse = {each.attack.name: each.found for each in results if each.broken}
    assert worse == {}
    if sandbox == "detect":  # no kernel makes this one better than the table says
        assert [each.attack.name for each in results if each.surprising] == []
