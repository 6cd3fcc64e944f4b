"""Of which family a card is, and where its files lie: the way to read a card that is not ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bifente.simulator.cards.cpx.description import description
from bifente.simulator.cards.cpx.pkcs15 import (
    CertificateObject,
    DataObject,
    ObjectDirectory,
    Pkcs15Error,
    load,
)
from bifente.simulator.cards.cpx.template import FAMILIES
from bifente.simulator.cards.families import family_named
from bifente.simulator.cards.host import OK, CardHost
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816 import tlv

_MF, _DEFAULT_FOLDER = b"\x3f\x00", b"\x3f\x00\x50\x15"
_APPLICATION, _AID, _PATH = 0x61, 0x4F, 0x51


def families_of(atr: bytes) -> tuple[str, ...]:
    """The families whose cards answer a reset like this; all of them, to be tried in turn, if none is known to."""
    known = tuple(family for family in FAMILIES for atrs in family_named(family).atrs().values() if atr in atrs)
    return known or FAMILIES


def discover(host: CardHost, layout: Layout) -> Mapping[str, bytes]:
    """Absolute paths by the names of the layout: certificates, and data objects, by their labels.

    What cannot be read is left out: a card without directories gives an empty mapping. Raises ScardError.
    """
    folder = _folder(host, layout)
    entries = _entries(host, folder + layout.path("EF.ODF")[-2:], ObjectDirectory)
    directories = {entry.name: entry.native["path"] for entry in entries}
    found: dict[str, bytes] = {}
    labels = {files.certificate_label: files.certificate_file for files in description(layout.family).keys}
    for entry in _entries(host, directories.get("certificates", b""), CertificateObject):
        name = labels.get(entry["common"]["label"].native)
        if name is not None:
            found[name] = entry["type_attributes"].native["value"]["path"]
    for entry in _entries(host, directories.get("data_objects", b""), DataObject):
        found[entry["common"]["label"].native] = entry["type_attributes"].native["path"]
    return found


def _folder(host: CardHost, layout: Layout) -> bytes:
    """The folder of the application that EF.DIR tells; the default one where it tells of another or of none."""
    aid = layout.aids[description(layout.family).application]
    try:
        entries = tlv.parse(host.read(layout.path("EF.DIR")).data)
    except tlv.TlvError:
        entries = ()
    for entry in entries:
        name, path = entry.find(_AID), entry.find(_PATH)
        if entry.tag == _APPLICATION and name and path and name.value == aid:
            return path.value if path.value.startswith(_MF) else _MF + path.value
    return _DEFAULT_FOLDER


def _entries(host: CardHost, path: bytes, kind: type[Any]) -> tuple[Any, ...]:
    if not path:
        return ()
    answer = host.read(path)
    if answer.sw != OK:
        return ()
    try:
        return load(kind, answer.data)
    except Pkcs15Error:
        return ()
