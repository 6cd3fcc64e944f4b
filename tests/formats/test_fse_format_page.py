"""docs/fse-format.md is enough to read a lot and a file: done here by its words alone, with no code of the bench."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from securing_bench import AT, PIN, Practice

from bifente.simulator.formats.fse.files import make_file
from bifente.simulator.formats.fse.lots import encode_lot, make_lots, numbers
from bifente.simulator.formats.fse.model import LotKind
from bifente.simulator.formats.fse.securing.codec import encode_secured
from bifente.simulator.software.billing.series import LotSeries


def length(data: bytes, at: int) -> tuple[int, int]:
    more = {0x81: 1, 0x82: 2}.get(data[at])
    return (data[at], at + 1) if more is None else (int.from_bytes(data[at + 1 : at + 1 + more], "big"), at + 1 + more)


def zone(data: bytes) -> list[tuple[int, list[bytes]]]:
    groups, at = [], 0
    while at < len(data):
        number, (size, at) = int.from_bytes(data[at : at + 2], "big"), length(data, at + 2)
        end, fields = at + size, []
        while at < end:
            size, at = length(data, at)
            fields.append(data[at : at + size])
            at += size
        groups.append((number, fields))
    return groups


def frames(data: bytes) -> Iterator[bytes]:
    while data:
        size = int.from_bytes(data[:4], "big")
        yield data[4 : 4 + size]
        data = data[4 + size :]


def test_the_page_is_enough() -> None:
    practice = Practice()
    sheets = [practice.secured(number=number) for number in (1, 2)]
    (lot,) = make_lots(sheets, on=AT.date(), numbers=numbers(LotKind.FSE))
    lot = LotSeries.at(practice.desk).format(lot, PIN)
    file = make_file([lot], number=7)
    assert file.name == "TP00000991000019-013490349-20260303-007.fse"

    head, data = frames(file.data)
    (number, fields), (checksum, (digest,)) = zone(head)
    assert (number, fields[0], fields[1], checksum) == (9520, b"BIFENTE LABORATOIRE", b"1", 9509)
    assert fields[2:] == [b"TP00000991000019", b"013490349", b"fse", b"007", b"20260303", b"1"]
    assert digest == hashlib.sha256(head[: -len(digest) - 4]).digest()
    assert data == encode_lot(lot)

    size = int.from_bytes(data[:4], "big")
    header, rest = data[: 4 + size], data[4 + size :]
    ((number, fields),) = zone(header[4:])
    assert number == 9501
    assert fields[:8] == [b"BIFENTE LABORATOIRE", b"1", b"fse", b"000", b"991000019", b"013490349", b"20260303", b"2"]
    signed = header
    for rank in (1, 2):
        size = int.from_bytes(rest[36:40], "big")
        item = rest[40 : 40 + size]
        assert (int.from_bytes(rest[:4], "big"), rest[4:36]) == (rank, hashlib.sha256(item).digest())
        assert item == encode_secured(sheets[rank - 1])
        assert [group for group, _ in zone(item)] == [9800, 9801, 9802, 9803, 9809]
        signed += rest[:36]
        rest = rest[40 + size :]
    (signature,) = frames(rest)
    (number, (who, certificate, value, _moment)), (checksum, _) = zone(signature)
    assert (number, who, checksum) == (9502, b"professional", 9509)
    key = x509.load_der_x509_certificate(certificate).public_key()
    key.verify(value, signed, PKCS1v15(), SHA256())  # type: ignore[call-arg,union-attr]
