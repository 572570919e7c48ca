"""Which files a program is made of, on real files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from gitcto.backends import backend_of
from gitcto.contracts import Backend


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def node_package(modules: Path, name: str, **manifest: object) -> Path:
    made = modules / name
    made.mkdir(parents=True)
    (made / "package.json").write_text(json.dumps({"name": name, **manifest}))
    return made


def test_a_program_that_is_not_there_has_no_backend(tmp_path: Path) -> None:
    assert backend_of(["nope"], {"PATH": str(tmp_path)}) is None
    assert backend_of([], {}) is None


def test_no_program_depends_on_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there for git-cto is another file than what is there for a worker in its room."""
    program(tmp_path / "bin" / "agent")
    program(tmp_path / "agent")
    monkeypatch.chdir(tmp_path)
    assert backend_of(["bin/agent"], {"PATH": ""}) is None
    for path in ("", ":", ".", "bin", f"bin::{tmp_path}/nowhere"):
        assert backend_of(["agent"], {"PATH": path}) is None
    found = backend_of(["agent"], {"PATH": f"bin::{tmp_path}"})
    assert found is not None
    assert found.files[0] == tmp_path / "agent"


def test_a_dependency_that_is_linked_into_a_package_is_one(tmp_path: Path) -> None:
    agent = node_package(tmp_path / "node_modules", "agent", dependencies={"left": "1"})
    elsewhere = node_package(tmp_path / "elsewhere", "left")
    (agent / "node_modules").mkdir()
    (agent / "node_modules" / "left").symlink_to(elsewhere)
    cli = program(agent / "cli.js")
    found = backend_of([str(cli)], {"PATH": "/bin"})
    assert found is not None
    assert {agent, elsewhere} <= set(found.files)


def test_a_binary_is_one_file_whatever_link_leads_to_it(tmp_path: Path) -> None:
    link = tmp_path / "agent"
    link.symlink_to(sys.executable)
    found = backend_of(["agent"], {"PATH": str(tmp_path)})
    assert found == Backend(files=(Path(sys.executable).resolve(),))


def test_a_script_has_its_interpreter(tmp_path: Path) -> None:
    interpreter = program(tmp_path / "bin" / "speak", "\x7fELF")
    script = program(tmp_path / "agent", "#!/usr/bin/env -S speak --loud\n")
    found = backend_of([str(script)], {"PATH": str(interpreter.parent)})
    assert found is not None
    assert found.files == (script, interpreter)


def test_a_node_program_is_its_package_and_what_that_depends_on(tmp_path: Path) -> None:
    modules = tmp_path / "lib" / "node_modules"
    agent = node_package(
        modules,
        "@scope/agent",
        version="1.2.3",
        license="MIT",
        dependencies={"left": "^1"},
        optionalDependencies={"agent-linux": "1", "agent-mac": "1"},
    )
    left = node_package(modules, "left", dependencies={"@scope/agent": "1"})
    native = node_package(modules, "agent-linux")
    node_package(modules, "stranger")
    node = program(tmp_path / "bin" / "node", "\x7fELF")
    program(agent / "bin" / "cli.js", "#!/usr/bin/env node\n")
    (tmp_path / "bin" / "agent").symlink_to(agent / "bin" / "cli.js")
    found = backend_of(["agent"], {"PATH": str(tmp_path / "bin")})
    assert found is not None
    assert set(found.files) == {agent, left, native, node}
    assert (found.version, found.licence) == ("1.2.3", "MIT")
    assert found.source == "npm:@scope/agent@1.2.3"
    whole = backend_of(["node", str(agent / "bin" / "cli.js")], {"PATH": str(tmp_path / "bin")})
    assert whole is not None
    assert whole.source == found.source
    assert set(whole.files) == set(found.files)


def test_a_backend_names_absolute_files() -> None:
    with pytest.raises(ValueError, match="absolute"):
        Backend(files=())
    with pytest.raises(ValueError, match="absolute"):
        Backend(files=(Path("agent"),))
