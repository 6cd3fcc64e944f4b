"""The file system: a tree that never changes, found by identifier, name or path (ISO/IEC 7816-4, 7.3 and 11.2).

What is written after personalisation lives in the card's memory, not here. The selection rules differ from one card
family to the next by their P1 value only: each is a function here, and a family lists those it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bifente.simulator.iso7816 import tlv
from bifente.simulator.iso7816.access import AccessRule
from bifente.simulator.iso7816.image import DedicatedFile, ElementaryFile, Interface

MF = 0x3F00


class ImageError(ValueError):
    """A card image contradicts itself: two files with one identifier, an access rule that is none..."""


class Node:
    """One file in its tree: where it is, what it answers when selected, who may do what. Never changes once built."""

    __slots__ = (
        "_answers",
        "acl",
        "children",
        "content",
        "control",
        "fid",
        "file",
        "key",
        "parent",
        "path",
        "short_identifiers",
    )

    def __init__(
        self,
        file: ElementaryFile | DedicatedFile,
        parent: Node | None,
        volume: str,
        interface: Interface,
        describe: Callable[[ElementaryFile | DedicatedFile], bytes],
    ) -> None:
        self.file = file
        self.fid = file.fid
        self.parent = parent
        self.path: str = f"{parent.path}/{file.fid:04X}" if parent else f"{file.fid:04X}"
        self.key = f"{volume}:{self.path}"
        self.control = describe(file)
        self._answers: dict[int, bytes] = {}
        rule, self.content = file.acl, b""
        if isinstance(file, ElementaryFile):
            self.content = file.content
            if interface is Interface.CONTACTLESS:
                rule = file.contactless_acl
        self.acl = AccessRule.parse(rule)
        self.children: dict[int, Node] = {}
        self.short_identifiers: dict[int, Node] = {}

    def answer(self, template: int) -> bytes:
        """What SELECT answers: the file's control data in a template with this tag."""
        found = self._answers.get(template)
        if found is None:
            found = self._answers[template] = tlv.encode(template, self.control)
        return found

    @property
    def is_folder(self) -> bool:
        """Whether it is a DF (or the MF)."""
        return isinstance(self.file, DedicatedFile)

    @property
    def folder(self) -> Node:
        """The DF that is current once this file is selected: itself, or the parent of an EF."""
        return self if self.parent is None or isinstance(self.file, DedicatedFile) else self.parent


@dataclass(frozen=True, slots=True)
class FileSystem:
    """One volume as seen through one interface."""

    root: Node
    names: Mapping[bytes, Node]

    @classmethod
    def build(
        cls,
        volume: str,
        tree: DedicatedFile,
        interface: Interface,
        describe: Callable[[ElementaryFile | DedicatedFile], bytes],
    ) -> FileSystem:
        """Lay out a volume; ``describe`` gives what SELECT tells of a file, without the template around it.

        Raises ImageError if two files of a DF share an identifier, or two applications a name; AccessRuleError for a
        malformed access rule.
        """
        names: dict[bytes, Node] = {}

        def lay(file: ElementaryFile | DedicatedFile, parent: Node | None) -> Node:
            node = Node(file, parent, volume, interface, describe)
            if isinstance(file, DedicatedFile):
                if file.aid is not None and names.setdefault(file.aid, node) is not node:
                    raise ImageError(f"two applications of {volume} are named {file.aid.hex().upper()}")
                for child in file.children:
                    if child.only not in (None, interface):
                        continue
                    below = lay(child, node)
                    if node.children.setdefault(child.fid, below) is not below:
                        raise ImageError(f"two files of {volume} are at {below.path}")
                    sfi = child.sfi if isinstance(child, ElementaryFile) else None
                    if sfi is not None and node.short_identifiers.setdefault(sfi, below) is not below:
                        raise ImageError(f"two files of {volume}:{node.path} have short identifier {sfi:02X}")
            return node

        return cls(lay(tree, None), MappingProxyType(names))

    def walk(self) -> Iterator[Node]:
        """Every file that can be reached, parents first."""
        pending = [self.root]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(reversed(node.children.values()))

    def descend(self, start: Node, path: bytes) -> Node | None:
        """Follow a path of 2-byte identifiers down from a DF; None if a step is missing or the length is odd."""
        if len(path) % 2:
            return None
        node: Node | None = start
        for position in range(0, len(path), 2):
            node = node.children.get(path[position] << 8 | path[position + 1]) if node else None
        return node


Selector = Callable[[FileSystem, Node, bytes], Node | None]
"""(the volume, the current file, the command's data) -> the file meant, None if there is none."""


def by_identifier(files: FileSystem, current: Node, data: bytes) -> Node | None:
    """P1=00: nothing or 3F00 is the MF; else a child of the current DF, the DF itself, its parent or a sister DF."""
    if not data:
        return files.root
    if len(data) != 2:
        return None
    fid = data[0] << 8 | data[1]
    folder = current.folder
    if fid == MF:
        return files.root
    if (child := folder.children.get(fid)) is not None:
        return child
    if fid == folder.fid:
        return folder
    parent = folder.parent
    if parent is None:
        return None
    if fid == parent.fid:
        return parent
    sister = parent.children.get(fid)
    return sister if sister is not None and sister.is_folder else None


def child_folder(files: FileSystem, current: Node, data: bytes) -> Node | None:
    """P1=01: a DF below the current one."""
    node = files.descend(current.folder, data) if len(data) == 2 else None
    return node if node is not None and node.is_folder else None


def child_file(files: FileSystem, current: Node, data: bytes) -> Node | None:
    """P1=02: an EF below the current DF. A real client asks for 3F00 this way too, and gets the MF."""
    if data == b"\x3f\x00":
        return files.root
    node = files.descend(current.folder, data) if len(data) == 2 else None
    return node if node is not None and not node.is_folder else None


def parent_folder(files: FileSystem, current: Node, data: bytes) -> Node | None:
    """P1=03: the DF above the current one; it takes no data."""
    return None if data else current.folder.parent


def by_name(files: FileSystem, current: Node, data: bytes) -> Node | None:
    """P1=04: the application whose whole name is given."""
    return files.names.get(data)


def from_master(files: FileSystem, current: Node, data: bytes) -> Node | None:
    """P1=08: a path from the MF, whose own identifier is left out."""
    return files.descend(files.root, data) if data else None


def by_path(files: FileSystem, current: Node, data: bytes) -> Node | None:
    """P1=09: an absolute path if it starts with 3F00 (as IAS ECC clients send it), else one from the current DF."""
    if data[:2] == b"\x3f\x00":
        return files.descend(files.root, data[2:])
    return files.descend(current.folder, data) if data else None
