"""What every contract class shares: capabilities, how to fail, and one generic contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pytest

from gitcto.errors import CtoError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitcto.plugins import Plugins

TEXT_MAX = 1000
"""Longest line for a person that a plugin may return, in characters."""


class ContractBrokenError(AssertionError):
    """An implementation does not keep its contract; the message says which promise."""


def must(condition: object, promise: str) -> None:
    """Raise :class:`ContractBrokenError` with ``promise`` unless the condition holds."""
    if not condition:
        raise ContractBrokenError(promise)


def must_be_a_line(text: object, what: str) -> None:
    """Require one printable line of bounded length; an empty one is fine."""
    fine = isinstance(text, str) and (not text or text.isprintable()) and len(text) <= TEXT_MAX
    must(fine, f"{what} must be one printable line of at most {TEXT_MAX} characters: {text!r}")


def must_refuse(call: Callable[[], object], about: str) -> None:
    """Require a ``CtoError`` that mentions ``about`` and says what to do."""
    try:
        call()
    except CtoError as error:
        must(about in error.message, f"the refusal must name {about!r}: {error.message!r}")
        must(error.hint, "a refusal must say what to do about it")
        return
    raise ContractBrokenError(f"{about!r} must be refused with a CtoError")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an implementation can do: everything, unless it says otherwise.

    A test for a capability that is not declared absent runs and must pass.
    ``runs_offline``: a provider's launch can be carried out here, without network or key.
    ``settings``: a gate or provider refuses settings it does not know.
    ``fails``: a gate can say no. ``runs_commands``: a gate judges by running a command.
    ``own_refs``: a worker's room has refs of its own. ``fixes``: a sandbox that confines writes
    can keep single paths in a room from being changed. ``mailbox``: a provider hands letters to a
    running agent through the mailbox in its scratch directory.
    """

    runs_offline: bool = True
    settings: bool = True
    fails: bool = True
    runs_commands: bool = True
    own_refs: bool = True
    fixes: bool = True
    mailbox: bool = True


class Contract:
    """The base of every contract class."""

    capabilities: ClassVar[Capabilities] = Capabilities()

    def needs(self, capability: str) -> None:
        """Skip this test when the implementation declares that it lacks a capability."""
        if not getattr(self.capabilities, capability):
            pytest.skip(f"declared absent: {capability}")

    def with_unknown_setting(self, settings: Mapping[str, object]) -> dict[str, object]:
        """Return settings with one key that nobody knows."""
        return {**settings, "no_such_setting": 1}


class PluginContract(Contract):
    """What every installed plugin keeps, whatever it adds; set ``plugin`` to its name."""

    plugin: ClassVar[str]

    @pytest.fixture
    def plugins(self) -> Plugins:
        """Return what is installed for this Python."""
        from gitcto.plugins import Plugins

        return Plugins.load()

    def test_plugin_is_active(self, plugins: Plugins) -> None:
        """It loads, and every kind of capability registers."""
        rows = [row for row in plugins.report() if row.name == self.plugin]
        must(rows, f"plugin {self.plugin!r} is not installed")
        must(rows[0].status == "active", f"plugin {self.plugin!r} failed: {rows[0].reason}")
        must(rows[0].version, f"plugin {self.plugin!r} has no version")

    def test_plugin_check_finds_nothing(self, plugins: Plugins) -> None:
        """``git cto plugins check`` has nothing to say."""
        findings = plugins.check(self.plugin)
        must(not findings, "; ".join(f"{each.rule}: {each.message}" for each in findings))
