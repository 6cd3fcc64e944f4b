"""Applications on logical channels: started by the SELECT of their name, as a Java Card does (ISO/IEC 7816-4, 5.4.1).

No MANAGE CHANNEL: the selection opens the channel it comes on (CARD-CPS4-02). A card whose classes each name a side of
their own has none of this.
"""

from __future__ import annotations

from collections.abc import Iterable

from bifente.simulator.iso7816.channel import Channel, Volatile
from bifente.simulator.iso7816.family import Side
from bifente.simulator.iso7816.files import ImageError
from bifente.simulator.iso7816.image import ApplicationLife, CardImage
from bifente.simulator.iso7816.status import StatusError, StatusWord

_SELECT_BY_NAME = b"\xa4\x04"
_PLAIN = ApplicationLife()


class Applications:
    """Those of one card, by name and by AID (that of the MF of their volume). It holds no state of its own.

    Raises ImageError for an image that speaks of an application that is not there.
    """

    def __init__(self, image: CardImage, sides: Iterable[Side]) -> None:
        self._sides = {side.name: side for side in sides}
        self._aids = {image.volumes[side.volume].aid: side for side in self._sides.values()}
        self._life = image.applications
        if unknown := {*image.applications, *filter(None, image.channels.values())} - set(self._sides):
            raise ImageError(f"this card has no application named {', '.join(sorted(unknown))}")

    def starting(self, volatile: Volatile, number: int, raw: bytes) -> Side | None:
        """The application that this command is to start on a channel; None if it is another command.

        Raises StatusError 6985 if it is exclusive and runs on another channel (CARD-CPS4-03).
        """
        if raw[1:3] != _SELECT_BY_NAME or len(raw) < 5 or number not in volatile.running:
            return None
        side = self._aids.get(raw[5 : 5 + raw[4]])
        if side is None:
            return None
        elsewhere = (name for other, name in volatile.running.items() if other != number)
        if self._of(side.name).exclusive and side.name in elsewhere:
            raise StatusError(StatusWord.CONDITIONS_NOT_SATISFIED)
        return side

    def running(self, volatile: Volatile, number: int, raw: bytes) -> Side:
        """What serves a command on a channel: the application that runs there.

        Raises StatusError 6881 if there is none, 6A82 if an unknown name was to open the channel.
        """
        side = self._sides.get(volatile.running.get(number) or "")
        if side is None:
            opening = raw[1:3] == _SELECT_BY_NAME and number in volatile.running
            raise StatusError(StatusWord.FILE_NOT_FOUND if opening else StatusWord.CHANNEL_NOT_SUPPORTED)
        return side

    def start(self, volatile: Volatile, side: Side, number: int, channel: Channel) -> bool:
        """Let an application take a channel, its former life there forgotten; whether the codes presented are too."""
        former = volatile.running[number] or ""
        volatile.channels.pop((former, number), None)
        volatile.running[number] = side.name
        volatile.channels[side.name, number] = channel
        return self._of(side.name).forgets or self._of(former).forgets

    def _of(self, name: str) -> ApplicationLife:
        return self._life.get(name, _PLAIN)
