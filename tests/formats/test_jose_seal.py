from __future__ import annotations

import base64
import hashlib
import hmac
import json
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from bifente.simulator.formats.jose.refusals import SealError, SealRefusal
from bifente.simulator.formats.jose.seal import LONGEST_CONTENT, LONGEST_TOKEN, Seal, SigningKey, deflate, inflate

ACCESS = Seal("ES256", deflated=True)
PLAIN = Seal("RS256", deflated=False)
EC = SigningKey.es256("one")
RSA = SigningKey("two", RSAKey.generate_key(2048))
CLAIMS = {"sub": "x", "iat": 1}


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: dict[str, Any], content: bytes, key: SigningKey = EC) -> str:
    """Any header over any content, really signed with the key."""
    raw = f"{part(header)}.{part(content)}"
    algorithm = "ES256" if key is EC else "RS256"
    whole = jws.serialize_compact({"alg": algorithm}, b"", key.key, algorithms=[algorithm])
    assert whole
    model = jws.default_registry.get_alg(algorithm)
    return f"{raw}.{part(model.sign(raw.encode(), key.key))}"


def refused(token: str, seal: Seal = ACCESS, key: SigningKey = EC) -> SealRefusal:
    with pytest.raises(SealError) as error:
        seal.open(token, key.public)
    return error.value.reason


HEADER = {"alg": "ES256", "kid": "one", "typ": "JWT", "zip": "DEF"}
GOOD = deflate(json.dumps(CLAIMS).encode())


@pytest.mark.parametrize(("seal", "key"), [(ACCESS, EC), (PLAIN, RSA)])
def test_what_was_sealed_opens(seal: Seal, key: SigningKey) -> None:
    token = seal.close(CLAIMS, key.key, key.kid)
    assert seal.open(token, key.public) == CLAIMS
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert header == {"alg": seal.algorithm, "kid": key.kid, "typ": "JWT", **({"zip": "DEF"} if seal.deflated else {})}


def test_the_content_is_deflated_without_wrapper() -> None:
    content = ACCESS.close(CLAIMS, EC.key, "one").split(".")[1]
    packed = base64.urlsafe_b64decode(content + "=" * (-len(content) % 4))
    assert json.loads(zlib.decompress(packed, -15)) == CLAIMS


def test_the_hand_made_token_of_these_tests_is_a_good_one() -> None:
    assert ACCESS.open(signed(HEADER, GOOD), EC.public) == CLAIMS


def test_a_public_key_cannot_sign() -> None:
    assert not next(iter(EC.public.values())).is_private
    assert "PRIVATE" not in repr(EC)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "....",
        "e30.e30.",
        f"{part([])}.e30.e30",
        f"{part(['alg'])}.e30.AAAA",
        "é.e30.AAAA",
        f"{part({'alg': 'ES256'})}=.e30.AAAA",
        f"{part(b'[' * 600)}.e30.AAAA",
        "e30.e30.e30.e30",
        "\x00.\x00.\x00",
    ],
)
def test_what_is_no_jws_is_malformed(token: str) -> None:
    assert refused(token) is SealRefusal.MALFORMED


def test_a_token_longer_than_a_header_is_not_even_read() -> None:
    token = ACCESS.close(
        {**CLAIMS, "more": "".join(hashlib.sha256(bytes([i])).hexdigest() for i in range(90))}, EC.key, "one"
    )
    assert len(token) > LONGEST_TOKEN
    assert refused(token) is SealRefusal.MALFORMED


def test_none_and_confused_algorithms_are_refused() -> None:
    content = part(GOOD)
    for name in ("none", "None", "nOnE"):
        assert refused(f"{part({**HEADER, 'alg': name})}.{content}.") is SealRefusal.ALGORITHM
    # The classic: the public key, which everyone knows, as the secret of an HMAC.
    public = next(iter(EC.public.values()))
    assert isinstance(public, ECKey)
    raw = f"{part({**HEADER, 'alg': 'HS256'})}.{content}"
    mac = hmac.new(public.as_pem(private=False), raw.encode(), hashlib.sha256).digest()
    assert refused(f"{raw}.{part(mac)}") is SealRefusal.ALGORITHM
    # And the same bytes under a header that claims the agreed algorithm.
    raw = f"{part(HEADER)}.{content}"
    mac = hmac.new(public.as_pem(private=False), raw.encode(), hashlib.sha256).digest()
    assert refused(f"{raw}.{part(mac)}") is SealRefusal.SIGNATURE
    assert (
        refused(jws.serialize_compact({"alg": "HS256", "kid": "one"}, b"{}", OctKey.generate_key()))
        is SealRefusal.ALGORITHM
    )


def test_a_key_of_another_kind_under_the_agreed_name_does_not_verify() -> None:
    # kid "two" names an RSA key among the accepted: an ES256 token that names it must not be verified with it.
    with pytest.raises(SealError) as error:
        ACCESS.open(signed({**HEADER, "kid": "two"}, GOOD), {**EC.public, **RSA.public})
    assert error.value.reason is SealRefusal.SIGNATURE


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kid": "three"}, SealRefusal.UNKNOWN_KEY),
        ({"kid": None}, SealRefusal.UNKNOWN_KEY),
        ({"kid": ["one"]}, SealRefusal.UNKNOWN_KEY),
        ({"zip": None}, SealRefusal.COMPRESSION),
        ({"zip": "GZ"}, SealRefusal.COMPRESSION),
        ({"zip": ["DEF"]}, SealRefusal.COMPRESSION),
        ({"alg": "RS256"}, SealRefusal.ALGORITHM),
        ({"alg": ["ES256"]}, SealRefusal.ALGORITHM),
        ({"alg": {}}, SealRefusal.ALGORITHM),
        ({"jwk": {"kty": "EC"}}, SealRefusal.MALFORMED),
        ({"jku": "https://example.invalid/keys"}, SealRefusal.MALFORMED),
        ({"crit": ["exp"]}, SealRefusal.MALFORMED),
    ],
)
def test_a_header_that_is_not_the_agreed_one_is_refused(change: dict[str, Any], reason: SealRefusal) -> None:
    assert refused(signed({**HEADER, **change}, GOOD)) is reason


def test_an_unencoded_payload_is_refused() -> None:
    assert refused(signed({**HEADER, "b64": False, "crit": ["b64"]}, GOOD)) is SealRefusal.MALFORMED


def test_the_key_of_another_laboratory_does_not_verify() -> None:
    assert refused(ACCESS.close(CLAIMS, SigningKey.es256("one").key, "one")) is SealRefusal.SIGNATURE


@given(st.data())
def test_a_changed_token_never_opens(data: st.DataObject) -> None:
    token = ACCESS.close(CLAIMS, EC.key, "one")
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."))
    changed = token[:place] + other + token[place + 1 :]
    if changed != token:
        refused(changed)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: f"{part(HEADER)}.{part(raw)}.{part(raw)}"))
def test_anything_else_is_refused_in_words(token: str) -> None:
    assert refused(token)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xff",
        GOOD[:-1],
        GOOD + b"x",
        zlib.compress(b"{}"),
        deflate(b"{}") + GOOD,
        deflate(b" " * (LONGEST_CONTENT + 1)),
        deflate(b"0" * 2_000_000),
    ],
)
def test_a_content_that_does_not_inflate_as_agreed_is_refused(content: bytes) -> None:
    assert refused(signed(HEADER, content)) is SealRefusal.COMPRESSION


def test_a_bomb_is_not_inflated_beyond_the_bound() -> None:
    bomb = deflate(b"0" * 3_000_000)
    assert len(bomb) < LONGEST_TOKEN
    tracemalloc.start()
    try:
        with pytest.raises(SealError, match=f"more than {LONGEST_CONTENT} bytes"):
            inflate(bomb)
        assert tracemalloc.get_traced_memory()[1] < 20 * LONGEST_CONTENT
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=LONGEST_CONTENT))
def test_deflate_and_inflate_are_inverse(content: bytes) -> None:
    assert inflate(deflate(content)) == content


@pytest.mark.parametrize("content", [b"", b"[]", b"1", b"{", b"[" * 4000, b"\xff"])
def test_a_signed_content_that_is_no_json_object_is_refused(content: bytes) -> None:
    assert refused(signed(HEADER, deflate(content))) is SealRefusal.CLAIMS
