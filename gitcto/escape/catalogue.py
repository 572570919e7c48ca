"""The attacks, and what is expected of each level: the one table.

``held`` is the weakest level that stops an attack; ``core`` is every level, because git-cto itself
does. ``noticed`` attacks leave a change that the comparison after the run finds, at every level
but ``none``, so that the work does not land unseen.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

from gitcto.escape import program
from gitcto.model.isolation import STRENGTH, Level

Outcome = Literal["stopped", "noticed", "open"]
RANK = {"stopped": 0, "noticed": 1, "open": 2}
"""Which outcome is worse."""


CONTROL = "control"
"""The name of the harmless worker, which is no attack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack.

    ``room`` is the workspace plugin whose rooms it is made for; ``needs`` what a machine must have
    for it to mean anything; ``abi`` the first version of Landlock that knows what it does. A worker
    with ``network`` may reach one destination, through git-cto's proxy.
    """

    name: str
    group: str
    summary: str
    held: Literal["core", "landlock", "strict"]
    noticed: bool
    room: str
    needs: tuple[str, ...]
    abi: int
    network: bool

    def expected(self, level: Level, abi: int) -> Outcome:
        """Return what must come of it at a level, where the kernel has Landlock ``abi``."""
        weakest = 0 if self.held == "core" else STRENGTH[self.held]
        enough = STRENGTH[level] >= weakest
        if enough and (level != "landlock" or self.held == "core" or abi >= self.abi):
            return "stopped"
        return "noticed" if self.noticed and level != "none" else "open"


_Held = Literal["core", "landlock", "strict"]


def _row(  # noqa: PLR0913  # each is a column of the table
    name: str,
    held: _Held,
    left: Literal["", "noticed"] = "",
    *,
    room: str = "clone",
    needs: tuple[str, ...] = (),
    abi: int = 3,
    network: bool = False,
) -> Attack:
    function = program.find(name)
    return Attack(
        name=name,
        group=_first_line(sys.modules[function.__module__].__doc__),
        summary=_first_line(function.__doc__),
        held=held,
        noticed=left == "noticed",
        room=room,
        needs=needs,
        abi=abi,
        network=network,
    )


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0].rstrip(".")


ATTACKS = (
    _row("write_absolute", "landlock", "noticed"),
    _row("write_parent", "landlock", "noticed"),
    _row("write_symlink", "landlock", "noticed"),
    _row("symlink_race", "landlock", "noticed"),
    _row("write_hardlink", "landlock", "noticed"),
    _row("hardlink_swap", "landlock"),
    _row("rename_out", "landlock", "noticed"),
    _row("rename_in", "landlock", "noticed"),
    _row("delete", "landlock", "noticed"),
    _row("truncate", "landlock", "noticed"),
    _row("chmod", "strict", "noticed"),
    _row("utime", "strict", "noticed"),
    _row("xattr", "strict", "noticed", needs=("xattr",)),
    _row("chown", "landlock", "noticed", needs=("group",)),
    _row("startup_file", "landlock", "noticed"),
    _row("sibling_write", "landlock"),
    _row("kept_room_write", "landlock", "noticed"),
    _row("beside_room", "landlock"),
    _row("read_key", "landlock"),
    _row("read_dotenv", "landlock"),
    _row("read_sibling", "landlock"),
    _row("read_records", "landlock"),
    _row("delete_room", "core"),
    _row("swap_room", "core"),
    _row("lock_room", "core", needs=("user",)),
    _row("ref_write", "landlock", "noticed"),
    _row("packed_refs", "landlock", "noticed"),
    _row("common_config", "landlock", "noticed"),
    _row("worktree_config", "landlock", "noticed"),
    _row("hook", "landlock", "noticed"),
    _row("corrupt_object", "landlock"),
    _row("alternates", "landlock", "noticed"),
    _row("attributes", "landlock", "noticed"),
    _row("exclude", "landlock", "noticed"),
    _row("index", "landlock", "noticed"),
    _row("drop_stash", "landlock", "noticed"),
    _row("other_worktree", "landlock", "noticed"),
    _row("commondir", "core", room="worktree"),
    _row("gitdir_file", "core", room="worktree"),
    _row("git_commit", "landlock", "noticed"),
    _row("git_stash", "landlock", "noticed"),
    _row("git_reset", "landlock", "noticed"),
    _row("git_environment", "landlock", "noticed"),
    _row("git_global", "landlock", "noticed"),
    _row("remove_worktree", "landlock", "noticed"),
    _row("prune", "landlock", "noticed"),
    _row("push", "landlock", "noticed"),
    _row("delete_ledger", "landlock", "noticed"),
    _row("hooks_path", "core"),
    _row("own_hook", "core"),
    _row("husky", "core"),
    _row("fsmonitor", "core"),
    _row("filter_clean", "core"),
    _row("filter_smudge", "core"),
    _row("filter_process", "core"),
    _row("diff_external", "core"),
    _row("textconv", "core"),
    _row("merge_driver", "core"),
    _row("alias", "core"),
    _row("credential_helper", "core"),
    _row("ssh_command", "core"),
    _row("remote_helper", "core"),
    _row("pager", "core", needs=("terminal",)),
    _row("editor", "core"),
    _row("submodule", "core"),
    _row("nested_repository", "core"),
    _row("nested_ignored", "core"),
    _row("gitfile", "core"),
    _row("bare_repository", "core"),
    _row("pipe_ignore", "core"),
    _row("upper_git", "core"),
    _row("short_git", "core"),
    _row("proc_root", "landlock", needs=("linux",)),
    _row("proc_environ", "landlock", needs=("linux",)),
    _row("proc_fd", "landlock", needs=("linux",)),
    _row("proc_mem", "landlock", needs=("linux", "tracing")),
    _row("ptrace", "landlock", needs=("linux", "tracing")),
    _row("kill_sibling", "landlock", abi=6),
    _row("stop_sibling", "landlock", abi=6),
    _row("daemon", "core"),
    _row("daemon_nohup", "core"),
    _row("daemon_scrubbed", "core", needs=("linux",)),
    _row("rabbit", "core", needs=("linux",)),
    _row("kill_supervisor", "landlock", needs=("linux",), abi=6),
    _row("freeze_supervisor", "landlock", needs=("linux",), abi=6),
    _row("unix_user", "landlock"),
    _row("unix_sibling", "landlock"),
    _row("unix_abstract", "landlock", needs=("linux",)),
    _row("tcp_loopback", "landlock"),
    _row("tcp_local", "landlock", needs=("address",)),
    _row("udp", "landlock"),
    _row("proxy", "landlock", network=True),
    _row("shared_memory", "landlock", needs=("shared",)),
    _row("system_v", "strict", needs=("segment",)),
    _row("terminal_write", "landlock", needs=("terminal",)),
    _row("terminal_type", "landlock", needs=("terminal", "typing")),
    _row("inherited", "core"),
    _row("environment", "core"),
    _row("message", "landlock"),
    _row("fork_bomb", "core"),
    _row("memory", "core"),
    _row("big_file", "core"),
    _row("many_files", "core"),
    _row("fill_scratch", "core"),
    _row("flood", "core"),
    _row("forge_exit", "core"),
    _row("forge_sibling_exit", "landlock"),
    _row("ask_sibling_to_stop", "landlock"),
    _row("sidecar_write", "landlock"),
    _row("sidecar_delete", "core"),
    _row("heartbeat", "landlock"),
    _row("fake_evidence", "core"),
    _row("gate_code", "landlock"),
    _row("user_namespace", "landlock", "noticed", needs=("linux",)),
    _row("remount", "landlock", "noticed"),
    _row("mount_over", "landlock", "noticed", needs=("linux", "mounting")),
    _row("join_namespaces", "landlock", "noticed", needs=("linux", "mounting")),
    _row("open_by_handle", "landlock", needs=("linux", "handle")),
    _row("setuid_file", "core"),
    _row("chroot", "landlock", "noticed", needs=("linux", "chroot")),
)
"""Every attack, in the order of the table."""
