"""One event loop a thread: kept between requests, closed with the thread, never shared with a forked process."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextvars import ContextVar
from threading import Thread

import pytest

from bifente.simulator.serving.loops import run


async def _here() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def _elsewhere() -> asyncio.AbstractEventLoop:
    found: list[asyncio.AbstractEventLoop] = []
    thread = Thread(target=lambda: found.append(run(_here())))
    thread.start()
    thread.join()
    return found[0]


def test_a_thread_keeps_its_loop() -> None:
    loop = run(_here())
    assert run(_here()) is loop
    assert not loop.is_closed()


def test_a_loop_is_closed_with_its_thread() -> None:
    loop = _elsewhere()
    assert loop is not run(_here())
    assert loop.is_closed()


def test_what_fails_leaves_a_loop_that_serves() -> None:
    async def fails() -> None:
        raise LookupError("nothing there")

    loop = run(_here())
    with pytest.raises(LookupError, match="nothing there"):
        run(fails())
    assert run(_here()) is loop


def test_while_a_loop_runs_the_work_is_done_beside_it() -> None:
    async def twice_within() -> list[asyncio.AbstractEventLoop]:
        async def within() -> list[asyncio.AbstractEventLoop]:
            return [await _here(), run(_here())]

        return [await _here(), *run(within())]

    for _ in range(2):
        loops = run(twice_within())
        assert len(set(loops)) == 3
        assert not any(loop.is_closed() for loop in loops)
    assert loops == run(twice_within())


def test_the_work_sees_what_its_caller_set_and_leaves_it_alone() -> None:
    said: ContextVar[str] = ContextVar("said", default="nothing")

    async def asked() -> str:
        found = said.get()
        said.set("changed within")
        return found

    seen = []
    for word in ("first", "second"):
        said.set(word)
        seen.append(run(asked()))
        assert said.get() == word
    assert seen == ["first", "second"]


_PROCESS = """
import asyncio, os, threading, time
from bifente.simulator.serving.loops import run

async def loop(): return asyncio.get_running_loop()

async def woken():
    mine, rung = asyncio.get_running_loop(), asyncio.Event()
    ringing = threading.Thread(target=lambda: mine.call_soon_threadsafe(rung.set))
    ringing.start()
    await asyncio.wait_for(rung.wait(), 20)
    ringing.join()
    return mine

async def beside(): return run(woken())

parent = run(woken())
run(beside())
child = os.fork()
if not child:
    assert run(woken()) is not parent
    run(beside())
    raise SystemExit
assert os.waitpid(child, 0)[1] == 0
assert run(woken()) is parent
run(beside())
thread = threading.Thread(target=lambda: run(beside()))
thread.start()
thread.join()
"""


def test_a_forked_process_has_its_own_loop_and_no_loop_is_left_open() -> None:
    """Both processes run threads that wake their loops, and end without a warning (in Python's development mode)."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", _PROCESS],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
