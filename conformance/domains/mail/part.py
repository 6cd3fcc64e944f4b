"""The mailboxes of one scenario, by their addresses, and what is in them."""

from __future__ import annotations

from collections import defaultdict

from bifente.conformance.bench.scene import Scene


class MailboxesOfScene:
    """Mail lies where it was put, the newest last."""

    def __init__(self) -> None:
        self._mails: defaultdict[str, list[bytes]] = defaultdict(list)

    @classmethod
    def of(cls, scene: Scene) -> MailboxesOfScene:
        """Return the mailboxes of a scene."""
        del scene
        return cls()

    def close(self) -> None:
        """Nothing to close."""

    def put(self, address: str, mail: bytes) -> None:
        """Let a mail arrive."""
        self._mails[address].append(mail)

    def newest(self, address: str) -> bytes | None:
        """Return the mail that came last, None if none did."""
        found = self._mails[address]
        return found[-1] if found else None

    def alter(self, address: str, old: bytes, new: bytes) -> bool:
        """Change the newest mail on its way. Return whether there was something to change."""
        found = self.newest(address)
        if found is None or old not in found:
            return False
        self._mails[address][-1] = found.replace(old, new)
        return True
