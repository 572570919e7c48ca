"""Which files a program is made of: itself, its interpreter, and its Node package.

A provider names them in its :class:`gitcto.contracts.Probe`; the core hashes them, and a person
admits that hash.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gitcto.contracts import Backend

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MODULES = "node_modules"
_DEPENDENCIES = ("dependencies", "optionalDependencies")
_SHEBANG_MAX = 512
_MANIFEST_MAX = 1 << 20


def backend_of(argv: Sequence[str], host_env: Mapping[str, str]) -> Backend | None:
    """Return what is executed when ``argv`` is started; None when its program is not there.

    That is the program, as :func:`program_at` finds it, and every further argument that
    is the absolute path of a file (of ``node`` and ``cli.js``): each with its interpreter, and
    with the Node package it belongs to and the packages that one depends on, where they are
    installed. Version, licence and source are those of the last argument's package.

    What a program loads by itself from elsewhere (shared libraries of the system, Python's
    packages) is not part of it.
    """
    search = search_path(host_env)
    found = program_at(argv[0], host_env) if argv else None
    if found is None:
        return None
    words = [found, *(Path(word) for word in argv[1:] if word.startswith("/"))]
    files: dict[Path, None] = {}
    manifest: Mapping[str, object] = {}
    for word in words:
        if word.is_file():
            parts = list(_parts(word.absolute().resolve(), search))
            files.update(dict.fromkeys(parts))
            manifest = _manifest(parts[0]) or manifest
    name, version = _text(manifest, "name"), _text(manifest, "version")
    return Backend(
        files=tuple(files),
        version=version,
        licence=_text(manifest, "license"),
        source=f"npm:{name}@{version}" if name else "",
    )


def search_path(host_env: Mapping[str, str]) -> str:
    """Return the ``PATH`` of an environment, without what depends on the current directory.

    That is another one for git-cto than for a worker, in whose room anybody's programs lie.
    """
    return os.pathsep.join(filter(os.path.isabs, host_env.get("PATH", "").split(os.pathsep)))


def program_at(name: str, host_env: Mapping[str, str]) -> Path | None:
    """Return a program by its absolute path, or by its name in :func:`search_path`, or None."""
    if os.sep in name and not Path(name).is_absolute():
        return None
    found = shutil.which(name, path=search_path(host_env))
    return Path(found) if found else None


def _parts(file: Path, search: str) -> Iterator[Path]:
    package = _package_of(file)
    if package is None:
        yield file
    else:
        yield from _closure(package)
    interpreter = _interpreter(file, search)
    if interpreter is not None:
        yield from _parts(interpreter, search)


def _interpreter(file: Path, search: str) -> Path | None:
    """Return what a script's first line names; None for a program that is none."""
    try:
        with file.open("rb") as script:
            first = script.readline(_SHEBANG_MAX)
        words = shlex.split(first[2:].decode()) if first.startswith(b"#!") else []
    except (OSError, ValueError):
        return None
    if words and Path(words[0]).name == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    found = shutil.which(words[0], path=search) if words else None
    real = Path(found).absolute().resolve() if found else file
    return None if real == file else real


def _package_of(file: Path) -> Path | None:
    """Return the installed Node package that a file is part of: the innermost."""
    for folder in file.parents:
        above = folder.parent.parent if folder.parent.name.startswith("@") else folder.parent
        if above.name == _MODULES and (folder / "package.json").is_file():
            return folder
    return None


def _closure(package: Path) -> Iterator[Path]:
    """Yield a package and those that it depends on, as Node would find them."""
    seen, waiting = {package}, [package]
    while waiting:
        one = waiting.pop()
        yield one
        manifest = _manifest(one)
        for kind in _DEPENDENCIES:
            needed = manifest.get(kind)
            for name in sorted(needed) if isinstance(needed, dict) else ():
                found = _installed(one, str(name))
                if found is not None and found not in seen:
                    seen.add(found)
                    waiting.append(found)


def _installed(package: Path, name: str) -> Path | None:
    """Return where Node finds a package from another one; None for one that is not installed.

    What is installed inside the package is hashed with it.
    """
    for folder in (package, *package.parents):
        place = folder if folder.name == _MODULES else folder / _MODULES
        found = place / name
        if (found / "package.json").is_file():
            real = found.resolve()
            return None if real.is_relative_to(package) else real
    return None


def _manifest(package: Path) -> Mapping[str, object]:
    try:
        with (package / "package.json").open("rb") as file:
            read = json.loads(file.read(_MANIFEST_MAX))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _text(manifest: Mapping[str, object], key: str) -> str:
    value = manifest.get(key)
    return value if isinstance(value, str) and value.isprintable() else ""
