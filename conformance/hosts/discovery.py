"""Where the files of a card lie, as its PKCS#15 directories say: the way to read a card whose layout is not ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.hosts.cps3 import Cps3Host
from simulator.cards.layout import Layout
from simulator.personalisation import cps3
from simulator.personalisation.pkcs15 import (
    CertificateObject,
    DataObject,
    ObjectDirectory,
    Pkcs15Error,
    load,
)

_OK = 0x9000


def discover(host: Cps3Host, layout: Layout) -> Mapping[str, bytes]:
    """Absolute paths by the names of the layout: certificates, and data objects by their labels.

    What cannot be read is left out: a card without directories gives an empty mapping. Raises TargetError.
    """
    directories = {entry.name: entry.native["path"] for entry in _entries(host, layout.path("EF.ODF"), ObjectDirectory)}
    found: dict[str, bytes] = {}
    labels = {files.certificate_label: files.certificate_file for files in cps3.KEYS}
    for entry in _entries(host, directories.get("certificates", b""), CertificateObject):
        name = labels.get(entry["common"]["label"].native)
        if name is not None:
            found[name] = entry["type_attributes"].native["value"]["path"]
    for entry in _entries(host, directories.get("data_objects", b""), DataObject):
        found[entry["common"]["label"].native] = entry["type_attributes"].native["path"]
    return found


def _entries(host: Cps3Host, path: bytes, kind: type[Any]) -> tuple[Any, ...]:
    if not path:
        return ()
    answer = host.read(path)
    if answer.sw != _OK:
        return ()
    try:
        return load(kind, answer.data)
    except Pkcs15Error:
        return ()
