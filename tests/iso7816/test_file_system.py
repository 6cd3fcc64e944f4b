from __future__ import annotations

import pytest

from bifente.simulator.iso7816 import files
from bifente.simulator.iso7816.files import FileSystem, ImageError
from bifente.simulator.iso7816.image import DedicatedFile, ElementaryFile, Interface

READ = b"\x01\x00"
NAME = bytes.fromhex("A00000000101")


def _ef(fid: int, sfi: int | None = None) -> ElementaryFile:
    return ElementaryFile(fid, f"EF.{fid:04X}", b"content", READ, READ, sfi)


def _df(fid: int, *children: ElementaryFile | DedicatedFile, aid: bytes | None = None) -> DedicatedFile:
    return DedicatedFile(fid, f"DF.{fid:04X}", READ, children, aid)


TREE = _df(0x3F00, _ef(0x2F00), _df(0x1000, _ef(0x1001), _df(0x1100, _ef(0x1101)), aid=NAME), _df(0x2000, _ef(0x1001)))


def _build(tree: DedicatedFile, interface: Interface = Interface.CONTACT) -> FileSystem:
    return FileSystem.build("v", tree, interface, lambda file: b"")


FILES = _build(TREE)
AT = {node.path: node for node in FILES.walk()}


@pytest.mark.parametrize(
    ("select", "current", "data", "path"),
    [
        (files.by_identifier, "3F00/1000/1100/1101", "", "3F00"),
        (files.by_identifier, "3F00/1000/1100", "3F00", "3F00"),
        (files.by_identifier, "3F00", "2F00", "3F00/2F00"),
        (files.by_identifier, "3F00/1000/1001", "1100", "3F00/1000/1100"),  # beside the current EF
        (files.by_identifier, "3F00/1000/1001", "1000", "3F00/1000"),  # the current DF
        (files.by_identifier, "3F00/1000/1100", "1000", "3F00/1000"),  # its parent
        (files.by_identifier, "3F00/1000", "2000", "3F00/2000"),  # a sister DF
        (files.by_identifier, "3F00/1000", "2F00", None),  # but no file beside its parent
        (files.by_identifier, "3F00", "1001", None),  # nor below a child
        (files.by_identifier, "3F00", "3F", None),
        (files.child_folder, "3F00", "1000", "3F00/1000"),
        (files.child_folder, "3F00", "2F00", None),
        (files.child_file, "3F00/2000", "1001", "3F00/2000/1001"),
        (files.child_file, "3F00/2000", "3F00", "3F00"),
        (files.child_file, "3F00", "1000", None),
        (files.parent_folder, "3F00/1000/1100/1101", "", "3F00/1000"),
        (files.parent_folder, "3F00", "", None),
        (files.by_name, "3F00/2F00", NAME.hex(), "3F00/1000"),
        (files.by_name, "3F00", NAME[:-1].hex(), None),
        (files.by_name, "3F00", NAME.hex() + "00", None),
        (files.from_master, "3F00/2000", "10001100", "3F00/1000/1100"),
        (files.from_master, "3F00/2000", "3F001000", None),
        (files.by_path, "3F00/2000", "3F0010001001", "3F00/1000/1001"),
        (files.by_path, "3F00/2000", "3F00", "3F00"),
        (files.by_path, "3F00/1000/1001", "11001101", "3F00/1000/1100/1101"),  # from the current DF
        (files.by_path, "3F00/2000", "3F0010009999", None),
        (files.by_path, "3F00", "2F0010", None),
        (files.by_path, "3F00", "2F002F00", None),  # nothing below a file
    ],
)
def test_selection(select: files.Selector, current: str, data: str, path: str | None) -> None:
    found = select(FILES, AT[current], bytes.fromhex(data))
    assert (found.path if found else None) == path


@pytest.mark.parametrize(
    "tree",
    [
        _df(0x3F00, _ef(1), _ef(1)),
        _df(0x3F00, _ef(1), _df(1)),
        _df(0x3F00, _ef(1, 5), _ef(2, 5)),
        _df(0x3F00, _df(1, aid=NAME), _df(2, aid=NAME)),
    ],
)
def test_a_tree_with_two_files_for_one_name_is_refused(tree: DedicatedFile) -> None:
    with pytest.raises(ImageError):
        _build(tree)


def test_a_folder_may_be_for_one_interface_only() -> None:
    tree = _df(0x3F00, DedicatedFile(1, "here", READ, (_ef(2),), NAME, Interface.CONTACT))
    assert [node.path for node in _build(tree).walk()] == ["3F00", "3F00/0001", "3F00/0001/0002"]
    without = _build(tree, Interface.CONTACTLESS)
    assert [node.path for node in without.walk()] == ["3F00"]
    assert not without.names
