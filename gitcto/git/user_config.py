"""What the user's own git configuration says: for settings that are a person's to choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitcto.git.hermetic import hermetic_environment
from gitcto.git.process import execute
from gitcto.git.repository import DISCOVERY_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitcto.git.repository import Repository


def user_path(repository: Repository, environ: Mapping[str, str], name: str) -> str:
    """Return a setting that is a path, ``~`` resolved; nothing when it is not set."""
    own = hermetic_environment(repository.program)
    del own["GIT_CONFIG_GLOBAL"], own["GIT_CONFIG_NOSYSTEM"], own["HOME"]
    env = own | {k: v for k, v in environ.items() if DISCOVERY_NAMES.fullmatch(k)}
    env["GIT_DIR"] = str(repository.common_dir)
    argv = [repository.program, "config", "--type=path", "--get", name]
    done = execute(argv, env, b"", None)
    return done.out.decode("utf-8", "surrogateescape").rstrip("\n") if done.code == 0 else ""
