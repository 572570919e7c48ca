"""The worker of this provider: a program that drives one agent through its protocol.

``python -I -m gitcto_acp.driver JOB`` starts the agent, speaks with it, prints what it does
(:mod:`gitcto_acp.journal`) and ends it. A signal, or the mark in its mailbox, makes it cancel the
turn first. It exits with 0 when the agent ended its last turn by itself.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path

from acp.exceptions import RequestError

from gitcto.api import AgentEvent, DriverMail
from gitcto_acp import agent
from gitcto_acp.endings import failing, refused
from gitcto_acp.job import Job, read_job
from gitcto_acp.journal import Journal
from gitcto_acp.session import Session, Unfit

CANCELLED_S = 3.0
"""How long an agent may take to end a turn that it was asked to end (seconds)."""

LOOK_S = 0.1
"""How often the mailbox is looked at (seconds)."""


def main(path: str) -> int:
    """Do the job that a file describes; return the exit code."""
    job = read_job(Path(path))
    prompt = Path(job.prompt_file).read_text(encoding="utf-8", errors="replace")
    journal = Journal(sys.stdout.buffer)
    mail = DriverMail(Path(os.environ.get("CTO_MAIL", os.devnull)), job.told)
    end = asyncio.run(_drive(job, Session(job, prompt, journal, mail), journal, mail))
    journal.write(end)
    return 0 if end.ok else 1


async def _drive(job: Job, session: Session, journal: Journal, mail: DriverMail) -> AgentEvent:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        process = await agent.start(job.argv, job.workspace)
    except OSError as error:
        return failing("not_started", f"cannot start {job.argv[0]}: {error.strerror}")
    wire = agent.Wire(process, lambda what: journal.write(AgentEvent(kind="warning", text=what)))
    connection = session.connect(wire)
    watch = asyncio.ensure_future(_watch(mail, stop))
    try:
        return await _until(stop, session, _work(session, process, wire))
    finally:
        watch.cancel()
        await agent.end(process)
        await connection.close()


async def _watch(mail: DriverMail, stop: asyncio.Event) -> None:
    while not mail.interrupted():  # noqa: ASYNC110  (it is a file that is waited for)
        await asyncio.sleep(LOOK_S)
    stop.set()


async def _until(
    stop: asyncio.Event, session: Session, working: Coroutine[None, None, AgentEvent]
) -> AgentEvent:
    """Let the agent work until it ends, or until it is to stop: then it may end its turn."""
    work = asyncio.ensure_future(working)
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if work.done():
        return work.result()
    with suppress(OSError):
        await session.cancel()
    await asyncio.wait((work,), timeout=CANCELLED_S)
    work.cancel()
    return failing("interrupted")


async def _work(session: Session, process: Process, wire: agent.Wire) -> AgentEvent:
    try:
        return await session.work()
    except RequestError as error:
        return refused(error.code, str(error), error.data)
    except ConnectionError:
        limit = f"it sent a message of more than {agent.LONGEST_LINE} bytes"
        return failing("gone", limit if wire.too_long else await agent.gone(process))
    except Unfit as unfit:
        return failing("unfit", str(unfit))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
