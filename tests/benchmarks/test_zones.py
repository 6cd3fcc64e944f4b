"""How fast zones are decoded and encoded, beside a bare loop over the same lengths in the same run.

Only the ratio to that loop is asserted: absolute figures belong to the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from bifente.simulator.zones import Group, decode, encode, make

#: Construct and the checks of the catalogue cost this many times a bare loop at most; about 7 and 4 when written.
MOST = 20


def card(beneficiaries: int) -> tuple[Group, ...]:
    groups = [
        make(101, {"card-type": "T", "serial-number": "123456789", "nir": "1801913055001", "nir-key": "27"}),
        make(102, {"service-code": "00", "start": "0" * 12, "end": "0" * 12}),
    ]
    for _ in range(beneficiaries):
        groups.append(make(104, {"usual-name": "TEST", "first-name": "PERSONNE", "birth-date": "198019010000"}))
        groups.append(make(105, {"start": "202601010000"}))
        period = {"start": "202601010000", "end": "202612310000", "ald-code": "0", "situation-code": "0100"}
        groups += [make(106, period)] * 3
    return tuple(groups)


def bare_decode(data: bytes) -> list[tuple[int, list[bytes]]]:
    """The least that reads such a zone: short and 81 lengths, no check."""
    groups = []
    at = 0
    while at < len(data):
        number = data[at] << 8 | data[at + 1]
        at += 2
        size = data[at]
        at += 1
        if size == 0x81:
            size = data[at]
            at += 1
        end = at + size
        fields = []
        while at < end:
            size = data[at]
            at += 1
            fields.append(data[at : at + size])
            at += size
        groups.append((number, fields))
    return groups


def bare_encode(groups: tuple[Group, ...]) -> bytes:
    out = bytearray()
    for group in groups:
        body = b"".join(bytes((len(field),)) + field for field in group.fields)
        length = bytes((len(body),)) if len(body) < 127 else bytes((0x81, len(body)))
        out += group.id.to_bytes(2, "big") + length + body
    return bytes(out)


def seconds(works: tuple[Callable[[], object], ...], count: int) -> list[float]:
    """The best of many short turns of each, taken by turns: what else runs on the machine slows all or none."""
    best = [float("inf")] * len(works)
    for _ in range(40):
        for index, work in enumerate(works):
            start = time.perf_counter()
            for _ in range(count):
                work()
            best[index] = min(best[index], (time.perf_counter() - start) / count)
    return best


@pytest.mark.parametrize("beneficiaries", [1, 19])
def test_zones_a_second(beneficiaries: int, capsys: pytest.CaptureFixture[str]) -> None:
    groups = card(beneficiaries)
    zone = encode(groups)
    assert bare_encode(groups) == zone
    assert [(group.id, list(group.fields)) for group in decode(zone)] == bare_decode(zone)
    count = 30 // beneficiaries
    for what, ours, bare in (
        ("decoded", lambda: decode(zone), lambda: bare_decode(zone)),
        ("encoded", lambda: encode(groups), lambda: bare_encode(groups)),
    ):
        us, reference = seconds((ours, bare), count)
        with capsys.disabled():
            print(
                f"\n  zones of {beneficiaries:2} beneficiaries ({len(zone)} bytes) {what}: {1 / us:,.0f}/s,"
                f" a bare loop {1 / reference:,.0f}/s, ratio {us / reference:.1f}",
                end="",
            )
        assert us / reference < MOST
