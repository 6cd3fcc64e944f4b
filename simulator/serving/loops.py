"""The event loop of a thread, kept from one request to the next: making one costs more than most answers."""

from __future__ import annotations

import asyncio
import os
import selectors
import threading
import weakref
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")

# Not epoll: what a forked process would close there, it would close for its parent as well.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` returns, awaited in the loop of this thread, or beside it where that one runs already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _of_this_thread().runner.run(work, context=copy_context())
    return _of_this_thread().beside.submit(lambda: run(work)).result()


class _Loop:
    """One thread's loop, and a thread for what is asked while it runs. Closed with its thread or its process."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.runner = asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(_Selector()))
        self.beside = ThreadPoolExecutor(1, "bifente-beside")
        weakref.finalize(self, _close, self.process, self.runner, self.beside)


class _Threads(threading.local):
    loop: _Loop | None = None


_THREADS = _Threads()


def _of_this_thread() -> _Loop:
    loop = _THREADS.loop
    if loop is None or loop.process != os.getpid():
        # A forked process makes its own: two that wait at one loop wake each other.
        loop = _THREADS.loop = _Loop()
    return loop


def _close(process: int, runner: asyncio.Runner, beside: ThreadPoolExecutor) -> None:
    loop = runner.get_loop()
    if loop.is_running():
        return
    if process == os.getpid():
        beside.shutdown(wait=False)
        runner.close()
    else:
        loop.close()
