from __future__ import annotations

import socket
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.pcsc import vpcd
from bifente.simulator.pcsc.vpcd import MAX_PAYLOAD, CardConnection, Control, VpcdDecoder, connect, control_of, encode

payloads = st.lists(st.binary(min_size=1, max_size=600), max_size=6)


def chunks(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


@given(payloads, st.lists(st.integers(0, 4000), max_size=30))
def test_what_is_encoded_is_decoded_however_it_is_cut(messages: list[bytes], cuts: list[int]) -> None:
    decoder = VpcdDecoder()
    stream = b"".join(map(encode, messages))
    assert [payload for chunk in chunks(stream, cuts) for payload in decoder.feed(chunk)] == messages
    assert decoder.pending == 0


@given(st.lists(st.binary(max_size=300), max_size=30))
def test_any_bytes_are_decoded_without_loss_nor_growth(pieces: list[bytes]) -> None:
    decoder = VpcdDecoder()
    kept = 0
    for piece in pieces:
        kept += sum(2 + len(payload) for payload in decoder.feed(piece))
        assert decoder.pending < 2 + MAX_PAYLOAD
    assert kept + decoder.pending == sum(map(len, pieces))


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=20))
def test_cutting_changes_nothing(stream: bytes, cuts: list[int]) -> None:
    whole, cut = VpcdDecoder(), VpcdDecoder()
    assert whole.feed(stream) == [payload for chunk in chunks(stream, cuts) for payload in cut.feed(chunk)]
    assert whole.pending == cut.pending


def test_the_longest_message_goes_through() -> None:
    assert VpcdDecoder().feed(encode(bytes(MAX_PAYLOAD))) == [bytes(MAX_PAYLOAD)]


@pytest.mark.parametrize("payload", [b"", bytes(MAX_PAYLOAD + 1)])
def test_what_would_block_or_not_fit_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match="1 to 65535 bytes"):
        encode(payload)


@given(st.binary(max_size=3))
def test_only_four_bytes_are_controls(payload: bytes) -> None:
    controls = {b"\0": Control.POWER_OFF, b"\1": Control.POWER_ON, b"\2": Control.RESET, b"\4": Control.GET_ATR}
    assert control_of(payload) == controls.get(payload)


class SpySocket:
    """Records the calls that the 40 ms trap depends on."""

    family = socket.AF_INET

    def __init__(self) -> None:
        self.calls: list[object] = []

    def settimeout(self, _: object) -> None: ...

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self.calls.append((level, option, value))

    def recv(self, _: int) -> bytes:
        self.calls.append("recv")
        return b"\0\1\4"

    def sendall(self, data: bytes) -> None:
        self.calls.append(data)


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="TCP_QUICKACK exists on Linux only")
def test_quickack_precedes_every_recv_and_a_reply_is_one_write() -> None:
    spy = SpySocket()
    connection = CardConnection(spy)  # type: ignore[arg-type]
    for _ in range(3):
        assert connection.receive() == [b"\4"]
    connection.send(b"\x90\x00")
    quickack = (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    assert spy.calls == [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        *([quickack, "recv"] * 3),
        b"\0\2\x90\x00",
    ]


def test_nobody_listening_is_an_error() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="refused"):
            vpcd.tcp_connect(deaf.getsockname()[1])


def test_a_client_that_meets_itself_is_refused() -> None:
    # TCP's simultaneous open: a socket bound to the very port it calls connects to itself.
    narcissus = socket.socket()
    narcissus.bind(("127.0.0.1", 0))
    with pytest.raises(ConnectionRefusedError, match="nothing listens"):
        connect(narcissus, narcissus.getsockname()[1])
