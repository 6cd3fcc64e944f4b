"""READ BINARY and UPDATE BINARY on transparent files (ISO/IEC 7816-4, 11.3)."""

from __future__ import annotations

from bifente.simulator.iso7816.access import FileOperation
from bifente.simulator.iso7816.apdu import EXTENDED_NE, SHORT_NE, Command, Response
from bifente.simulator.iso7816.channel import Channel
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.files import Node
from bifente.simulator.iso7816.status import StatusError, StatusWord


def _target(channel: Channel, command: Command) -> tuple[Node, int]:
    """The file meant and the offset in it. A short identifier in P1 also makes its file the current one."""
    if command.p1 & 0x80:
        if command.p1 & 0x60:
            raise StatusError(StatusWord.WRONG_PARAMETERS)
        node = channel.current.folder.short_identifiers.get(command.p1 & 0x1F)
        if node is None:
            raise StatusError(StatusWord.FILE_NOT_FOUND)
        channel.current = node
        return node, command.p2
    node = channel.current
    if node.is_folder:
        raise StatusError(StatusWord.NO_CURRENT_FILE)
    return node, command.p1 << 8 | command.p2


def read_binary(card: SmartCard, channel: Channel, command: Command) -> Response:
    """What the file holds from an offset on, up to Le bytes.

    Less than Le is a warning (6282) unless Le was "all there is"; in T=0 the engine turns it into 6Cxx (PCSC-03).
    """
    if command.data or command.ne is None:
        raise StatusError(StatusWord.WRONG_LENGTH)
    node, offset = _target(channel, command)
    card.require_file(FileOperation.READ, node)
    content = card.content(node)
    if offset >= len(content):
        raise StatusError(StatusWord.WRONG_OFFSET)
    data = content[offset : offset + command.ne]
    if len(data) < command.ne and command.ne not in (SHORT_NE, EXTENDED_NE):
        return Response(data, StatusWord.END_OF_FILE)
    return Response(data)


def update_binary(card: SmartCard, channel: Channel, command: Command) -> Response:
    """Overwrite part of the file; its size never changes (6B00 to start outside it, 6A84 to end outside it)."""
    if not command.data:
        raise StatusError(StatusWord.WRONG_LENGTH)
    node, offset = _target(channel, command)
    card.require_file(FileOperation.UPDATE, node)
    content = card.content(node)
    if offset >= len(content):
        raise StatusError(StatusWord.WRONG_OFFSET)
    end = offset + len(command.data)
    if end > len(content):
        raise StatusError(StatusWord.NOT_ENOUGH_ROOM)
    written = content[:offset] + command.data + content[end:]
    card.memory.commit(card.memory.state.with_content(node.key, written))
    return Response()
