"""The error boundary: whatever happens below, a person reads what it was and what to do."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

import click

from gitcto.cli import host as hosts
from gitcto.cli.app import App
from gitcto.cli.root import root
from gitcto.errors import CtoError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitcto.cli.host import Host

PROGRAM = "git cto"
COMPLETE_VARIABLE = "_GIT_CTO_COMPLETE"
"""Named here because click would derive it from the program's name, which has a space."""

_WIDEST = 100
"""Columns of help; longer lines are hard to read."""

_BROKEN_PIPE = 141
"""What a shell reports for a writer that SIGPIPE ended; nobody is left to read anything else."""

_NO_STORAGE = {errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EIO}


def run_in_process(arguments: Sequence[str]) -> int:
    """Run with this process's own host; the streams are left so that exiting stays quiet."""
    try:
        host = hosts.collect()
    except CtoError as error:
        sys.stderr.write(f"error: {error.message}\nhint: {error.hint}\n")
        return error.exit_code
    code = run(arguments, host)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more at its end and would complain about the same pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _BROKEN_PIPE
    return code


def run(arguments: Sequence[str], host: Host) -> int:
    """Run one command and return its exit code; no exception leaves but ``SystemExit``."""
    app = App(host)
    try:
        return _invoke(arguments, app)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except BrokenPipeError:
        return _BROKEN_PIPE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the boundary: it ends here
        trouble = _expected(error, arguments) or _crashed(error, arguments, app)
        app.output.error(trouble.message, trouble.hint)
        return trouble.exit_code


def _invoke(arguments: Sequence[str], app: App) -> int:
    if COMPLETE_VARIABLE in app.host.environ:
        root.main(list(arguments), PROGRAM, COMPLETE_VARIABLE, obj=app)
    width = min(app.host.columns, _WIDEST)  # given, click need not import shutil to ask for it
    with root.make_context(PROGRAM, list(arguments), obj=app, terminal_width=width) as context:
        code = root.invoke(context)
    return code if isinstance(code, int) else ExitCode.OK


def _expected(error: BaseException, arguments: Sequence[str]) -> CtoError | None:
    """Return what to tell a person about trouble that is not our bug."""
    if isinstance(error, CtoError):
        return error
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return CtoError("interrupted", "run the command again to go on", ExitCode.INTERRUPTED)
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, UnicodeEncodeError) and any(map(_is_no_text, arguments)):
        strange = next(filter(_is_no_text, arguments))
        return CtoError(f"{strange!a} is not UTF-8 text", "write it in UTF-8", ExitCode.USAGE)
    if isinstance(error, OSError) and error.errno in _NO_STORAGE:
        from gitcto.git.durable import explain

        return explain(error, "use the file system")
    return None


def _is_no_text(argument: str) -> bool:
    """Tell whether an argument holds bytes that are no UTF-8, which are names of files at most."""
    return any("\ud800" <= char <= "\udfff" for char in argument)


def _usage(error: click.ClickException) -> CtoError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else PROGRAM
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        message = f"`{command}` needs a command"
    else:
        message = " ".join(error.format_message().split()).rstrip(".")
        message = f"{message[:1].lower()}{message[1:]}"
    return CtoError(message, f"`{command} -h` shows how it is used", ExitCode.USAGE)


def _crashed(error: BaseException, arguments: Sequence[str], app: App) -> CtoError:
    from gitcto.cli.crash import write_report

    where = write_report(error, arguments, app)
    told = f"a report without secrets is in {where}" if where else "no report could be written"
    return CtoError(
        f"git-cto itself broke ({type(error).__name__}); {told}",
        "run the command again; if it happens twice, send the report to the project",
        ExitCode.INTERNAL,
    )
