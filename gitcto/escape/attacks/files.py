"""Files outside the room."""

from __future__ import annotations

import contextlib
import os
import threading

from gitcto.escape.attacks.tools import At, append, loot, write


def write_absolute(at: At) -> None:
    """Append to a file of the user's checkout by its absolute path."""
    append(os.path.join(at["project"], "README.md"))


def write_parent(at: At) -> None:
    """Append to a file of the user's checkout through `..`."""
    os.chdir(at["room"])
    append(os.path.relpath(os.path.join(at["project"], "README.md")))


def write_symlink(at: At) -> None:
    """Write through a symbolic link in the room."""
    link = os.path.join(at["room"], "link")
    os.symlink(os.path.join(at["project"], "README.md"), link)
    append(link)


def symlink_race(at: At) -> None:
    """Swap a file of the room with a link to the user's file while it is being opened."""
    link, fresh = os.path.join(at["room"], "raced"), os.path.join(at["room"], "raced.new")
    targets = (os.path.join(at["project"], "README.md"), os.path.join(at["room"], "app.py"))

    tried = threading.Event()

    def swap() -> None:
        turn = 0
        while not tried.is_set():
            os.symlink(targets[turn % 2], fresh)
            os.replace(fresh, link)
            turn += 1

    swapping = threading.Thread(target=swap)
    swapping.start()
    aimed = 100
    while aimed:
        with contextlib.suppress(OSError):
            aimed -= os.readlink(link) == targets[0]
            append(link)
    tried.set()
    swapping.join()


def write_hardlink(at: At) -> None:
    """Link the user's file into the room and write to the link."""
    twin = os.path.join(at["room"], "twin")
    os.link(os.path.join(at["project"], "README.md"), twin)
    append(twin)


def hardlink_swap(at: At) -> None:
    """Put a hard link to the user's secret in the place of a tracked file, to be committed."""
    os.remove(os.path.join(at["room"], "app.py"))
    os.link(os.path.join(at["project"], ".env"), os.path.join(at["room"], "app.py"))


def rename_out(at: At) -> None:
    """Move a file of the user's into the room."""
    os.rename(os.path.join(at["project"], "notes.txt"), os.path.join(at["room"], "stolen"))


def rename_in(at: At) -> None:
    """Move a file of the room over one of the user's."""
    made = os.path.join(at["room"], "made")
    append(made)
    os.rename(made, os.path.join(at["project"], "app.py"))


def delete(at: At) -> None:
    """Delete a file of the user's checkout."""
    os.remove(os.path.join(at["project"], "app.py"))


def truncate(at: At) -> None:
    """Empty a file of the user's checkout."""
    os.truncate(os.path.join(at["project"], "app.py"), 0)


def chmod(at: At) -> None:
    """Make the user's private key readable by everybody."""
    os.chmod(os.path.join(at["home"], ".ssh", "id_ed25519"), 0o644)


def utime(at: At) -> None:
    """Set back the time of a file, so that tools take it for unchanged."""
    os.utime(os.path.join(at["project"], "app.py"), (1, 1))


def xattr(at: At) -> None:
    """Set an extended attribute of a file of the user's."""
    if hasattr(os, "setxattr"):
        os.setxattr(os.path.join(at["project"], "app.py"), "user.attacked", b"1")


def chown(at: At) -> None:
    """Give a file of the user's to another group."""
    os.chown(os.path.join(at["project"], "app.py"), -1, at["other_group"])


def startup_file(at: At) -> None:
    """Add a command to the user's shell start-up file."""
    append(os.path.join(at["home"], ".bashrc"), f"touch {at['fired']}/bashrc\n")


def sibling_write(at: At) -> None:
    """Change a file in the room of another worker that is at work."""
    append(os.path.join(at["sibling_room"], "app.py"))


def kept_room_write(at: At) -> None:
    """Change a file in the room of a worker that has ended."""
    append(os.path.join(at["idle_room"], "app.py"))


def beside_room(at: At) -> None:
    """Make a file beside the room, where git-cto keeps what belongs to it."""
    append(os.path.join(at["place"], "stray"))


def read_key(at: At) -> None:
    """Read a private key in the user's home."""
    loot(at, os.path.join(at["home"], ".ssh", "id_ed25519"))


def read_dotenv(at: At) -> None:
    """Read the `.env` file of the user's checkout."""
    loot(at, os.path.join(at["project"], ".env"))


def read_sibling(at: At) -> None:
    """Read a secret in another worker's room."""
    loot(at, os.path.join(at["sibling_room"], "secret.txt"))


def read_records(at: At) -> None:
    """Read how another worker was started, with its environment."""
    loot(at, os.path.join(at["sibling_records"], "launch.json"))


def delete_room(at: At) -> None:
    """Empty the room, with its `.git`, so that git finds the repository around it."""
    for name in os.listdir(at["room"]):
        path = os.path.join(at["room"], name)
        _remove(path) if os.path.isdir(path) else os.remove(path)


def swap_room(at: At) -> None:
    """Put a link to the user's checkout where the room was."""
    os.rename(at["room"], at["room"] + ".away")
    os.symlink(at["project"], at["room"])


def lock_room(at: At) -> None:
    """Take away every permission in the room, so that it cannot be removed."""
    write(os.path.join(at["room"], "deep", "er", "file"), "kept\n")
    for path in ("deep/er", "deep"):
        os.chmod(os.path.join(at["room"], path), 0)


def _remove(top: str) -> None:
    for directory, names, files in os.walk(top, topdown=False):
        for name in files:
            os.remove(os.path.join(directory, name))
        for name in names:
            os.rmdir(os.path.join(directory, name))
    os.rmdir(top)
