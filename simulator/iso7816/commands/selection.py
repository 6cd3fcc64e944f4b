"""SELECT (ISO/IEC 7816-4, 11.2.2), told by data which P1 and P2 a card family serves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bifente.simulator.iso7816 import files
from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.iso7816.channel import Channel
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.status import StatusError, StatusWord


@dataclass(frozen=True, slots=True)
class SelectionRule:
    """How one P1 value finds a file, and the body lengths (bytes) that make sense for it."""

    find: files.Selector
    lengths: Collection[int]


BY_IDENTIFIER = SelectionRule(files.by_identifier, (0, 2))
CHILD_FOLDER = SelectionRule(files.child_folder, (2,))
CHILD_FILE = SelectionRule(files.child_file, (2,))
PARENT = SelectionRule(files.parent_folder, (0,))
BY_NAME = SelectionRule(files.by_name, range(1, 17))
FROM_MASTER = SelectionRule(files.from_master, range(2, 17, 2))
BY_PATH = SelectionRule(files.by_path, range(2, 17, 2))


@dataclass(frozen=True, slots=True)
class Select:
    """The SELECT of one card side.

    ``rules`` by P1; ``answers``: P2 -> tag of the template that tells of the file, None to answer no data;
    ``unserved`` are pairs of P1 and P2 that fail together though each is served; ``not_found`` is the status word for a
    file that is not there; ``silent_root``: the MF selected by its name answers no data (CARD-CPS3-05).
    """

    rules: Mapping[int, SelectionRule]
    answers: Mapping[int, int | None]
    unserved: Collection[tuple[int, int]] = ()
    not_found: int = StatusWord.FILE_NOT_FOUND
    silent_root: bool = False

    def __call__(self, card: SmartCard, channel: Channel, command: Command) -> Response:
        """Serve the command. A file that is not found leaves the current one as it was."""
        rule = self.rules.get(command.p1)
        if rule is None or command.p2 not in self.answers or (command.p1, command.p2) in self.unserved:
            raise StatusError(StatusWord.WRONG_PARAMETERS)
        if len(command.data) not in rule.lengths:
            raise StatusError(StatusWord.WRONG_LENGTH)
        node = rule.find(channel.files, channel.current, command.data)
        if node is None:
            raise StatusError(self.not_found)
        channel.current = node
        template = self.answers[command.p2]
        if template is None or (self.silent_root and rule is BY_NAME and node is channel.files.root):
            return Response()
        return Response(node.answer(template))
