from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.iso7816.hashing import BLOCK, HashingError, advance, begin, finish, state_size
from bifente.simulator.iso7816.image import Digest

INITIAL = {
    Digest.SHA1: bytes.fromhex("67452301EFCDAB8998BADCFE10325476C3D2E1F0"),
    Digest.SHA256: bytes.fromhex("6A09E667BB67AE853C6EF372A54FF53A510E527F9B05688C1F83D9AB5BE0CD19"),
}


@given(st.sampled_from(Digest), st.integers(1, 4), st.binary(max_size=130), st.randoms(use_true_random=False))
def test_any_split_gives_the_hash_of_the_whole(digest: Digest, blocks: int, rest: bytes, random: object) -> None:
    begun = random.randbytes(blocks * BLOCK)  # type: ignore[attr-defined]
    state = advance(digest, INITIAL[digest], begun)
    assert finish(digest, state, 8 * len(begun), rest) == hashlib.new(digest, begun + rest).digest()


@given(st.sampled_from(Digest), st.binary(max_size=200))
def test_a_message_not_begun_is_hashed_whole(digest: Digest, message: bytes) -> None:
    assert finish(digest, b"", 0, message) == hashlib.new(digest, message).digest()


@pytest.mark.parametrize("digest", list(Digest))
@pytest.mark.parametrize("bits", [-512, 0, 1, 511, 513, (1 << 64) - 512 + 512])
def test_a_count_that_no_block_gives_is_refused(digest: Digest, bits: int) -> None:
    with pytest.raises(HashingError):
        finish(digest, INITIAL[digest], bits, b"end")


@pytest.mark.parametrize("digest", list(Digest))
def test_a_state_of_another_size_is_refused(digest: Digest) -> None:
    for size in (0, state_size(digest) - 1, state_size(digest) + 1):
        with pytest.raises(HashingError):
            finish(digest, bytes(size), 512, b"end")
    with pytest.raises(HashingError):
        advance(digest, INITIAL[digest], bytes(BLOCK - 1))


@given(st.sampled_from(Digest), st.integers(0, 4), st.integers(0, 4), st.randoms(use_true_random=False))
def test_messages_that_begin_alike_are_each_hashed_as_they_are(
    digest: Digest, alike: int, more: int, random: object
) -> None:
    begun = random.randbytes(alike * BLOCK)  # type: ignore[attr-defined]
    for message in (begun + random.randbytes(more * BLOCK) for _ in range(2)):  # type: ignore[attr-defined]
        assert begin(digest, message) == advance(digest, INITIAL[digest], message)


@pytest.mark.parametrize("digest", list(Digest))
def test_one_bit_of_an_earlier_block_is_another_state(digest: Digest) -> None:
    message = bytes(3 * BLOCK)
    states = {begin(digest, message), begin(digest, b"\1" + message[1:]), begin(digest, message[:-1] + b"\1")}
    assert len(states) == 3


@pytest.mark.parametrize("digest", list(Digest))
@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK + 1])
def test_a_beginning_that_is_no_whole_number_of_blocks_is_refused(digest: Digest, size: int) -> None:
    with pytest.raises(HashingError):
        begin(digest, bytes(size))
