"""What the namespaces and the filter stop, and what the sandbox says of a machine it cannot use."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gitcto_strict import sandbox, seccomp
from gitcto_strict.sandbox import Strict

from gitcto.api import CtoError

if TYPE_CHECKING:
    from plugins.strict.tests.conftest import Home

PYTHON = "/usr/bin/python3"
ATTACKS = """
import ctypes, errno, json, os, socket, sys
libc, found = ctypes.CDLL(None, use_errno=True), {}

def attempt(name, action):
    try:
        action()
        found[name] = "open"
    except OSError as error:
        found[name] = errno.errorcode[error.errno]

def call(*arguments):
    if libc.syscall(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "no")

def abstract():
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect("\\0" + sys.argv[1])

def udp():
    with socket.socket(type=socket.SOCK_DGRAM) as peer:
        peer.connect(("192.0.2.1", 9))

for number in json.loads(sys.argv[2]):
    attempt(f"system call {number}", lambda: call(number, 0, 0, 0, 0, 0))
for family in ("AF_VSOCK", "AF_ALG", "AF_PACKET"):
    attempt(family, lambda: socket.socket(getattr(socket, family), socket.SOCK_DGRAM).close())
attempt("abstract socket", abstract)
attempt("datagram", udp)
attempt("new user namespace", lambda: call(int(sys.argv[3]), 0x10000000))
attempt("change of root", lambda: os.chroot("/tmp"))
attempt("mount", lambda: call(int(sys.argv[4]), b"none", b"/tmp", b"tmpfs", 0, None))
attempt("sysctl", lambda: open("/proc/sys/kernel/core_pattern", "r+").close())
attempt("host name", lambda: socket.sethostname("x"))
attempt("a signal to everybody's init", lambda: os.kill(int(sys.argv[5]), 0))
for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK):
    socket.socket(family, socket.SOCK_DGRAM).close()
print(json.dumps(found))
"""
UNSHARE_AND_MOUNT = {"x86_64": ("272", "165"), "aarch64": ("97", "40")}


@pytest.mark.usefixtures("bwrap")
@pytest.mark.skipif(not Path(PYTHON).exists(), reason="there is no system Python")
@pytest.mark.skipif(
    os.uname().machine not in UNSHARE_AND_MOUNT, reason="system calls are not filtered here"
)
def test_what_lies_beside_files_is_stopped_too(home: Home) -> None:
    import socket

    machine = os.uname().machine
    numbers = json.dumps(seccomp._MACHINES[machine].absent)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0{home.path}")
        server.listen()
        words = (str(home.path), numbers, *UNSHARE_AND_MOUNT[machine], str(os.getpid()))
        done = home.run(PYTHON, "-c", ATTACKS, *words)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    filtered = {name: error for name, error in found.items() if name.startswith("system call")}
    assert len(filtered) == 9
    assert set(filtered.values()) == {"ENOSYS"}
    families = [found.pop(name) for name in ("AF_VSOCK", "AF_ALG", "AF_PACKET")]
    assert families == ["EAFNOSUPPORT"] * 3
    assert {name for name, error in found.items() if error == "open"} == set()


@pytest.mark.usefixtures("bwrap")
def test_it_holds_no_capability_and_gets_none(home: Home) -> None:
    status = home.sh("grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs' /proc/self/status")
    values = dict(re.findall(r"(\w+):\s+(\w+)", status))
    assert values.pop("NoNewPrivs") == "1"
    assert {int(value, 16) for value in values.values()} == {0}
    assert "nosuid" in home.sh("grep ' /usr ' /proc/mounts")


@pytest.mark.usefixtures("bwrap")
def test_it_ends_with_the_process_that_started_it(home: Home) -> None:
    confined = Strict().confine(home.request("sh", "-c", "echo ready; exec sleep 600"))
    start = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    reading, writing = os.pipe()
    parent = subprocess.Popen(
        [sys.executable, "-c", start, *confined.argv], env=dict(confined.env), stdout=writing
    )
    os.close(writing)
    assert os.read(reading, 6) == b"ready\n"
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert os.read(reading, 1) == b""  # nobody holds the other end: all of them are gone
    os.close(reading)


@pytest.mark.usefixtures("bwrap")
def test_an_older_bwrap_is_asked_for_less(home: Home, tmp_path: Path, monkeypatch) -> None:
    program = Path(shutil.which("bwrap")).read_bytes()
    for option in (b"--disable-userns", b"--size"):
        program = program.replace(option, option.replace(b"s", b"z"))
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "bwrap").write_bytes(program)
    (tmp_path / "old" / "bwrap").chmod(0o755)
    home.env["PATH"] = f"{tmp_path / 'old'}:/usr/bin:/bin"
    assert home.sh("echo works") == "works"  # the system's own is found first
    monkeypatch.setattr(sandbox, "SYSTEM_PATH", "/nonexistent")
    argv = Strict().confine(home.request("true")).argv
    assert str(tmp_path / "old" / "bwrap") in argv
    assert not {"--disable-userns", "--size"} & set(argv)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere nothing would help")
def test_a_machine_without_bwrap_is_told_what_to_install(
    home: Home, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(sandbox, "SYSTEM_PATH", "/nonexistent")
    answer = Strict().available({"PATH": str(tmp_path)})
    assert not answer.available
    assert "apt-get install bubblewrap" in answer.hint
    home.env["PATH"] = str(tmp_path)
    with pytest.raises(CtoError, match="bwrap was not found"):
        Strict().confine(home.request("true"))


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=10000"),
        ("user/max_user_namespaces", "96364", "bwrap --unshare-all"),
    ],
)
def test_the_setting_that_forbids_namespaces_is_named(
    tmp_path: Path, name: str, value: str, hint: str
) -> None:
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(f"{value}\n")
    assert hint in sandbox._obstacle(tmp_path)


@pytest.mark.usefixtures("bwrap")
def test_the_version_is_read_without_running_it() -> None:
    said = subprocess.run(["bwrap", "--version"], capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"bubblewrap {Strict().available({'PATH': os.environ['PATH']}).version}"
