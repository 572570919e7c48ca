"""Signing statements with an SSH key, and checking who signed: ``ssh-keygen -Y``."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from gitcto.errors import CtoError
from gitcto.evidence.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from gitcto.git.process import Completed, execute

NAMESPACE = "gitcto"
"""What signatures are made for: one made for anything else does not count here."""

DEADLINE_S = 30.0
"""How long one signature may take: an agent may ask for a touch of its key (seconds)."""

_PASSED_ON = ("PATH", "HOME", "SSH_AUTH_SOCK", "SSH_SK_PROVIDER", "TMPDIR")
_MAGIC = b"SSHSIG"


class SigningFailed(CtoError):  # noqa: N818  # named for what happened
    """There is no signature; ``hint`` says what to look at."""


def sign(environ: Mapping[str, str], key: str, payload: bytes) -> Signature:
    """Sign a statement with the key in a file; the key of a ``.pub`` is asked of the agent.

    Nobody is asked for a passphrase. Raises :class:`SigningFailed`.
    """
    path = _expanded(environ, key)
    if not path.is_file():
        raise _failed(f"there is no key {key}")
    done = _keygen(environ, ("-Y", "sign", "-n", NAMESPACE, "-f", str(path)), _signed(payload))
    if done.code or not done.out.startswith(b"-----BEGIN SSH SIGNATURE-----"):
        raise _failed(done.complaint)
    return Signature(fingerprint(done.out), done.out)


def problem(environ: Mapping[str, str], allowed_signers: str, read: Envelope) -> str:
    """Return why nobody among the allowed signers signed a statement, or nothing."""
    if not allowed_signers:
        return "nobody says whose signature counts"
    allowed = _expanded(environ, allowed_signers)
    if not allowed.is_file():
        return f"there is no file {allowed_signers} of allowed signers"
    complaint = "it has no signature"
    for one in read.signatures:
        complaint = _refused(environ, allowed, one, _signed(read.payload))
        if not complaint:
            return ""
    return complaint


def _refused(environ: Mapping[str, str], allowed: Path, signature: Signature, signed: bytes) -> str:
    with TemporaryDirectory(prefix="git-cto-signature-") as place:
        file = Path(place) / "signature"
        file.write_bytes(signature.sig)
        about = ("-f", str(allowed), "-s", str(file))
        found = _keygen(environ, ("-Y", "find-principals", *about), b"")
        if found.code:
            return f"signed by {signature.keyid or 'a key'}, which is not among the allowed signers"
        complaint = ""
        for who in found.out.decode("utf-8", "replace").split("\n"):
            if not who:
                continue
            arguments = ("-Y", "verify", "-n", NAMESPACE, "-I", who, *about)
            done = _keygen(environ, arguments, signed)
            if done.code == 0:
                return ""
            complaint = done.complaint
        return complaint or "nobody signed it"


def fingerprint(armored: bytes) -> str:
    """Return the fingerprint of the key that made a signature; nothing when it cannot be read."""
    lines = [line for line in armored.splitlines() if not line.startswith(b"-----")]
    raw = base64.b64decode(b"".join(lines))
    at = len(_MAGIC) + 4
    size = int.from_bytes(raw[at : at + 4], "big")
    key = raw[at + 4 : at + 4 + size]
    if not raw.startswith(_MAGIC) or len(key) != size:
        return ""
    digest = base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


def _signed(payload: bytes) -> bytes:
    return pae(PAYLOAD_TYPE, payload)


def _keygen(environ: Mapping[str, str], arguments: Sequence[str], stdin: bytes) -> Completed:
    program = _program(environ)
    env = {name: environ[name] for name in _PASSED_ON if name in environ}
    env |= {"LC_ALL": "C", "SSH_ASKPASS": "false", "SSH_ASKPASS_REQUIRE": "force"}
    try:
        return execute([program, *arguments], env, stdin, DEADLINE_S)
    except CtoError as error:
        raise _failed(error.message) from error


def _program(environ: Mapping[str, str]) -> str:
    for directory in environ.get("PATH", os.defpath).split(os.pathsep):
        program = Path(directory or os.curdir, "ssh-keygen").absolute()
        if os.access(program, os.X_OK) and program.is_file():
            return str(program)
    raise SigningFailed(
        "ssh-keygen was not found on PATH, so evidence can neither be signed nor checked",
        "install OpenSSH, or take `signing_key` out of policy.toml, [evidence]",
    )


def _expanded(environ: Mapping[str, str], path: str) -> Path:
    home = environ.get("HOME", "")
    return Path(home, path[2:]) if path.startswith("~/") else Path(path)


def _failed(why: str) -> SigningFailed:
    return SigningFailed(
        f"the evidence cannot be signed: {why}",
        "see `signing_key` in policy.toml, [evidence]; ssh-agent must hold a key with a passphrase",
    )
