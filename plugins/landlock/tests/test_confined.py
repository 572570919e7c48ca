"""What a confined program can do, what it cannot, and that the one does not break the other."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from gitcto_landlock import kernel

REFUSED = "13"
"""EACCES, as the programs below print it."""

CATCHING = """\
import errno
try:
    {deed}
except OSError as error:
    print(error.errno)
else:
    print("done")
"""


def outcome(scene: Any, deed: str, **changes: object) -> str:
    """Return the error number of what one statement ran into, or ``done``."""
    return str(scene.prints(CATCHING.format(deed=deed), **changes))


def test_environment_arguments_directory_and_exit_code_are_the_programs_own(scene: Any) -> None:
    (scene.room / "see.sh").write_text(
        '#!/bin/sh\nenv > env\npwd > pwd\nprintf "%s|" "$@" > arguments\nexit 7\n'
    )
    odd = ("a b", "line\nbreak", "ünïcode", "", "--", "-I", "w:/")
    environ = {"PATH": os.defpath, "NAME": "two words\nand a line", "EMPTY": ""}
    done = scene.run("/bin/sh", "see.sh", *odd, env=environ)
    assert (done.returncode, done.stderr) == (7, "")
    seen = (scene.room / "env").read_text()
    assert "NAME=two words\nand a line\n" in seen
    assert "EMPTY=\n" in seen
    assert "LC_CTYPE" not in seen
    assert (scene.room / "arguments").read_text() == "|".join(odd) + "|"
    assert (scene.room / "pwd").read_text().strip() == str(scene.room)


def test_a_program_is_looked_for_on_its_own_path(scene: Any) -> None:
    tools = scene.home / "tools"
    tools.mkdir()
    (tools / "greet").write_text("#!/bin/sh\necho hello\n")
    (tools / "greet").chmod(0o755)
    environ = {"PATH": f"/nonexistent:{tools}:{os.defpath}"}
    assert scene.run("greet", env=environ).stdout == "hello\n"


@pytest.mark.parametrize(("program", "code"), [("nowhere-at-all", 127), ("./plain", 126)])
def test_what_cannot_be_started_ends_as_in_a_shell(scene: Any, program: str, code: int) -> None:
    (scene.room / "plain").write_text("no program\n")
    done = scene.run(program)
    assert done.returncode == code
    assert done.stderr.startswith(f"git-cto: cannot start '{program}': ")


def test_a_room_that_is_none_is_refused(scene: Any) -> None:
    link = scene.home / "rooms" / "link"
    link.symlink_to(scene.home)
    for path in (link, scene.home / "absent"):
        done = scene.run("true", writes=(path,))
        assert done.returncode == 126
        assert str(path) in done.stderr


def test_a_signal_reaches_the_program_itself(scene: Any) -> None:
    done = scene.run("/bin/sh", "-c", "kill -TERM $$")
    assert done.returncode == -signal.SIGTERM


def test_it_works_with_git_in_its_room(scene: Any) -> None:
    script = "git init -q . && echo x > x && git add x && "
    script += "git -c user.name=w -c user.email=w@x commit -qm x"
    done = scene.run("/bin/sh", "-c", script, env={"PATH": os.environ["PATH"], "HOME": "/nowhere"})
    assert done.returncode == 0, done.stderr
    log = ["git", "-C", str(scene.room), "log", "--format=%s"]
    assert subprocess.run(log, capture_output=True, text=True, check=True).stdout == "x\n"


def test_everything_that_files_are_for_works_in_the_room(scene: Any) -> None:
    scene.prints(
        "import os\n"
        "os.makedirs('a/b'); open('a/f', 'w').write('text'); os.truncate('a/f', 2)\n"
        "os.rename('a/f', 'a/b/f'); os.link('a/b/f', 'twin'); os.symlink('twin', 'link')\n"
        "os.mkfifo('pipe'); os.chmod('twin', 0o700); assert open('link').read() == 'te'\n"
        "os.remove('pipe'); os.remove('a/b/f'); os.removedirs('a/b')\n"
    )
    assert sorted(path.name for path in scene.room.iterdir()) == ["link", "twin"]


def test_usual_devices_can_be_used_and_no_others(scene: Any) -> None:
    done = scene.run("/bin/sh", "-c", "echo gone > /dev/null && head -c 1 /dev/urandom | wc -c")
    assert done.stdout.strip() == "1", done.stderr
    assert outcome(scene, "__import__('os').listdir('/dev/shm')") == REFUSED
    assert outcome(scene, "open('/dev/ptmx')") == REFUSED
    assert outcome(scene, "__import__('os').mknod('disk', 0o60600, 0)") == REFUSED


def test_its_own_output_can_be_opened_once_more(scene: Any) -> None:
    from gitcto_landlock.sandbox import Landlock

    confined = Landlock().confine(scene.request)
    argv = (*confined.argv[:-1], "/bin/sh", "-c", "echo again > /dev/stderr")
    output = scene.request.run_dir / "output.log"
    with output.open("w") as log:
        done = subprocess.run(
            argv, env=confined.env, cwd=scene.room, stderr=log, stdout=log, check=False
        )
    assert done.returncode == 0
    assert output.read_text() == "again\n"


def test_what_is_hidden_cannot_be_read_but_for_what_is_shown(scene: Any) -> None:
    shown, secret = scene.home / "shown", scene.home / "secret"
    (shown / "deep").mkdir(parents=True)
    (shown / "deep" / "file").write_text("see\n")
    reads = (*scene.request.reads, shown)
    assert outcome(scene, f"open({str(secret)!r})", reads=reads) == REFUSED
    assert outcome(scene, f"__import__('os').listdir({str(scene.home)!r})") == REFUSED
    assert outcome(scene, f"open({str(shown / 'deep/file')!r})", reads=reads) == "done"
    assert outcome(scene, f"open({str(shown / 'deep/file')!r}, 'a')", reads=reads) == REFUSED
    assert outcome(scene, f"open({str(scene.request.run_dir)!r})") == REFUSED
    assert outcome(scene, "open('/etc/passwd')") == "done"


@pytest.mark.skipif(os.geteuid() != 0, reason="others cannot read it anyway")
def test_what_only_root_may_read_is_hidden_from_roots_worker(scene: Any) -> None:
    assert Path("/etc/shadow").exists()
    assert outcome(scene, "open('/etc/shadow')") == REFUSED


def test_what_nobody_asked_for_is_hidden(scene: Any) -> None:
    beside = scene.home.parent / "beside"
    beside.write_text("of others")
    assert outcome(scene, f"open({str(beside)!r})") == REFUSED
    assert outcome(scene, "__import__('os').listdir('/')") == REFUSED


def test_a_link_out_of_the_room_leads_nowhere(scene: Any) -> None:
    (scene.room / "out").symlink_to(scene.home)
    assert outcome(scene, "open('out/secret')") == REFUSED
    assert outcome(scene, "open('out/new', 'w')") == REFUSED


def test_no_capability_is_left_and_none_can_be_gained(scene: Any) -> None:
    lines = scene.prints("print(open('/proc/self/status').read())").splitlines()
    status = dict(line.split(":\t") for line in lines if ":\t" in line)
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[kind], 16) == 0
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize(
    ("what", "arguments"),
    [
        ("udp", "socket.AF_INET, socket.SOCK_DGRAM"),
        ("tcp", "socket.AF_INET, socket.SOCK_STREAM"),
        ("tcp6", "socket.AF_INET6, socket.SOCK_STREAM"),
        ("mptcp", "socket.AF_INET, socket.SOCK_STREAM, 262"),
        ("packet", "17, socket.SOCK_RAW"),
        ("vsock", "40, socket.SOCK_STREAM"),
    ],
)
def test_no_socket_reaches_the_network(scene: Any, what: str, arguments: str) -> None:
    del what
    code = f"import socket\n{CATCHING.format(deed=f'socket.socket({arguments})')}"
    assert scene.prints(code) == REFUSED


def test_io_uring_which_makes_sockets_too_is_not_there(scene: Any) -> None:
    code = (
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "assert libc.syscall(425, 1, bytes(120)) == -1\nprint(ctypes.get_errno())"
    )
    assert scene.prints(code) == str(errno.ENOSYS)


def test_pairs_of_sockets_work(scene: Any) -> None:
    scene.prints(
        "import asyncio, socket\n"
        "left, right = socket.socketpair(); left.send(b'x'); assert right.recv(1) == b'x'\n"
        "asyncio.run(asyncio.sleep(0))"
    )


def test_unix_sockets_of_others_cannot_be_reached(scene: Any) -> None:
    """Those in the room could be, but only newer kernels tell the one from the other."""
    outside = scene.home / "s"
    with at(scene.home, "s"):
        code = f"import os, socket\nos.chdir({str(outside.parent)!r})\n"
        deed = "socket.socket(socket.AF_UNIX).connect('s')"
        assert scene.prints(code + CATCHING.format(deed=deed)) == REFUSED
    inside = "import socket\n" + CATCHING.format(deed="socket.socket(socket.AF_UNIX).bind('s')")
    told_apart = kernel.abi() >= kernel.UNIX_SOCKETS_ABI
    assert scene.prints(inside) == ("done" if told_apart else REFUSED)


@contextmanager
def at(directory: Path, name: str) -> Iterator[None]:
    """Listen on a unix socket whose path may be too long for an address."""
    fd = os.open(directory, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{fd}/{name}")
        server.listen()
        yield
    os.close(fd)


def test_processes_outside_cannot_be_signalled(scene: Any) -> None:
    if kernel.abi() < 6:
        pytest.skip("Landlock keeps signals in from ABI 6 on")
    deed = f"__import__('os').kill({os.getpid()}, 0)"
    assert outcome(scene, deed) == str(errno.EPERM)


def test_abstract_sockets_outside_cannot_be_reached(scene: Any) -> None:
    name = f"\0git-cto-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        code = "import socket\n"
        code += CATCHING.format(deed=f"socket.socket(socket.AF_UNIX).connect({name!r})")
        assert scene.prints(code) in {str(errno.EPERM), REFUSED}


@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_a_namespace_of_its_own_does_not_help(scene: Any) -> None:
    script = f"mount -t tmpfs none {scene.room}; cat {scene.home / 'secret'}"
    done = scene.run("unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c", script)
    assert "hidden" not in done.stdout
    assert not os.path.ismount(scene.room)
