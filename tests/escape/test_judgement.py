"""The suite believes no sandbox: not one that confines nothing, nor one that starts nothing."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcto.errors import CtoError
from gitcto.escape.catalogue import ATTACKS, Attack
from gitcto.escape.suite import Suite, suite
from gitcto.plugins import Plugins
from gitcto.runtime.host.isolation import Isolation
from gitcto.testing.site import PluginSite

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the suite is proved on Linux only")

MADE_UP = """
    from gitcto.api import Confined, Probe, Sandbox, hookimpl

    @hookimpl
    def gitcto_register_sandboxes(register):
        for name in ("open", "dead", "mute", "numb"):
            register.add(Sandbox(name=name, level="strict", summary="Promise everything.",
                                 target=f"made_up_sandboxes:{name.title()}"))

    class Open:
        def available(self, host_env):
            return Probe(available=True)
        def confine(self, request):
            return Confined(argv=request.argv, env=request.env)

    class Dead(Open):
        def confine(self, request):
            return Confined(argv=("/bin/true",), env={})

    class Numb(Open):
        def confine(self, request):
            argv = ["environment" if each == "control" else each for each in request.argv]
            return Confined(argv=tuple(argv), env=request.env)

    class Mute(Open):
        def confine(self, request):
            script = 'case "$5" in control) exec "$@";; *) exit 0;; esac'
            argv = ("/bin/sh", "-c", script, "sh", *request.argv)
            return Confined(argv=argv, env=request.env)
"""


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugins]:
    monkeypatch.syspath_prepend(str(tmp_path))
    site = PluginSite(tmp_path).add("made-up", sandboxes=MADE_UP)
    yield Plugins.load([str(tmp_path), *sys.path], warn=pytest.fail)
    site.forget()


@pytest.fixture
def made(made_up: Plugins) -> Iterator[Suite]:
    with suite(Path(tempfile.gettempdir()), made_up, os.environ) as one:
        yield one


def claiming(plugins: Plugins, name: str) -> Isolation:
    """Return a sandbox as if it had proved itself."""
    return Isolation(sandbox=plugins.sandboxes()[name], probe={})


def named(*names: str) -> list[Attack]:
    return [attack for attack in ATTACKS if attack.name in names]


def test_a_sandbox_that_confines_nothing_is_found_out(made: Suite, made_up: Plugins) -> None:
    wanted = named("write_absolute", "read_key", "unix_user", "stop_sibling", "daemon")
    results = list(made.run(claiming(made_up, "open"), wanted))
    assert {each.attack.name for each in results if each.broken} == {
        "write_absolute",
        "read_key",
        "unix_user",
        "stop_sibling",
    }
    assert {each.attack.name: each.found for each in results}["daemon"] == ()


def test_a_sandbox_that_starts_nothing_is_no_success(made: Suite, made_up: Plugins) -> None:
    with pytest.raises(CtoError, match="control cannot be carried out here: it did not begin"):
        list(made.run(claiming(made_up, "dead"), named("write_absolute")))


def test_a_sandbox_in_which_no_work_gets_done_is_no_success(made: Suite, made_up: Plugins) -> None:
    with pytest.raises(CtoError, match="a harmless worker cannot work here"):
        list(made.run(claiming(made_up, "numb"), named("write_absolute")))


def test_an_attack_that_does_not_begin_is_no_success(made: Suite, made_up: Plugins) -> None:
    with pytest.raises(CtoError, match="write_absolute cannot be carried out here"):
        list(made.run(claiming(made_up, "mute"), named("write_absolute")))


def test_nothing_is_left_of_a_suite(made_up: Plugins, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    with suite(place, made_up, os.environ) as one:
        list(one.run(claiming(made_up, "open"), named("delete", "unix_abstract")))
        assert list(place.iterdir()) != []
    assert list(place.iterdir()) == []
