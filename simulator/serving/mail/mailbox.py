"""A practice's mailbox: returns in the order of arrival, each there until it is deleted."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection


class Mailbox:
    """New returns may come between a look and the deletion of what was seen, from the thread of a mail server too."""

    def __init__(self) -> None:
        self._returns: deque[bytes] = deque()
        self._lock = threading.RLock()

    def put(self, data: bytes) -> None:
        """A return arrives."""
        with self._lock:
            self._returns.append(data)

    def content(self) -> list[bytes]:
        """What is there, the oldest first."""
        with self._lock:
            return list(self._returns)

    def remove(self, places: Collection[int]) -> None:
        """Take out what stands at these places, from 0; what came since stands after them."""
        with self._lock:
            self._returns = deque([data for at, data in enumerate(self._returns) if at not in places])

    def delete(self, count: int) -> None:
        """Take the ``count`` oldest out. Raises ValueError if there are not so many."""
        with self._lock:
            if not 0 <= count <= len(self._returns):
                raise ValueError(f"{len(self._returns)} returns are there, {count} cannot be deleted")
            for _ in range(count):
                self._returns.popleft()
