"""Phones, what they sign, and the contexts they give (the laboratory's own model of sources#apcv)."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bifente.ground.clock import VirtualClock
from bifente.simulator.middleware.apcv import ApcvContext, ApcvDesk, ApcvError, ApcvRefusal
from bifente.simulator.middleware.apcv.context import moment, written
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.services.apcv import ApcvParameters, ApcvService, Phone
from bifente.simulator.services.apcv.phone import QR_PREFIX, SEAL
from bifente.simulator.services.apcv.service import UNREACHABLE
from bifente.simulator.serving.calling import in_process
from bifente.simulator.zones import Group, make

AT = datetime(2026, 3, 3, 9, tzinfo=UTC)
LIVES = ApcvParameters()
CONTEXT, PROOF = LIVES.context.total_seconds(), LIVES.proof.total_seconds()


@dataclass
class Person:
    groups: tuple[Group, ...] = (make(101, {"card-type": "T"}), make(104, {"usual-name": "TEST"}), make(106, {}))


class World:
    """A service, two enrolled phones, and one software."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = VirtualClock(AT)
        chance = random.Random(seed).randbytes
        self.service = ApcvService(self.clock, random=chance)
        self.holder = Person()
        self.phone = Phone("phone-1", self.clock, random=chance)
        self.other = Phone("phone-2", self.clock, random=chance)
        self.service.enrol(self.phone, self.holder)
        self.service.enrol(self.other, Person())
        self.desk = ApcvDesk(in_process(self.service.application), self.clock)


@pytest.fixture
def world() -> World:
    return World()


def refused(action: Callable[[], object]) -> ApcvRefusal:
    with pytest.raises(ApcvError) as caught:
        action()
    return caught.value.refusal


def resigned(world: World, code: str, phone: Phone | None = None, **changes: Any) -> str:
    """A QR code whose content was changed, signed by a phone, or by nobody who may: its signature then stays."""
    head, body, signature = code.removeprefix(QR_PREFIX).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    if phone is not None:
        return QR_PREFIX + SEAL.close(claims, phone.key.key, phone.key.kid)
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{QR_PREFIX}{head}.{body}.{signature}"


# -- acquisition -------------------------------------------------------------------------------------------------------


def test_a_phone_gives_a_context_by_nfc_and_by_qr(world: World) -> None:
    for acquire in (
        lambda: world.desk.acquire_by_nfc(world.phone),
        lambda: world.desk.acquire_by_qr(world.phone.qr()),
    ):
        context = acquire()
        assert moment(context.end) == AT + LIVES.context
        assert len(context.end) == 14
        assert world.desk.context == context
        assert world.service.rights(context) == world.holder.groups


def test_what_the_desk_holds_does_not_show_its_token(world: World) -> None:
    context = world.desk.acquire_by_nfc(world.phone)
    assert context.token not in repr(context)


def test_two_acquisitions_are_two_contexts_and_the_second_ends_the_first(world: World) -> None:
    first = world.desk.acquire_by_nfc(world.phone)
    second = world.desk.acquire_by_nfc(world.other)
    assert first.identifier != second.identifier
    assert refused(lambda: world.service.rights(first)) is ApcvRefusal.NO_CONTEXT
    assert world.service.rights(second)


def test_without_a_phone_nothing_is_acquired(world: World) -> None:
    assert refused(lambda: world.desk.acquire_by_nfc(None)) is ApcvRefusal.NO_PHONE
    assert ApcvRefusal.NO_PHONE.code == SsvCode.VITALE_ABSENT
    assert world.desk.context is None


@pytest.mark.parametrize(("seconds", "good"), [(0, True), (PROOF - 1, True), (PROOF, False), (PROOF + 1, False)])
def test_a_qr_code_lasts_as_long_as_it_says(world: World, seconds: float, good: bool) -> None:
    code = world.phone.qr()
    world.clock.advance(seconds)
    if good:
        world.desk.acquire_by_qr(code)
    else:
        assert refused(lambda: world.desk.acquire_by_qr(code)) is ApcvRefusal.PROOF_EXPIRED


def test_a_phone_does_not_choose_how_long_it_is_believed(world: World) -> None:
    code = resigned(world, world.phone.qr(), world.phone, exp=(AT + timedelta(days=9)).timestamp())
    world.clock.advance(PROOF)
    assert refused(lambda: world.desk.acquire_by_qr(code)) is ApcvRefusal.PROOF_EXPIRED


@pytest.mark.parametrize(("ahead", "refusal"), [(5, None), (6, ApcvRefusal.NOT_YET), (3600, ApcvRefusal.NOT_YET)])
def test_the_clock_of_a_phone_may_be_ahead_by_a_little(world: World, ahead: int, refusal: ApcvRefusal | None) -> None:
    phone = Phone("ahead", VirtualClock(AT + timedelta(seconds=ahead)))
    world.service.enrol(phone, Person())
    if refusal is None:
        world.desk.acquire_by_qr(phone.qr())
    else:
        assert refused(lambda: world.desk.acquire_by_qr(phone.qr())) is refusal


def test_a_qr_code_is_good_once(world: World) -> None:
    code = world.phone.qr()
    world.desk.acquire_by_qr(code)
    for seconds in (0, 1, PROOF - 2):
        world.clock.advance(seconds)
        assert refused(lambda: world.desk.acquire_by_qr(code)) is ApcvRefusal.REPLAYED
    world.clock.advance(1)
    assert refused(lambda: world.desk.acquire_by_qr(code)) is ApcvRefusal.PROOF_EXPIRED


def test_a_replay_is_seen_by_another_desk(world: World) -> None:
    code = world.phone.qr()
    world.desk.acquire_by_qr(code)
    assert (
        refused(lambda: ApcvDesk(in_process(world.service.application), world.clock).acquire_by_qr(code))
        is ApcvRefusal.REPLAYED
    )


def test_a_code_from_a_phone_ahead_is_not_good_again_once_its_memory_fades(world: World) -> None:
    phone = Phone("ahead", VirtualClock(AT + timedelta(seconds=5)))
    world.service.enrol(phone, Person())
    code = phone.qr()
    world.desk.acquire_by_qr(code)
    for _ in range(int(PROOF) + 10):
        world.clock.advance(1)
        assert refused(lambda: world.desk.acquire_by_qr(code)) in (ApcvRefusal.REPLAYED, ApcvRefusal.PROOF_EXPIRED)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"exp": 4e9}, ApcvRefusal.TAMPERED),
        ({"iat": 0}, ApcvRefusal.TAMPERED),
        ({"sub": "phone-2"}, ApcvRefusal.TAMPERED),
        ({"jti": "another"}, ApcvRefusal.TAMPERED),
        ({"use": "nfc"}, ApcvRefusal.TAMPERED),
    ],
)
def test_a_code_changed_by_hand_is_refused(world: World, changes: dict[str, Any], refusal: ApcvRefusal) -> None:
    assert refused(lambda: world.desk.acquire_by_qr(resigned(world, world.phone.qr(), **changes))) is refusal


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"sub": "phone-2"}, ApcvRefusal.TAMPERED),
        ({"sub": "nobody"}, ApcvRefusal.TAMPERED),
        ({"sub": None}, ApcvRefusal.UNREADABLE),
        ({"jti": None}, ApcvRefusal.UNREADABLE),
        ({"jti": 7}, ApcvRefusal.UNREADABLE),
        ({"exp": "soon"}, ApcvRefusal.UNREADABLE),
        ({"exp": float("inf")}, ApcvRefusal.UNREADABLE),
        ({"iat": True}, ApcvRefusal.UNREADABLE),
        ({"use": "nfc"}, ApcvRefusal.WRONG_CHANNEL),
        ({"use": None}, ApcvRefusal.WRONG_CHANNEL),
    ],
)
def test_a_phone_that_signs_what_it_should_not_is_refused(
    world: World, changes: dict[str, Any], refusal: ApcvRefusal
) -> None:
    code = resigned(world, world.phone.qr(), world.phone, **changes)
    assert refused(lambda: world.desk.acquire_by_qr(code)) is refusal


@pytest.mark.parametrize(
    "code", ["", "x", "https://example.org", QR_PREFIX, QR_PREFIX + "a.b.c", QR_PREFIX + "é", QR_PREFIX + "." * 9000]
)
def test_what_is_no_code_of_ours_is_refused(world: World, code: str) -> None:
    assert refused(lambda: world.desk.acquire_by_qr(code)) is ApcvRefusal.UNREADABLE


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 10**6), st.characters(min_codepoint=33, max_codepoint=126))
def test_any_character_of_a_code_counts(position: int, character: str) -> None:
    world = World()
    code = world.phone.qr()
    # The last character of a signature has bits that mean nothing.
    position %= len(code) - 1
    changed = code[:position] + character + code[position + 1 :]
    if changed != code:
        assert refused(lambda: world.desk.acquire_by_qr(changed)) in (
            ApcvRefusal.TAMPERED,
            ApcvRefusal.UNREADABLE,
            ApcvRefusal.UNKNOWN_PHONE,
        )
        world.desk.acquire_by_qr(code)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_arbitrary_text_is_refused(text: str) -> None:
    world = World()
    for code in (text, QR_PREFIX + text):
        assert refused(lambda code=code: world.desk.acquire_by_qr(code)) is ApcvRefusal.UNREADABLE  # type: ignore[misc]
    assert refused(lambda: world.service.by_nfc(text, b"")) is ApcvRefusal.UNREADABLE


def test_a_phone_nobody_enrolled_is_refused(world: World) -> None:
    stranger = Phone("phone-3", world.clock)
    assert refused(lambda: world.desk.acquire_by_qr(stranger.qr())) is ApcvRefusal.UNKNOWN_PHONE
    assert refused(lambda: world.desk.acquire_by_nfc(stranger)) is ApcvRefusal.UNKNOWN_PHONE


def test_a_phone_that_takes_the_name_of_another_is_refused(world: World) -> None:
    assert refused(lambda: world.desk.acquire_by_qr(Phone("phone-1", world.clock).qr())) is ApcvRefusal.TAMPERED


def test_a_revoked_phone_acquires_nothing_more(world: World) -> None:
    context = world.desk.acquire_by_nfc(world.phone)
    world.service.revoke(world.phone)
    assert refused(lambda: world.desk.acquire_by_nfc(world.phone)) is ApcvRefusal.UNKNOWN_PHONE
    assert world.service.rights(context)


def test_an_nfc_answer_is_good_for_its_challenge_once(world: World) -> None:
    first, second = world.service.challenge(), world.service.challenge()
    answer = world.phone.answer(first)
    assert refused(lambda: world.service.by_nfc(answer, second)) is ApcvRefusal.WRONG_CHALLENGE
    fresh = world.phone.answer(first)
    world.service.by_nfc(fresh, first)
    assert refused(lambda: world.service.by_nfc(fresh, first)) is ApcvRefusal.REPLAYED
    assert refused(lambda: world.service.by_nfc(world.phone.answer(first), first)) is ApcvRefusal.WRONG_CHALLENGE


def test_a_challenge_of_nobody_is_refused(world: World) -> None:
    own = bytes(16)
    assert refused(lambda: world.service.by_nfc(world.phone.answer(own), own)) is ApcvRefusal.WRONG_CHALLENGE


def test_a_proof_for_one_way_is_not_good_for_the_other(world: World) -> None:
    challenge = world.service.challenge()
    answer = world.phone.answer(challenge)
    assert refused(lambda: world.desk.acquire_by_qr(QR_PREFIX + answer)) is ApcvRefusal.WRONG_CHANNEL
    code = world.phone.qr().removeprefix(QR_PREFIX)
    assert refused(lambda: world.service.by_nfc(code, challenge)) is ApcvRefusal.WRONG_CHANNEL


def test_a_failed_acquisition_leaves_the_context_there_was(world: World) -> None:
    context = world.desk.acquire_by_nfc(world.phone)
    assert refused(lambda: world.desk.acquire_by_nfc(None)) is ApcvRefusal.NO_PHONE
    assert refused(lambda: world.desk.acquire_by_qr("x")) is ApcvRefusal.UNREADABLE
    assert world.desk.context == context


# -- life of a context -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "good"), [(0, True), (CONTEXT - 1, True), (CONTEXT, False), (CONTEXT + 1, False)])
def test_a_context_lasts_until_its_end(world: World, seconds: float, good: bool) -> None:
    context = world.desk.acquire_by_nfc(world.phone)
    world.clock.advance(seconds)
    assert context.expired(world.clock.now()) is not good
    if good:
        assert world.service.rights(context)
        assert world.desk.restore() == context
    else:
        assert refused(lambda: world.service.rights(context)) is ApcvRefusal.CONTEXT_EXPIRED
        assert refused(world.desk.restore) is ApcvRefusal.CONTEXT_EXPIRED


def test_how_long_it_lasts_is_a_parameter() -> None:
    clock = VirtualClock(AT)
    service = ApcvService(clock, ApcvParameters(context=timedelta(seconds=7)))
    phone = Phone("p", clock)
    service.enrol(phone, Person())
    assert ApcvDesk(in_process(service.application), clock).acquire_by_nfc(phone).end == "20260303090007"


@pytest.mark.parametrize("change", ["end", "identifier", "token"])
def test_a_context_changed_by_a_software_is_refused(world: World, change: str) -> None:
    elsewhere = World(2)
    mine, other = world.desk.acquire_by_nfc(world.phone), elsewhere.desk.acquire_by_nfc(elsewhere.phone)
    longer = {"end": written(AT + timedelta(days=1)), "identifier": "00" * 8, "token": other.token}
    context = replace(mine, **{change: longer[change]})
    assert refused(lambda: world.service.rights(context)) is ApcvRefusal.TAMPERED
    assert world.service.rights(mine)


def test_a_context_of_another_holder_is_not_read_with_my_token(world: World) -> None:
    mine = world.desk.acquire_by_nfc(world.phone)
    theirs = ApcvDesk(in_process(world.service.application), world.clock).acquire_by_nfc(world.other)
    assert refused(lambda: world.service.rights(replace(theirs, token=mine.token))) is ApcvRefusal.TAMPERED


@pytest.mark.parametrize("token", ["", "a.b.c", "é"])
def test_a_context_whose_token_is_none_is_refused(world: World, token: str) -> None:
    context = replace(world.desk.acquire_by_nfc(world.phone), token=token)
    assert refused(lambda: world.service.rights(context)) is ApcvRefusal.TAMPERED


def test_the_proof_of_a_phone_is_no_token(world: World) -> None:
    context = world.desk.acquire_by_nfc(world.phone)
    forged = replace(context, token=resigned(world, world.phone.qr(), world.phone).removeprefix(QR_PREFIX))
    assert refused(lambda: world.service.rights(forged)) is ApcvRefusal.TAMPERED


def test_a_context_whose_end_is_no_moment_is_refused(world: World) -> None:
    world.desk.pass_in(replace(world.desk.acquire_by_nfc(world.phone), end="soon"))
    assert refused(world.desk.restore) is ApcvRefusal.TAMPERED


def test_a_context_is_restored_after_a_restart(world: World) -> None:
    context = world.desk.acquire_by_nfc(world.phone)
    world.desk.restart()
    assert world.desk.context is None
    assert world.desk.restore() == context
    assert world.desk.context == context


def test_nothing_is_restored_deleted_or_renewed_without_a_context(world: World) -> None:
    for action in (world.desk.restore, world.desk.delete, lambda: world.desk.renew("1")):
        assert refused(action) is ApcvRefusal.NO_CONTEXT


def test_a_deleted_context_is_gone_everywhere(world: World) -> None:
    context = world.desk.acquire_by_nfc(world.phone)
    world.desk.delete()
    assert refused(world.desk.restore) is ApcvRefusal.NO_CONTEXT
    world.desk.pass_in(context)
    assert refused(lambda: world.service.rights(context)) is ApcvRefusal.NO_CONTEXT
    world.clock.advance(CONTEXT)
    assert refused(lambda: world.desk.renew("1")) is ApcvRefusal.NO_CONTEXT


def test_a_context_is_deleted_without_the_service_too(world: World) -> None:
    world.desk.acquire_by_nfc(world.phone)
    world.service.strike(UNREACHABLE)
    world.desk.delete()
    assert world.desk.context is None


def test_a_service_that_does_not_answer_refuses_everything(world: World) -> None:
    context, code = world.desk.acquire_by_nfc(world.phone), world.phone.qr()
    world.service.strike(UNREACHABLE)
    for action in (
        lambda: world.desk.acquire_by_nfc(world.phone),
        lambda: world.desk.acquire_by_qr(code),
        lambda: world.desk.renew("1"),
        lambda: world.service.rights(context),
    ):
        assert refused(action) is ApcvRefusal.UNREACHABLE
    world.service.suffer()
    assert world.desk.context == context
    assert world.service.rights(context)
    world.desk.acquire_by_qr(code)


# -- renewal -----------------------------------------------------------------------------------------------------------


def test_an_expired_context_is_renewed_for_one_invoice_alone(world: World) -> None:
    context = world.desk.acquire_by_nfc(world.phone)
    world.clock.advance(CONTEXT)
    renewed = world.desk.renew("000000042")
    assert renewed.identifier == context.identifier
    assert moment(renewed.end) == world.clock.now() + LIVES.context
    assert world.service.rights(renewed, "000000042")
    for other in (None, "000000043", "42"):
        assert refused(lambda other=other: world.service.rights(renewed, other)) is ApcvRefusal.OTHER_INVOICE  # type: ignore[misc]
    assert refused(lambda: world.service.rights(context, "000000042")) is ApcvRefusal.NO_CONTEXT


def test_a_renewed_context_ends_too_and_is_renewed_for_its_invoice_only(world: World) -> None:
    world.desk.acquire_by_nfc(world.phone)
    world.clock.advance(CONTEXT)
    renewed = world.desk.renew("1")
    world.clock.advance(CONTEXT)
    assert refused(lambda: world.service.rights(renewed, "1")) is ApcvRefusal.CONTEXT_EXPIRED
    assert refused(lambda: world.desk.renew("2")) is ApcvRefusal.OTHER_INVOICE
    assert world.service.rights(world.desk.renew("1"), "1")


def test_a_valid_context_is_not_renewed(world: World) -> None:
    world.desk.acquire_by_nfc(world.phone)
    world.clock.advance(CONTEXT - 1)
    assert refused(lambda: world.desk.renew("1")) is ApcvRefusal.STILL_VALID


@pytest.mark.parametrize("invoice", ["", "A1", "1234567890", "-1", "١", "1\n"])
def test_an_invoice_has_a_number(world: World, invoice: str) -> None:
    world.desk.acquire_by_nfc(world.phone)
    world.clock.advance(CONTEXT)
    assert refused(lambda: world.desk.renew(invoice)) is ApcvRefusal.BAD_INVOICE


def test_a_context_that_says_it_is_expired_is_not_renewed(world: World) -> None:
    context = world.desk.acquire_by_nfc(world.phone)
    world.desk.pass_in(replace(context, end=written(AT - timedelta(days=1))))
    assert refused(lambda: world.desk.renew("1")) is ApcvRefusal.TAMPERED


@pytest.mark.parametrize("refusal", ApcvRefusal)
def test_each_refusal_says_what_to_do_in_two_languages(refusal: ApcvRefusal) -> None:
    assert refusal.sentence.fr != refusal.sentence.en
    assert refusal.code in (SsvCode.VITALE_ABSENT, SsvCode.UNSPECIFIED)


@pytest.mark.parametrize("end", ["", "2026030309000", "20260303090000Z", "20261303090000", "２0260303090000"])
def test_what_is_no_end(end: str) -> None:
    with pytest.raises(ValueError, match=r"moment|unconverted|match|month"):
        ApcvContext("a", "b", end).expired(AT)


# -- any order of operations -------------------------------------------------------------------------------------------


class AnyOrder(RuleBasedStateMachine):
    """Whatever is done in whatever order, rights come from a context in force that nothing has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.alive: ApcvContext | None = None
        self.until = AT
        self.invoice: str | None = None
        self.ended: list[ApcvContext] = []

    def _acquired(self, context: ApcvContext) -> None:
        if self.alive is not None:
            self.ended.append(self.alive)
        self.alive, self.until, self.invoice = context, self.world.clock.now() + LIVES.context, None

    @rule(qr=st.booleans())
    def acquire(self, qr: bool) -> None:
        desk, phone = self.world.desk, self.world.phone
        self._acquired(desk.acquire_by_qr(phone.qr()) if qr else desk.acquire_by_nfc(phone))

    @rule(seconds=st.sampled_from([1, 60, CONTEXT / 2, CONTEXT]))
    def wait(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    @precondition(lambda self: self.alive is not None)
    @rule()
    def delete(self) -> None:
        assert self.alive is not None
        self.world.desk.delete()
        self.ended.append(self.alive)
        self.alive = None

    @precondition(lambda self: self.alive is not None)
    @rule(invoice=st.sampled_from(["1", "2"]))
    def renew(self, invoice: str) -> None:
        assert self.alive is not None
        if self.world.clock.now() < self.until:
            assert refused(lambda: self.world.desk.renew(invoice)) is ApcvRefusal.STILL_VALID
        elif self.invoice not in (None, invoice):
            assert refused(lambda: self.world.desk.renew(invoice)) is ApcvRefusal.OTHER_INVOICE
        else:
            self.ended.append(self.alive)
            self.alive = self.world.desk.renew(invoice)
            self.until, self.invoice = self.world.clock.now() + LIVES.context, invoice

    @rule()
    def restart_and_restore(self) -> None:
        self.world.desk.restart()
        if self.alive is None:
            assert refused(self.world.desk.restore) is ApcvRefusal.NO_CONTEXT
        elif self.world.clock.now() >= self.until:
            assert refused(self.world.desk.restore) is ApcvRefusal.CONTEXT_EXPIRED
            self.world.desk.pass_in(self.alive)
        else:
            assert self.world.desk.restore() == self.alive

    @invariant()
    def only_what_is_alive_reads(self) -> None:
        service, now = self.world.service, self.world.clock.now()
        for context in self.ended[-3:]:
            assert refused(lambda context=context: service.rights(context, "1")) is ApcvRefusal.NO_CONTEXT  # type: ignore[misc]
        if self.alive is None:
            return
        assert self.world.desk.context == self.alive
        if now >= self.until:
            assert refused(lambda: service.rights(self.alive, self.invoice)) is ApcvRefusal.CONTEXT_EXPIRED  # type: ignore[arg-type]
        else:
            assert service.rights(self.alive, self.invoice) == self.world.holder.groups


AnyOrder.TestCase.settings = settings(deadline=None, max_examples=30, stateful_step_count=20)
TestAnyOrder = AnyOrder.TestCase
