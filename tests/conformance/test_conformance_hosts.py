"""The hosts of the card families on the cards of the templates.

They are tested from here because conformance makes those cards (``Workshop``) and runs the suites whose steps call
the hosts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

import pytest
from conformance_bench import Lab, Ran, scenario_text, steps_text, suite_text
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.conformance.bench.cards import SeatedCard
from bifente.conformance.model import CardChoice
from bifente.reports.verdict import Verdict
from bifente.simulator.cards.cpx.discovery import discover, families_of
from bifente.simulator.cards.cpx.template import FAMILIES
from bifente.simulator.cards.dialogue import Dialogue, Exchanged
from bifente.simulator.cards.families import families, host_for
from bifente.simulator.cards.host import CardHost, NotOnThisCardError
from bifente.simulator.cards.layout import Layout
from bifente.simulator.cards.padding import deciphered, digest_info, enciphered, to_sign
from bifente.simulator.iso7816.engine import SmartCard

CPS4 = "bench: {cards: {cps: {template: medecin-generaliste, family: cps4}}}"
SELECT = "01A4040C088025000001FF0100"
NAMES = ("EF.C.SIG", "EF.C.AUT", "CPS_DATA", "CPS_NAME_PS", "CPS_ACTIVITY_05_PS")
WITH_DATA: dict[str, dict[str, str]] = {"options": {"cps_data": "modifiable"}}
"""A CPS4 that has CPS_DATA, which one has not by itself."""


class Direct:
    """A card without a reader in between; what passes is noted in hexadecimal."""

    def __init__(self, card: SmartCard) -> None:
        self.card = card
        self.atr = card.power_on()

    def transmit(self, command: bytes) -> bytes:
        return self.card.transmit(command)

    def reset(self, *, cold: bool) -> bytes:
        return self.card.reset()

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def disconnect(self) -> None: ...


class Bound:
    """A card, its host, and the exchanges since the last look."""

    def __init__(self, seated: SeatedCard) -> None:
        self.seated = seated
        self._sent: list[Exchanged] = []
        self.dialogue = Dialogue(Direct(seated.card), self._sent.append)
        self.host: CardHost = host_for(self.dialogue, seated.layout)

    def sent(self) -> list[str]:
        told = [exchanged.command.hex().upper() for exchanged in self._sent]
        self._sent.clear()
        return told

    def raw(self, command: str) -> int:
        return self.dialogue.raw(bytes.fromhex(command)).sw


Maker = Callable[..., Bound]


@pytest.fixture
def bind(lab: Lab) -> Maker:
    def bind(family: str = "cps4", **changes: object) -> Bound:
        choice = CardChoice.model_validate({"template": "medecin-generaliste", "family": family, **changes})
        return Bound(lab.workshop.make(choice, Random(1), at=datetime(2026, 6, 1, tzinfo=UTC)))

    return bind


def test_every_family_has_a_host() -> None:
    assert {name for name, family in families().items() if family.host} == {*FAMILIES, "vitale2"}


# -- what the real Cryptolib sends to a CPS4 (facts, section 7) --------------------------------------------------------


def test_the_first_command_opens_the_channel_and_the_next_do_not(bind: Maker) -> None:
    bound = bind()
    read = bound.host.read(bound.seated.path("EF.SN"))
    assert read.data.hex() == "5a0a8025000001994000013f"
    assert bound.sent() == [SELECT, "01A4080002D003", "01C0000010", "01B000000C"]
    assert bound.host.verify(1, b"").sw == 0x63C3
    assert bound.sent() == ["0120000100"]


def test_a_channel_opened_by_hand_is_not_opened_again(bind: Maker) -> None:
    bound = bind()
    assert bound.raw(SELECT) == bound.raw("012000010431323334") == 0x9000
    bound.sent()
    assert bound.host.read(bound.seated.path("CPS_ACTIVITY_01_PS")).sw == 0x9000  # the code would be lost
    assert SELECT not in bound.sent()


def test_a_reset_has_the_channel_opened_anew(bind: Maker) -> None:
    bound = bind()
    bound.host.challenge(8)
    bound.dialogue.reset(cold=True)
    bound.sent()
    assert len(bound.host.challenge(8).data) == 8
    assert bound.sent() == [SELECT, "0184000008"]


def test_a_channel_that_does_not_open_ends_the_sequence(bind: Maker) -> None:
    bound = bind()
    bound.dialogue.connection.transmit = lambda command: b"\x6a\x82"  # type: ignore[method-assign]
    assert bound.host.sign("signature", "sha256", b"x").sw == 0x6A82
    assert bound.sent() == [SELECT, "01A4040C07A0000001510000", "00A4040C088025000001FF0002", SELECT]


def test_an_application_held_elsewhere_is_freed(bind: Maker) -> None:
    bound = bind()
    assert bound.raw("00" + SELECT[2:]) == 0x9000
    bound.sent()
    assert bound.host.read(bound.seated.path("EF.SN")).sw == 0x9000
    assert bound.sent()[:4] == [SELECT, "01A4040C07A0000001510000", "00A4040C088025000001FF0002", SELECT]


def test_a_signature_is_two_commands_and_the_host_hashes(bind: Maker) -> None:
    bound = bind()
    bound.host.verify(1, b"1234")
    for key, digest, scheme, named in (
        ("signature", "sha256", "pkcs1", "2890"),
        ("signature", "sha1", "pkcs1", "0A90"),
        ("signature", "sha1", "pss", "1590"),
        ("authentication", "sha256", "pss", "2CA0"),
    ):
        bound.sent()
        assert len(bound.host.sign(key, digest, b"hello", scheme).data) == 256
        choice, order, fetch = bound.sent()
        size = 20 if digest == "sha1" else 32
        assert (choice, order[:10], len(order), fetch) == (
            f"012281B6049102{named}",
            f"012A9E9A{size:02X}",
            10 + 2 * size,
            "01C0000000",
        )


def test_authenticating_and_deciphering_are_the_same_two_chained_parts(bind: Maker) -> None:
    bound = bind()
    bound.host.verify(1, b"1234")
    public = bound.seated.facts["certificates"]["authentication"].public_key()
    bound.sent()
    signed = bound.host.authenticate("authentication", b"data").data
    choice, first, last, fetch = bound.sent()
    assert (choice, fetch) == ("012241B803830120", "01C0000000")
    assert first == "112A8086FF" + "0001" + "FF" * 249 + "00" + b"data".hex()[:6].upper()
    assert last == "012A808601" + "61"
    assert public.recover_data_from_signature(signed, padding.PKCS1v15(), None) == b"data"
    assert bound.host.decipher("authentication", enciphered(public, b"secret", Random(1))).data == b"secret"
    assert [command[:10] for command in bound.sent()] == ["012241B803", "112A8086FF", "012A808601", "01C0000000"]


def test_what_holds_no_padding_is_given_as_it_is(bind: Maker) -> None:
    bound = bind()
    bound.host.verify(1, b"1234")
    assert bound.host.decipher("authentication", bytes(256)).data == bytes(256)


def test_a_change_and_an_unblocking_are_those_of_the_cryptolib(bind: Maker) -> None:
    bound = bind()
    bound.host.open()
    bound.sent()
    assert bound.host.change(1, b"1234", b"4321").sw == 0x9000
    assert bound.sent() == ["012000010431323334", "012401010434333231"]
    assert bound.host.change(1, b"1234", b"1111").sw == 0x63C2
    assert bound.sent() == ["012000010431323334"]  # a refused old code ends it
    assert bound.host.verify(2, b"12345678").sw == 0x9000
    bound.sent()
    assert bound.host.reset_retry(1, b"2222").sw == 0x9000
    assert bound.sent() == ["012C038100", "012401010432323232"]


def test_counters_are_asked_by_an_empty_verify(bind: Maker) -> None:
    bound = bind()
    assert bound.host.counters(1)[1] == {"tries-left": 3}
    for _ in range(3):
        bound.host.verify(1, b"0000")
    response, counters = bound.host.counters(1)
    assert (response.sw, counters) == (0x6983, {"tries-left": 0})
    # A code that a CPS4 does not have is told as a blocked one (docs/facts.md).
    response, counters = bound.host.counters(7)
    assert (response.sw, counters) == (0x6983, {"tries-left": 0})


def test_counters_that_a_card_does_not_tell_are_none(bind: Maker) -> None:
    bound = bind()
    bound.host.open()
    bound.dialogue.connection.transmit = lambda command: b"\x6a\x88"  # type: ignore[method-assign]
    assert bound.host.counters(1)[1] == {}


def test_with_t1_a_length_is_sent_and_nothing_is_fetched(bind: Maker) -> None:
    bound = bind(options={"atr": "t1"})
    assert bound.host.read(bound.seated.path("EF.SN")).sw == bound.host.verify(1, b"1234").sw == 0x9000
    assert bound.sent() == [SELECT, "01A4080002D00300", "01B000000C", "012000010431323334"]
    assert len(bound.host.sign("signature", "sha256", b"x").data) == 256
    assert [command[-2:] for command in bound.sent()] == ["90", "00"]
    assert len(bound.host.authenticate("authentication", b"x").data) == 256
    assert not any(command.startswith("01C0") for command in bound.sent())


def test_the_root_and_what_is_below_it_are_selected_from_the_root(bind: Maker) -> None:
    bound = bind(**WITH_DATA)
    bound.host.open()
    bound.sent()
    assert bound.host.select_file(bound.seated.path("MF")).sw == 0x9000
    assert bound.host.select_file(bound.seated.path("CPS_DATA")).sw == 0x9000
    assert bound.sent() == ["01A4000C023F00", "01A4080C040001D107"]


# -- both families ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_calls_have_the_same_outcome(bind: Maker, family: str) -> None:
    bound = bind(family, **(WITH_DATA if family == "cps4" else {}))
    host, card = bound.host, bound.seated
    certificates = card.facts["certificates"]
    assert host.open().sw == 0x9000
    assert host.read(card.path("CPS_ACTIVITY_01_PS")).sw == 0x6982
    assert host.sign("signature", "sha256", b"m").sw == host.authenticate("authentication", b"m").sw == 0x6982
    assert host.verify(1, b"1234").sw == 0x9000
    assert host.read(card.path("CPS_SIT_FACT"), card.volume("CPS_SIT_FACT")).data[:1] == b"\xe0"
    secret = enciphered(certificates["authentication"].public_key(), b"secret", Random(1))
    assert host.decipher("authentication", secret).data == b"secret"
    assert host.select_file(card.path("CPS_DATA")).sw == host.update_binary(0, b"ab").sw == 0x9000
    assert host.read(card.path("CPS_DATA")).data.startswith(b"ab")
    assert host.change(1, b"1234", b"4321").sw == host.verify(2, b"12345678").sw == 0x9000
    assert host.reset_retry(1, b"1111").sw == host.verify(1, b"1111").sw == 0x9000
    assert host.counters(1)[1]["tries-left"] == 3


@pytest.mark.parametrize("family", FAMILIES)
def test_a_key_is_used_wherever_the_host_was_before(bind: Maker, family: str) -> None:
    bound = bind(family)
    host, public = bound.host, bound.seated.facts["certificates"]["signature"].public_key()
    hashed = hashlib.sha256(b"m").digest()
    cryptogram = enciphered(bound.seated.facts["certificates"]["authentication"].public_key(), b"secret", Random(1))
    host.verify(1, b"1234")
    for use in (
        lambda: host.sign("signature", "sha256", b"m"),
        lambda: host.sign_hash("signature", "sha256", hashed),
        lambda: host.authenticate("authentication", b"m"),
        lambda: host.decipher("authentication", cryptogram),
    ):
        assert host.read(bound.seated.path("EF.SN")).sw == 0x9000  # outside the folder of the keys
        assert use().sw == 0x9000
    host.read(bound.seated.path("EF.SN"))
    public.verify(host.sign_hash("signature", "sha256", hashed).data, b"m", padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("cps3", {}),
        ("cps4", WITH_DATA),
        ("cps4", {"options": {**WITH_DATA["options"], "directory": "absent"}}),
        ("cps4", {"options": {**WITH_DATA["options"], "folder": "0077"}}),
        ("cps4", {**WITH_DATA, "layout": {"volumes": {"chipdoc": [{"name": "EF.C.SIG", "path": "3F00/0001/C0FF"}]}}}),
    ],
)
def test_a_card_s_own_directories_tell_where_its_files_lie(
    bind: Maker, family: str, changes: dict[str, object]
) -> None:
    bound = bind(family, **changes)
    found = discover(bound.host, Layout.load(family))
    assert {name: bound.seated.path(name) for name in NAMES} == {name: found[name] for name in NAMES}
    assert families_of(bound.dialogue.connection.atr) == (family,)


def test_a_cps4_as_its_family_is_has_no_holder_data_and_tells_none(bind: Maker) -> None:
    bound = bind()
    found = discover(bound.host, Layout.load("cps4"))
    assert {name: bound.seated.path(name) for name in NAMES if name != "CPS_DATA"}.items() <= found.items()
    assert "CPS_DATA" not in found
    assert bound.host.select_file(bound.seated.path("CPS_DATA")).sw == 0x6A82


def test_a_card_without_directories_tells_nothing(bind: Maker) -> None:
    bound = bind()
    assert discover(host_for(bound.dialogue, Layout.load("cps3")), Layout.load("cps3")) == {}
    assert families_of(b"\x3b\x00") == tuple(FAMILIES)


@pytest.mark.parametrize(
    ("family", "asked", "why"),
    [
        ("cps4", lambda host: host.hash_last_block("sha256", b"x"), "a CPS4 does not hash: the host gives it"),
        ("cps4", lambda host: host.compute_signature("signature", "sha256"), "a CPS4 does not hash"),
        (
            "cps4",
            lambda host: host.authenticate("authentication", bytes(246)),
            "a CPS4 does not sign: a message of 246",
        ),
        ("cps3", lambda host: host.sign("signature", "sha256", b"x", "pss"), "a CPS3 has no algorithm sign sha256 pss"),
    ],
)
def test_what_a_family_does_not_have_is_said(
    bind: Maker, family: str, asked: Callable[[CardHost], object], why: str
) -> None:
    bound = bind(family)
    with pytest.raises(NotOnThisCardError) as raised:
        asked(bound.host)
    assert raised.value.why.en.startswith(why)
    assert raised.value.why.fr.startswith(f"une {family.upper()} ")
    assert not bound.sent()


# -- what the host computes -------------------------------------------------------------------------------------------

PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505


@given(message=st.binary(max_size=117), seed=st.integers(0, 100))
@settings(max_examples=50)
def test_the_library_undoes_what_the_host_does(message: bytes, seed: int) -> None:
    assert PRIVATE.decrypt(enciphered(PRIVATE.public_key(), message, Random(seed)), padding.PKCS1v15()) == message
    block = b"\x00\x02" + bytes(Random(seed).randint(1, 255) for _ in range(125 - len(message))) + b"\x00" + message
    assert deciphered(block) == message
    signature = pow(int.from_bytes(to_sign(message, 128), "big"), PRIVATE.private_numbers().d, _modulus())
    public = PRIVATE.public_key()
    assert public.recover_data_from_signature(signature.to_bytes(128, "big"), padding.PKCS1v15(), None) == message


def _modulus() -> int:
    return PRIVATE.public_key().public_numbers().n


@given(block=st.binary(max_size=300))
def test_any_block_is_a_message_or_stays_as_it_is(block: bytes) -> None:
    assert deciphered(block) == block or block.endswith(deciphered(block))


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\x00",
        b"\x00\x02",
        b"\x00\x02" + b"\x01" * 7 + b"\x00key",
        b"\x00\x01" + b"\xff" * 8 + b"\x00key",
        bytes(9),
    ],
)
def test_what_is_no_encryption_block_is_left_alone(block: bytes) -> None:
    assert deciphered(block) == block


def test_what_does_not_fit_is_refused() -> None:
    for outcome in (lambda: to_sign(bytes(118), 128), lambda: enciphered(PRIVATE.public_key(), bytes(118), Random(1))):
        with pytest.raises(ValueError, match="a message of 118 bytes does not fit a 128-byte key"):
            outcome()
    assert digest_info("sha1", b"")[-20:].hex() == "da39a3ee5e6b4b0d3255bfef95601890afd80709"


# -- in scenarios -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "head", "why"),
    [
        ("hash: x", CPS4, "a CPS4 does not hash: the host gives it the finished hash"),
        ("compute-signature: x", CPS4, "a CPS4 does not hash: the host gives it the finished hash"),
        ("read: EF_ACTUA", CPS4, "a CPS4 has no file EF_ACTUA"),
        ("select-file: EF.ATR", CPS4, "a CPS4 has no file EF.ATR"),
        ("select-application: cpx-ias", CPS4, "a CPS4 has no application cpx-ias"),
        ("authenticate: {data: {repeat: '00', times: 246}}", CPS4, "a CPS4 does not sign: a message of 246 bytes"),
        ("sign: {message: x, scheme: pss}", None, "a CPS3 has no algorithm sign sha256 pss"),
        ("select-application: chipdoc", None, "a CPS3 has no application chipdoc"),
        ("read: CPS2TER_NAME", None, "a CPS3 has no file CPS2TER_NAME"),
    ],
)
def test_what_has_no_meaning_on_a_card_is_not_applicable(
    run: Callable[..., Ran], step: str, head: str | None, why: str
) -> None:
    text = f"- get-challenge: 8\n- {step}\n- get-challenge: 8"
    ran = run(steps_text(text, **({"head": head} if head else {})))
    assert ran.verdict is Verdict.NOT_APPLICABLE, ran.told()
    assert ran.reason.startswith(why)
    assert ran.step_verdicts == ["passed", "not-applicable", "not-run"]


def test_a_failure_before_is_still_a_failure(run: Callable[..., Ran]) -> None:
    ran = run(steps_text("- get-challenge: 8\n  expect: {data: {length: 9}}\n- hash: x", head=CPS4))
    assert ran.verdict is Verdict.FAILED


def test_a_cps4_has_no_antenna(run: Callable[..., Ran]) -> None:
    ran = run(steps_text("- connect:", head=CPS4), profile="readers/generic-contactless")
    assert ran.verdict is Verdict.NOT_APPLICABLE
    assert ran.reason == "a CPS4 has no contactless interface"


def test_a_pss_signature_is_judged_as_one(run: Callable[..., Ran]) -> None:
    ran = run(
        suite_text(
            *(
                scenario_text(
                    f"""
                    steps:
                      - verify-code: $card.code
                      - sign: {{message: hello, scheme: {scheme}, digest: {digest}}}
                        capture: {{made: data}}
                        expect:
                          valid-under: $card.certificates.signature
                          not-valid-under: $card.certificates.authentication
                    """,
                    f"{scheme}-{digest}",
                )
                for scheme in ("pkcs1", "pss")
                for digest in ("sha1", "sha256")
            ),
            head=CPS4,
        )
    )
    assert set(ran.verdicts.values()) == {Verdict.PASSED}, ran.told()
    assert len(ran.verdicts) == 4
